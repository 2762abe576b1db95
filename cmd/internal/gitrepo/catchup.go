package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/render"
)

// CaughtUp is what a branch was caught up with.
type CaughtUp struct {
	Hash string // the commit that the branch is at now, in hexadecimal
	// Changed is the files of the working tree that were written or removed, with
	// their paths in the repository, sorted. Names may hold control characters.
	Changed []string
}

// CatchUpError is why a checkout cannot take over what others have pushed.
// Branch, index and files are as they were.
type CatchUpError struct {
	sentence string
	files    []*PathError
}

func (e *CatchUpError) Error() string {
	const most = 5
	var lines []string
	for i, file := range e.files {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(e.files)-most))
			break
		}
		lines = append(lines, render.Visible(strings.ToValidUTF8(file.Error(), "�")))
	}
	text := "cannot take over what others have pushed: " + e.sentence
	if len(lines) > 0 {
		text += ": " + strings.Join(lines, "; ")
	}
	return text
}

// Paths names the files that are in the way, sorted; there may be none.
func (e *CatchUpError) Paths() []string {
	var names []string
	for _, file := range e.files {
		names = append(names, file.Path)
	}
	return names
}

// CatchUp takes back a commit that could not be pushed, because others were
// faster, and takes over what they have pushed: what git fetch and git reset
// --keep do. Undo is the commit, in hexadecimal: HEAD's branch must be at it, and
// its parent must be on the server's branch. What the user has staged and edited
// in files that others have not changed stays as it is. The options are those of
// the push.
//
// [ErrUnchanged] says that the server's branch has the commit already. A
// [CatchUpError] says what is in the way; then, and after a [RemoteError], a
// [MovedError], a [LockedError] or an [IndexError], nothing is changed, but for
// what git fetch changes.
//
// The order is git's: the files, the index, the branch. Killed on the way, files
// of others look edited. What is under way is noted before that, and [Local.Resume]
// finishes it; so does the next CatchUp of the same commit.
func (l *Local) CatchUp(ctx context.Context, undo string, o PushOptions) (CaughtUp, error) {
	return l.CatchUpAll(ctx, []string{undo}, o)
}

// CatchUpAll is [Local.CatchUp] for several commits that could not be pushed, the
// oldest first, each of them the only parent of the next.
func (l *Local) CatchUpAll(ctx context.Context, undo []string, o PushOptions) (CaughtUp, error) {
	if done, err := l.Resume(ctx); !errors.Is(err, ErrUnchanged) {
		return done, err
	}
	head, parent, err := l.undoable(undo)
	if err != nil {
		return CaughtUp{}, err
	}
	to, err := l.destination(ctx, head, o)
	if err != nil {
		return CaughtUp{}, err
	}
	tip, err := l.fetchTip(ctx, to, parent)
	if err != nil {
		return CaughtUp{}, err
	}
	if err := l.only(tip, parent, head.hash, to.branch); err != nil {
		return CaughtUp{}, err
	}
	return l.resetKeep(ctx, catchUp{head, tip})
}

// undoable gives where HEAD is, and what the oldest of the commits is on top of.
func (l *Local) undoable(undo []string) (headOf, plumbing.Hash, error) {
	refuse := func(format string, args ...any) (headOf, plumbing.Hash, error) {
		return headOf{}, plumbing.ZeroHash, &CatchUpError{sentence: fmt.Sprintf(format, args...)}
	}
	head, err := l.head()
	if err != nil {
		return refuse("%v", err)
	}
	switch {
	case head.ref == "":
		return refuse("HEAD is detached")
	case l.promised():
		return refuse("the repository is a partial clone")
	}
	if err := l.underWay(); err != nil {
		return refuse("%v", err)
	}
	storage := l.storage()
	defer storage.Close()
	at := head.hash
	for _, name := range slices.Backward(undo) {
		if at != plumbing.NewHash(name) {
			return refuse("the commit %s is not the last one of %s any more", render.Visible(clip(name)), head.branch())
		}
		commit, err := readCommit(storage, at)
		if err != nil {
			return refuse("%v", err)
		}
		if len(commit.parents) != 1 {
			return refuse("the commit %s has %d parents", at, len(commit.parents))
		}
		at = commit.parents[0]
	}
	return head, at, nil
}

