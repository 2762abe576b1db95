// Redis serves what Argo CD's controllers cache, in memory, at an address: the
// server that Argo CD's own tests use.
package main

import (
	"log"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func main() {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(os.Args[1]); err != nil {
		log.Fatal(err)
	}
	// No time passes in it by itself, and a commit would be cached for ever.
	const tick = 100 * time.Millisecond
	for range time.Tick(tick) {
		server.FastForward(tick)
	}
}
