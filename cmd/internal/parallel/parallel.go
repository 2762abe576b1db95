// Package parallel lets work run side by side, and waits for it.
package parallel

import (
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Each calls work with 0 to n-1, at most jobs at a time and at least one, and waits
// for all of it.
func Each(jobs, n int, work func(i int)) {
	var group errgroup.Group
	group.SetLimit(max(jobs, 1))
	for i := range n {
		group.Go(func() error {
			work(i)
			return nil
		})
	}
	_ = group.Wait() // work keeps its errors to itself
}

// Share lets as many workers as there are cores share the numbers below n,
// and waits for them.
func Share(n int, worker func(mine iter.Seq[int])) {
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
