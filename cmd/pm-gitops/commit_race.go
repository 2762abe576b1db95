package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// races is how often a push is tried that loses races.
const races = 10

// run commits, and pushes where that is asked for. When others are faster their
// commits are taken over, and everything is done again on top of them. What failed
// of some environments only is given beside what became of the others.
func (c checkout) run(ctx context.Context) (done gitOutcome, failed, err error) {
	if err := c.finish(ctx); err != nil {
		return done, nil, err
	}
	var restaged []string // by all tries
	var typed []byte      // standard input can be read once
	if slices.Contains(c.o.files, "-") && c.o.remove == "" {
		if typed, err = c.read(ctx, "-"); err != nil {
			return done, nil, err
		}
	}
	for try := 1; ; try++ {
		c.in = bytes.NewReader(typed)
		var work job
		if work, failed = c.job(ctx, c.o); work == nil {
			return gitOutcome{}, c.afterRace(try, failed), nil
		}
		done, err = c.commit(ctx, work)
		done.restaged = append(restaged, done.allRestaged()...)
		restaged = done.restaged
		if err != nil {
			done.unfinished = true
			return done, failed, c.afterRace(try, err) // what was committed before it is said
		}
		if !c.o.push || failed != nil && !c.o.keepGoing {
			return done, failed, nil
		}
		if done.pushed, err = c.push(ctx); err == nil {
			done.nothingToPush = done.pushed == nil
			return done, failed, nil
		}
		err = hinted{err, c.unpushed(done)}
		if try == races {
			return done, failed, err
		}
		if err := c.catchUp(ctx, done, err); errors.Is(err, gitrepo.ErrUnchanged) {
			done.nothingToPush = true
			return done, failed, nil
		} else if err != nil {
			return done, failed, err
		}
		git := c.git()
		if err := git.Sleep(ctx, time.Duration(git.Random()*float64(try*try)*float64(20*time.Millisecond))); err != nil {
			return done, failed, err
		}
	}
}

// afterRace says what stays of a lost race where the next try fails.
func (c checkout) afterRace(try int, err error) error {
	if try == 1 {
		return err
	}
	return hinted{err, "What others have pushed was taken over, and our commit taken back; it was not made again."}
}

// finish finishes what a run that died was about to take over.
func (c checkout) finish(ctx context.Context) error {
	if _, err := c.repository.Resume(ctx); err != nil && !errors.Is(err, gitrepo.ErrUnchanged) {
		return err
	}
	return nil
}

// again reports whether everything can be done again on top of what others have
// pushed: commits of another branch are not for the one that is checked out, and
// pipes can be read once.
func (c checkout) again() bool {
	branch, err := c.repository.Branch()
	if err != nil || c.o.branch != "" && strings.TrimPrefix(c.o.branch, "refs/heads/") != branch {
		return false
	}
	for _, name := range c.o.files {
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			return false
		}
	}
	return true
}

// catchUp takes over what others have pushed, if that is why a push failed. The
// error is gitrepo.ErrUnchanged if the server has all of ours, and theirs on top.
func (c checkout) catchUp(ctx context.Context, done gitOutcome, failed error) error {
	var remote *gitrepo.RemoteError
	if !errors.As(failed, &remote) || remote.Kind != gitrepo.Raced {
		return failed
	}
	if !c.again() {
		return failed
	}
	var undo []string
	for _, one := range done.commits() {
		undo = append(undo, one.Commit)
	}
	if len(undo) == 0 { // a run before made it, and could not push
		hash, message, err := c.repository.Last()
		if err != nil || !strings.Contains(message, "\n"+versionTrailer+": ") {
			return failed
		}
		undo = []string{hash}
	}
	caught, err := c.repository.CatchUpAll(ctx, undo, gitrepo.PushOptions{Branch: c.o.branch})
	if errors.Is(err, gitrepo.ErrUnchanged) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w\n%w", failed, err)
	}
	fmt.Fprintf(c.err, "others have pushed meanwhile: took over %.12s (%s here), took our commit back, and do it again\n", caught.Hash, text.Count(len(caught.Changed), "file"))
	return nil
}
