package cluster

import "golang.org/x/sync/errgroup"

// sideBySide calls work with 0 to n-1, some of them at a time.
func sideBySide(n int, work func(i int)) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error { work(i); return nil })
	}
	_ = group.Wait()
}
