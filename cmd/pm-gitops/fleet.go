package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// loaded is an environment file that was read, and the catalog that goes with it.
type loaded struct {
	source
	env     render.Environment
	catalog catalog.Catalog
}

// failures is what is wrong with some environments, while others may be fine.
type failures []error

func (f failures) Error() string   { return errors.Join(f...).Error() }
func (f failures) Unwrap() []error { return f }

// errSkipped is no error: the file is none that a command is about.
var errSkipped = errors.New("skipped")

// each does some work for every environment file that the flags name, several
// at a time, and gives the results in the order of the files. One that fails
// does not keep the others from being worked on: their results are given, with
// [failures].
func each[T any](ctx context.Context, a app, in input, work func(loaded) (T, error)) ([]T, error) {
	if in.jobs < 1 {
		return nil, usageError{fmt.Errorf("want at least one job at a time, got --jobs %d", in.jobs)}
	}
	sources, err := in.sources()
	if err != nil {
		return nil, err
	}
	over, err := a.catalogOf(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := in.fetch(sources); err != nil {
		return nil, err
	}
	results, outcomes, names := make([]T, len(sources)), make([]error, len(sources)), make([]string, len(sources))
	in.progress.start(len(sources))
	parallel(in.jobs, len(sources), func(i int) {
		defer in.progress.step()
		var l loaded
		if l, outcomes[i] = a.open(ctx, in, sources[i], over); outcomes[i] != nil {
			return
		}
		names[i] = string(l.env.Metadata.Name)
		if len(in.only) > 0 && !slices.Contains(in.only, names[i]) {
			outcomes[i] = errSkipped
			return
		}
		results[i], outcomes[i] = work(l)
	})
	in.progress.end()
	done := results[:0]
	for i, result := range results {
		if outcomes[i] == nil {
			done = append(done, result)
		}
	}
	failed := failed(outcomes)
	if err := ctx.Err(); err != nil { // who gives up wants nothing done with the rest
		return nil, errors.Join(append(failed, err)...)
	}
	if len(failed) > 0 {
		return done, failed
	}
	if err := in.missing(names); err != nil {
		return nil, err
	}
	if len(done) == 0 {
		return nil, fmt.Errorf("%s: no environment there", text.OneOf(in.files))
	}
	return done, nil
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

// open reads a file unless it is something else than an environment.
func (a app) open(ctx context.Context, in input, file source, over catalog.Catalog) (loaded, error) {
	if ctx.Err() != nil {
		return loaded{}, errSkipped
	}
	data, err := a.readNamed(ctx, in, file.name)
	if err != nil {
		return loaded{}, err
	}
	if !file.named && foreign(data) {
		return loaded{}, errSkipped
	}
	env, cat, err := in.load(file.name, data, over)
	return loaded{file, env, cat}, err
}

// failed is the outcomes that are failures.
func failed(outcomes []error) failures {
	var all failures
	for _, outcome := range outcomes {
		if outcome != nil && !errors.Is(outcome, errSkipped) {
			all = append(all, outcome)
		}
	}
	return all
}

// missing is the error that the flags name an environment that is not there.
func (in input) missing(names []string) error {
	known := slices.Compact(slices.Sorted(slices.Values(names)))
	known = slices.DeleteFunc(known, func(name string) bool { return name == "" })
	var missing []error
	for _, name := range in.only {
		if !slices.Contains(known, name) {
			missing = append(missing, fmt.Errorf("unknown environment %q%s", name, text.Suggest(name, known)))
		}
	}
	return errors.Join(missing...)
}

// eachPlan does some work for the plan of every environment that the flags
// name. Defaults that lie beside environments are none.
func eachPlan[T any](ctx context.Context, a app, in input, target render.Target, work func(render.Plan) (T, error)) ([]T, error) {
	return each(ctx, a, in, func(l loaded) (T, error) {
		var none T
		plan, err := l.plan(target)
		if err != nil {
			return none, err
		}
		return work(plan)
	})
}

// plan plans an environment for a target.
func (l loaded) plan(target render.Target) (render.Plan, error) {
	if l.env.IsDefaults() {
		if l.named {
			return render.Plan{}, fmt.Errorf("%s holds defaults that environments extend: it is no environment itself", l.name)
		}
		return render.Plan{}, errSkipped
	}
	return render.PlanFor(l.env, l.catalog, target)
}

// plan plans the one environment that the flags name.
func (a app) plan(ctx context.Context, in input, target render.Target) (render.Plan, error) {
	plans, err := eachPlan(ctx, a, in, target, func(plan render.Plan) (render.Plan, error) { return plan, nil })
	if err != nil {
		return render.Plan{}, err
	}
	if len(plans) > 1 {
		var names []string
		for _, plan := range plans {
			names = append(names, plan.Environment)
		}
		return render.Plan{}, hinted{usageError{fmt.Errorf("this is for one environment at a time, and there are %d", len(plans))}, "Choose with --environment: " + text.OneOf(names) + "."}
	}
	a.warn(plans[0].Warnings)
	return plans[0], nil
}

// environmentNames is the names of the environments that the flags name, as
// far as they can be read.
func (a app) environmentNames(ctx context.Context, in input) []string {
	var names []string
	for _, l := range a.readable(ctx, in) {
		names = append(names, string(l.env.Metadata.Name))
	}
	return names
}

// readable is the environments that the flags name and that can be read
// within the time that a shell may wait.
func (a app) readable(ctx context.Context, in input) []loaded {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	sources, _ := in.sources()
	over, err := a.catalogOf(ctx, in)
	var found []loaded
	for _, file := range sources {
		if file.name == "-" || err != nil {
			continue
		}
		if l, err := a.open(ctx, in, file, over); err == nil && !l.env.IsDefaults() {
			found = append(found, l)
		}
	}
	return found
}
