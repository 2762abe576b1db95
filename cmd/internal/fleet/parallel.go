package fleet

import (
	"sync"

	"golang.org/x/sync/errgroup"
)

// parallel calls work with 0 to n-1, at most jobs at a time, and tells progress
// how many calls are done.
func parallel(jobs, n int, progress func(done, total int), work func(i int)) {
	var telling sync.Mutex
	done := 0
	tell := func(more int) {
		if progress == nil {
			return
		}
		telling.Lock()
		defer telling.Unlock()
		done += more
		progress(done, n)
	}
	tell(0)
	var group errgroup.Group
	group.SetLimit(max(jobs, 1))
	for i := range n {
		group.Go(func() error {
			defer tell(1)
			work(i)
			return nil
		})
	}
	_ = group.Wait() // work keeps its errors to itself
}
