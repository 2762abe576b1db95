package charts

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
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
	parallel.Each(jobs, len(releases), func(i int) {
		if failures[i] = ctx.Err(); failures[i] != nil {
			return
		}
		own, err := source.Chart(ctx, releases[i].Chart)
		if err != nil {
			failures[i] = fmt.Errorf("%s: %w", releases[i].Key, err)
			return
		}
		own.worker = workers.take()
		results[i], failures[i] = InTime(ctx, own.title(), maxWork, func(ctx context.Context) (T, error) { return work(ctx, i, own) })
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
	for i, failure := range failures {
		if failure != nil && !errors.Is(failure, context.Canceled) {
			all = append(all, inEnvironment{releases[i].Environment, failure})
		}
	}
	return JoinAgain(all...)
}

// JoinAgain joins errors of [Join], what is the same in several of them once.
func JoinAgain(joined ...error) error {
	var all []error
	var said []string
	for len(joined) > 0 {
		one := joined[0]
		joined = joined[1:]
		if several, ok := one.(interface{ Unwrap() []error }); ok {
			joined = slices.Concat(several.Unwrap(), joined)
			continue
		}
		text := fmt.Sprint(one)
		if in, ok := one.(inEnvironment); ok {
			text = in.failure.Error()
		}
		if one != nil && !slices.Contains(said, text) {
			all, said = append(all, one), append(said, text)
		}
	}
	return errors.Join(all...)
}

// inEnvironment is a failure in an environment, which is named unless there is
// no other.
type inEnvironment struct {
	environment string
	failure     error
}

func (e inEnvironment) Error() string {
	if e.environment == "" {
		return e.failure.Error()
	}
	return e.environment + ": " + e.failure.Error()
}

func (e inEnvironment) Unwrap() error { return e.failure }
