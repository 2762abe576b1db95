//go:build e2e

package world

import (
	"errors"
	"sync"
)

// together runs functions side by side and gives all their errors.
func together(functions ...func() error) error {
	errs := make([]error, len(functions))
	var done sync.WaitGroup
	for i, function := range functions {
		done.Go(func() { errs[i] = function() })
	}
	done.Wait()
	return errors.Join(errs...)
}
