// Package parallel lets work run on several cores, and waits for it.
package parallel

import (
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
)

// Each lets as many workers as there are cores share the numbers below n,
// and waits for them.
func Each(n int, worker func(mine iter.Seq[int])) {
	var next atomic.Int64
	mine := func(yield func(int) bool) {
		for i := int(next.Add(1)) - 1; i < n && yield(i); i = int(next.Add(1)) - 1 {
		}
	}
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		group.Go(func() { worker(mine) })
	}
	group.Wait()
}

// Start starts work on another core, and gives what waits for it.
func Start(work func()) (wait func()) {
	var group sync.WaitGroup
	group.Go(work)
	return group.Wait
}
