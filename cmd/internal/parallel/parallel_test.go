package parallel_test

import (
	"sync/atomic"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

func TestEach(t *testing.T) {
	for _, jobs := range []int{-1, 1, 3, 100} {
		var running, most, sum atomic.Int64
		parallel.Each(jobs, 20, func(i int) {
			now := running.Add(1)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			sum.Add(int64(i))
			running.Add(-1)
		})
		if sum.Load() != 190 || most.Load() > int64(max(jobs, 1)) {
			t.Errorf("%d jobs: sum %d, want 190; %d at a time", jobs, sum.Load(), most.Load())
		}
	}
}
