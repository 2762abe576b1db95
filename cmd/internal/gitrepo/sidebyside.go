package gitrepo

import (
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
)

// sideBySide lets as many workers as there are cores share the numbers below n,
// and waits for them.
func sideBySide(n int, worker func(mine iter.Seq[int])) {
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

// alongside starts work on another core, and gives what waits for it.
func alongside(work func()) (wait func()) {
	var group sync.WaitGroup
	group.Go(work)
	return group.Wait
}
