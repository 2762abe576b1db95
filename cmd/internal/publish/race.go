package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// maxRaces is how often a push is tried that loses races.
const maxRaces = 10

// run commits, and pushes where that is asked for. When others are faster their
// commits are taken over, and everything is done again on top of them.
func (l local) run(ctx context.Context) (done Outcome, err error) {
	if _, err := l.repository.Resume(ctx); err != nil && !errors.Is(err, gitrepo.ErrUnchanged) {
		return done, err // of what a run that died was about to take over
	}
	var all Outcome // what all tries have to say
	for try := 1; ; try++ {
		job, failed := l.Make(ctx, nil)
		if job == nil {
			return all, afterRace(try, failed)
		}
		all.warn(job.warnings())
		done, err = l.commit(ctx, job)
		all.Unstaged = append(all.Unstaged, done.unstaged()...)
		done.Failed, done.Races, done.Unstaged, done.Warnings = failed, all.Races, all.Unstaged, all.Warnings
		if err != nil {
			done.Unfinished = true
			return done, afterRace(try, err) // what was committed before it is said
		}
		if !l.Push || failed != nil && !l.KeepGoing {
			return done, nil
		}
		if done.Pushed, err = l.push(ctx); err == nil {
			done.NothingToPush = done.Pushed == nil
			return done, nil
		}
		err = unpushed(done, err)
		if try == maxRaces {
			return done, err
		}
		race, err := l.catchUp(ctx, done, err)
		if errors.Is(err, gitrepo.ErrUnchanged) {
			done.NothingToPush = true
			return done, nil
		}
		if err != nil {
			return done, err
		}
		all.Races = append(all.Races, race)
		done.Races = all.Races
		if err := l.System.Sleep(ctx, time.Duration(l.System.Random()*float64(try*try)*float64(20*time.Millisecond))); err != nil {
			return done, err
		}
	}
}

// unpushed says how far it came where a push failed.
func unpushed(done Outcome, err error) error {
	if len(done.Commits()) == 0 {
		return &StageError{Waiting, err}
	}
	return &StageError{Committed, err}
}

// afterRace says what stays of a lost race where the next try fails.
func afterRace(try int, err error) error {
	if try == 1 {
		return err
	}
	return &StageError{TakenBack, err}
}

// again reports whether everything can be done again on top of what others have
// pushed: commits of another branch are not for the one that is checked out.
func (l local) again() bool {
	branch, err := l.repository.Branch()
	return err == nil && l.Repeatable && (l.Branch == "" || strings.TrimPrefix(l.Branch, "refs/heads/") == branch)
}

// catchUp takes over what others have pushed, if that is why a push failed. The
// error is gitrepo.ErrUnchanged if the server has all of ours, and theirs on top.
func (l local) catchUp(ctx context.Context, done Outcome, failed error) (Race, error) {
	var remote *gitrepo.RemoteError
	if !errors.As(failed, &remote) || remote.Kind != gitrepo.Raced || !l.again() {
		return Race{}, failed
	}
	var undo []string
	for _, one := range done.Commits() {
		undo = append(undo, one.Commit)
	}
	if len(undo) == 0 { // a run before made it, and could not push
		hash, message, err := l.repository.Last()
		if err != nil || !strings.Contains(message, "\n"+versionTrailer+": ") {
			return Race{}, failed
		}
		undo = []string{hash}
	}
	caught, err := l.repository.CatchUpAll(ctx, undo, gitrepo.PushOptions{Branch: l.Branch})
	if errors.Is(err, gitrepo.ErrUnchanged) {
		return Race{}, err
	}
	if err != nil {
		return Race{}, fmt.Errorf("%w\n%w", failed, err)
	}
	return Race{caught.Hash, len(caught.Changed)}, nil
}
