package fleet

import (
	"sync"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

// eachCounted calls work with 0 to n-1, at most jobs at a time, and tells progress
// how many calls are done.
func eachCounted(jobs, n int, progress func(done, total int), work func(i int)) {
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
	parallel.Each(jobs, n, func(i int) {
		defer tell(1)
		work(i)
	})
}