// promised reports whether the repository is a partial clone: it lacks objects,
// and nothing that comes into it tells git which of them it may lack.
func (l *Local) promised() bool {
	for key := range l.config {
		if strings.HasPrefix(key, "remote.") && strings.HasSuffix(key, ".promisor") && l.config.boolean(key, false) {
			return true
		}
	}
	return l.config.get("extensions.partialclone") != ""
}

// only makes sure that nothing but the commit that is taken back is missing on
// the server.
func (l *Local) only(tip, parent, undo plumbing.Hash, branch string) error {
	storage := l.storage()
	defer storage.Close()
	ends := endsOf(storage)
	if arrived, err := leadsTo(storage, ends, undo, tip); err != nil || arrived {
		return firstError(err, ErrUnchanged)
	}
	pushed, err := leadsTo(storage, ends, parent, tip)
	if err == nil && !pushed {
		err = &CatchUpError{sentence: fmt.Sprintf("%s there lacks the commit %s: other commits of this branch are not pushed either, or somebody made that one anew", branch, parent)}
	}
	return err
}

// catchUp is a branch that is taken to another commit.
type catchUp struct {
	from headOf
	to   plumbing.Hash
}

// resetKeep takes branch, index and working tree from one commit to another.
func (l *Local) resetKeep(ctx context.Context, u catchUp) (CaughtUp, error) {
	held, err := l.acquire(ctx, filepath.Join(l.gitDir, "index"), indexPatience)
	if err != nil {
		return CaughtUp{}, err
	}
	defer held.release()
	l.sweep()
	branch, err := l.holdHead(ctx, u.from)
	if err != nil {
		return CaughtUp{}, err
	}
	defer branch.release()
	storage := l.storage()
	defer storage.Close()
	c, err := l.newCheckout(storage, u.from.hash, u.to)
	if c != nil {
		defer c.close()
	}
	if err == nil {
		err = errors.Join(c.refused(), ctx.Err())
	}
	if err != nil {
		return CaughtUp{}, err
	}
	return CaughtUp{u.to.String(), c.changed()}, l.carryOut(branch, u, c)
}

// carryOut changes files, index and branch, after it was noted what is under
// way. The branch and the index are locked.
func (l *Local) carryOut(branch *lock, u catchUp, c *checkout) error {
	note := fmt.Sprintf("%s %s %s\n", u.from.hash, u.to, u.from.ref)
	if err := l.replace(l.gitDir, l.noteName(), []byte(note)); err != nil {
		return err
	}
	c.sweepHalfFiles()
	if err := c.apply(); err != nil {
		return fmt.Errorf("take over what others have pushed: a part is done, and running it again goes on: %w", err)
	}
	if err := l.replace(l.gitDir, filepath.Join(l.gitDir, "ORIG_HEAD"), []byte(u.from.hash.String()+"\n")); err != nil {
		return err
	}
	by := ""
	if who, err := l.who.of("committer"); err == nil {
		by = who.line()
	}
	if err := l.advanceHeld(branch, move{u.from, u.to, by, "reset: moving to " + u.to.String()}); err != nil {
		return err
	}
	return l.forget()
}

// noteName is the file that says what is under way: from, to and the branch.
func (l *Local) noteName() string { return filepath.Join(l.gitDir, "pm-gitops-catch-up") }

func (l *Local) forget() error {
	if err := os.Remove(l.noteName()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", l.noteName(), reason(err))
	}
	return nil
}

// Resume finishes a [Local.CatchUp] whose process died, without asking the
// server. It is to be called before anything is read from the working tree that
// a commit is made of. [ErrUnchanged] says that there is nothing to finish: also
// where the branch was moved since. Other errors are those of CatchUp.
func (l *Local) Resume(ctx context.Context) (CaughtUp, error) {
	content, err := os.ReadFile(l.noteName())
	if errors.Is(err, fs.ErrNotExist) {
		return CaughtUp{}, ErrUnchanged
	}
	if err != nil {
		return CaughtUp{}, fmt.Errorf("read %s: %w", l.noteName(), reason(err))
	}
	words := strings.Fields(string(content))
	head, err := l.head()
	if err != nil {
		return CaughtUp{}, err
	}
	if len(words) != 3 || words[2] != head.ref || words[0] != head.hash.String() || !plumbing.IsHash(words[1]) {
		return CaughtUp{}, errors.Join(ErrUnchanged, l.forget())
	}
	done, err := l.resetKeep(ctx, catchUp{head, plumbing.NewHash(words[1])})
	var moved *MovedError
	if errors.As(err, &moved) { // another process was at it, and is done
		err = ErrUnchanged
	}
	return done, err
}
