package cli

import (
	"cmp"
	"context"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
)

// prepareLocks reads the locks that a run is to write, and refuses, before anything is
// copied, what means something else than they have. That is reported as JSON too.
func (a app) prepareLocks(ctx context.Context, o mirrorOptions, found foundNeeds, artifacts []mirror.Artifact, options mirror.Options) ([]*lockFile, error) {
	if !o.lock {
		return nil, nil
	}
	locks, err := openOwnLocks(ctx, found)
	if err != nil || o.acceptChanged || !slices.ContainsFunc(locks, func(l *lockFile) bool { return l.before != nil }) {
		return locks, err
	}
	copier, err := mirror.New(artifacts, options)
	if err != nil {
		return nil, err
	}
	results, err := copier.Check(ctx)
	if err != nil {
		return nil, err
	}
	lockCopies(locks, found.needs, results)
	holdTo(locks, artifacts)
	err = o.compare(locks, "")
	if changed, isAlarm := err.(interface{ Unwrap() []error }); isAlarm && o.output == "json" {
		var problems []string
		for _, one := range changed.Unwrap() {
			problems = append(problems, one.Error())
		}
		err = cmp.Or(a.printMirror(results, problems), err)
	}
	return locks, err
}

// holdTo lets nothing be copied but what the locks have: a source can answer otherwise
// when it is asked again.
func holdTo(locks []*lockFile, artifacts []mirror.Artifact) {
	for i := range artifacts {
		one := &artifacts[i]
		source := mirror.SourceWithTag(one.Source, one.Target)
		for _, of := range locks {
			if !slices.Contains(one.Environments, of.plan.Environment) {
				continue
			}
			locked, _ := of.had.Image(source)
			if one.Kind == mirror.Chart {
				locked, _ = of.had.Chart(source)
			}
			one.Locked = cmp.Or(one.Locked, locked.Digest)
		}
	}
}

// finishLocks writes the locks of what was copied, unless something is wrong with that.
func (a app) finishLocks(ctx context.Context, o lockFlags, locks []*lockFile, found needs, results []mirror.Result, failed error) error {
	if !o.lock {
		return failed
	}
	if failed != nil {
		a.err.Say("no lock was written")
		return failed
	}
	lockCopies(locks, found, results)
	if err := o.compare(locks, ""); err != nil {
		return err
	}
	return a.writeLocks(ctx, locks)
}
