package charts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pm-gitops/pm-gitops/render"
)

// Release is a release whose chart some work is done with.
type Release struct {
	// Environment is named in errors; empty where there is no other.
	Environment string
	Key         string
	Chart       render.Chart
}

// Each does some work for releases and their charts, several at a time and in
// bounds, and gives the results and the failures in the order of the releases.
//
// With workers their processes do what is done with the charts, and one release
// that fails does not keep the others from being worked on. Without any it is
// done in this process, which must end after a failure: a template that loops
// cannot be stopped.
func Each[T any](ctx context.Context, jobs int, workers *Workers, source Source, releases []Release, work func(ctx context.Context, i int, own Chart) (T, error)) ([]T, []error) {
	results, failures := make([]T, len(releases)), make([]error, len(releases))
	var limits *bounds
	if workers == nil {
		var done func()
		ctx, limits, done = bounded(ctx, noGarbage)
		defer done()
	}
	parallel(jobs, len(releases), func(i int) {
		if failures[i] = ctx.Err(); failures[i] != nil {
			return
		}
		own, err := source.Chart(ctx, releases[i].Chart)
		if err != nil {
			failures[i] = fmt.Errorf("%s: %w", releases[i].Key, err)
			return
		}
		own.worker = workers.take()
		results[i], failures[i] = InTime(ctx, maxWork, func(ctx context.Context) (T, error) { return work(ctx, i, own) })
		workers.give(own.worker)
		if workers != nil {
			return
		}
		if errors.Is(failures[i], ErrTooLong) {
			limits.stop(context.Canceled)
		}
		if result, ok := any(results[i]).(interface{ Size() int }); ok {
			limits.kept.Add(int64(result.Size()))
		}
	})
	return results, failures
}

// Join joins failures, what is the same for several releases once. What was
// not done because of another failure is none.
func Join(releases []Release, failures []error) error {
	var all []error
	var said []string
	for i, failure := range failures {
		if failure == nil || errors.Is(failure, context.Canceled) {
			continue
		}
		if text := failure.Error(); !slices.Contains(said, text) {
			said = append(said, text)
			all = append(all, releases[i].named(failure))
		}
	}
	return errors.Join(all...)
}

// named names the environment of what failed, where there are several.
func (r Release) named(failure error) error {
	if r.Environment == "" {
		return failure
	}
	return fmt.Errorf("%s: %w", r.Environment, failure)
}

// parallel calls work with 0 to n-1, at most jobs at a time.
func parallel(jobs, n int, work func(i int)) {
	var workers sync.WaitGroup
	next := make(chan int)
	for range min(jobs, n) {
		workers.Go(func() {
			for i := range next {
				work(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
}
