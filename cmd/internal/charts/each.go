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
// bounds, and gives the results in the order of the releases. The error joins
// everything that went wrong, what is the same for several of them once. The
// program must end then: a template that loops cannot be stopped.
func Each[T any](ctx context.Context, jobs int, source Source, releases []Release, work func(ctx context.Context, i int, own Chart) (T, error)) ([]T, error) {
	ctx, limits, done := bounded(ctx)
	defer done()
	results, failures := make([]T, len(releases)), make([]error, len(releases))
	parallel(jobs, len(releases), func(i int) {
		if failures[i] = ctx.Err(); failures[i] != nil {
			return
		}
		own, err := source.Chart(ctx, releases[i].Chart)
		if err != nil {
			failures[i] = fmt.Errorf("%s: %w", releases[i].Key, err)
			return
		}
		results[i], failures[i] = InTime(ctx, maxWork, func(ctx context.Context) (T, error) { return work(ctx, i, own) })
		if errors.Is(failures[i], ErrTooLong) {
			limits.stop(context.Canceled)
		}
		if result, ok := any(results[i]).(interface{ Size() int }); ok {
			limits.kept.Add(int64(result.Size()))
		}
	})
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
	if all == nil {
		return results, ctx.Err()
	}
	return nil, errors.Join(all...)
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
