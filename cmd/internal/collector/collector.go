// Package collector holds the garbage collector back while the program starts.
//
// Imported for that effect by the main package: the packages that the program
// links make some seven megabytes of tables before main runs, and collecting
// them, which frees nothing, is a quarter of the time that a short command
// takes. Go initializes packages whose imports are done in the order of their
// paths, so this one, which needs nothing but the standard library, comes
// before most of them.
package collector

import (
	"os"
	"runtime/debug"
	"strconv"
)

var _ = debug.SetGCPercent(-1)

// The collector runs when the heap has grown to five times what is in use, up
// to a size at which it runs more often: most commands end before the first
// time, and a fleet of a thousand environments stays below 300 MB.
const (
	growth    = 400       // percent
	softLimit = 200 << 20 // bytes
)

// Start lets the collector run, as the environment variables GOGC and
// GOMEMLIMIT say or else as suits short commands.
func Start() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
	debug.SetGCPercent(percentOf(os.Getenv("GOGC")))
}

// Share lets the collector run as often as Go has it run by itself, unless GOGC
// says otherwise: for long work, beside other processes that need memory.
func Share() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(100)
	}
}

// percentOf is what GOGC asks for.
func percentOf(gogc string) int {
	percent, err := strconv.Atoi(gogc)
	switch {
	case gogc == "off":
		return -1
	case err != nil:
		return growth
	}
	return percent
}
