package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// load loads the environments that the flags name, and says what to do about
// errors. It warns of nothing.
func (a app) load(ctx context.Context, in input, target render.Choice) ([]fleet.Member, error) {
	request, err := in.request(a)
	if err != nil {
		return nil, err
	}
	members, err := fleet.Load(ctx, request, target)
	return members, hintRead(err)
}

// loadPlans plans the environments that the flags name.
func (a app) loadPlans(ctx context.Context, in input, target render.Choice) ([]render.Plan, error) {
	members, err := a.load(ctx, in, target)
	if err != nil {
		return nil, err
	}
	return plansOf(members), nil
}

// plansOf gives the plans of environments, in their order.
func plansOf(members []fleet.Member) []render.Plan {
	var plans []render.Plan
	for _, m := range members {
		plans = append(plans, m.Plan)
	}
	return plans
}

// plan plans the one environment that the flags name.
func (a app) plan(ctx context.Context, in input, target render.Choice) (render.Plan, error) {
	plans, err := a.loadPlans(ctx, in, target)
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

// renderFleet renders environments, and says what to do about errors. It gives
// those that may be worked on, and warns of what is suspicious in them.
func (a app) renderFleet(ctx context.Context, request fleet.Request, target render.Choice) ([]fleet.Member, error) {
	members, err := fleet.Render(ctx, request, target)
	if err != nil && !fleet.IsPartial(err) {
		return nil, hintRead(err)
	}
	for _, m := range members {
		a.warn(m.Plan.Warnings)
	}
	return members, hintRead(err)
}

// partialError is the error of a command that some environments failed in, and
// that did its work for the others.
type partialError struct {
	error
	done string // what was done to the others: written, and the like
	of   string // the others are these: environments, if it is empty
}

func (p partialError) Unwrap() error { return p.error }

// hintRead adds to errors about files what to do next.
func hintRead(err error) error {
	if hint := readHint(err); hint != "" {
		return hinted{err, hint}
	}
	return err
}

// readHint says what to do about the first error of a file that something can be
// done about.
func readHint(err error) string {
	var failed *fleet.ReadError
	switch joined, many := err.(interface{ Unwrap() []error }); {
	case many:
		for _, one := range joined.Unwrap() {
			if hint := readHint(one); hint != "" {
				return hint
			}
		}
	case errors.Is(err, fleet.ErrSubfolders):
		return "Take the folders in it with --recursive."
	case !errors.As(err, &failed):
	case failed.InRepository && errors.Is(err, fs.ErrNotExist) && isHere(failed.Name):
		return "With --repo, files are those of the repository; --local takes those that are here."
	case failed.InRepository:
	case failed.Name == fleet.DefaultFile && errors.Is(err, fs.ErrNotExist):
		return "Write one with `pm-gitops init`, or name yours with -f FILE."
	default:
		return hintUnexpanded(failed.Name)
	}
	return ""
}

// isHere reports whether a file is on this machine.
func isHere(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// hintUnexpanded says what to do about a path that holds what a shell would have
// replaced, had it not been in quotes or come from a file.
func hintUnexpanded(name string) string {
	if strings.HasPrefix(name, "~") || strings.Contains(name, "$") {
		return "~ and $ in a path are the shell's to replace: take them out of single quotes, and write --flag ~/… with a space."
	}
	return ""
}

// completeEnvironments names the environments that the flags name, as far as
// they can be read.
func (a app) completeEnvironments(ctx context.Context, in input) []string {
	var names []string
	for _, m := range a.readable(ctx, in) {
		names = append(names, string(m.Environment.Metadata.Name))
	}
	return names
}

// completeReleases names the releases of the environments that the flags name,
// as far as they can be read: a completion shows no errors.
func (a app) completeReleases(ctx context.Context, in input) []string {
	var keys []string
	for _, m := range a.readable(ctx, in) {
		if len(in.only) == 0 || slices.Contains(in.only, string(m.Environment.Metadata.Name)) {
			keys = append(keys, m.Environment.ReleaseKeys()...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// readable gives the environments that the flags name and that can be read
// within the time that a shell may wait.
func (a app) readable(ctx context.Context, in input) []fleet.Member {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	request, err := in.request(a)
	if err != nil {
		return nil
	}
	return fleet.Readable(ctx, request)
}
