package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// MovedError is that a branch is no longer where it was read.
type MovedError struct{ Ref string }

func (e *MovedError) Error() string {
	return fmt.Sprintf("%s was moved by somebody else meanwhile: run it again", e.Ref)
}

// headOf is where HEAD is.
type headOf struct {
	ref  string        // refs/heads/…; empty where HEAD is detached
	hash plumbing.Hash // zero for a branch that is yet to be born
}

func (h headOf) branch() string { return strings.TrimPrefix(h.ref, "refs/heads/") }

// head follows HEAD to a commit. On the way may be symbolic references.
func (l *Local) head() (headOf, error) {
	storage := l.storage()
	defer storage.Close()
	name := plumbing.HEAD
	for range 5 {
		reference, err := storage.Reference(name)
		switch {
		case errors.Is(err, plumbing.ErrReferenceNotFound) && name != plumbing.HEAD:
			return headOf{ref: name.String()}, nil
		case err != nil:
			return headOf{}, fmt.Errorf("read %s: %w", name, settings.Reason(err))
		case reference.Type() == plumbing.SymbolicReference:
			if name = reference.Target(); !name.IsBranch() || !filepath.IsLocal(name.String()) {
				return headOf{}, fmt.Errorf("read HEAD: it is %q, which is no branch", name)
			}
			continue
		case reference.Hash().IsZero():
			return headOf{}, fmt.Errorf("read %s: it is damaged", name)
		case name == plumbing.HEAD:
			return headOf{hash: reference.Hash()}, nil
		}
		return headOf{name.String(), reference.Hash()}, nil
	}
	return headOf{}, fmt.Errorf("read %s: references lead to each other", name)
}

// move is a step of HEAD's branch, or of a detached HEAD.
type move struct {
	from headOf // where it was read
	to   plumbing.Hash
	by   string // who moves it, as reflogs have it
	why  string
}

// advance makes a move, if HEAD's branch, or a detached HEAD, is still where it was
// read, and writes the reflogs as git does.
func (l *Local) advance(ctx context.Context, m move) error {
	file, name := filepath.Join(l.gitDir, "HEAD"), "HEAD"
	if m.from.ref != "" {
		file, name = filepath.Join(l.commonDir, filepath.FromSlash(m.from.ref)), m.from.ref
	}
	if err := l.makeDirs(filepath.Dir(file)); err != nil {
		return fmt.Errorf("move %s: %w (a branch whose name is the start of this one's is in the way)", name, settings.Reason(err))
	}
	held, err := l.acquire(ctx, file, time.Second)
	if err != nil {
		return fmt.Errorf("move %s: %w", name, err)
	}
	defer held.release()
	now, err := l.head()
	if err == nil && now != m.from {
		err = &MovedError{name}
	}
	if err == nil {
		err = l.log(m)
	}
	if err != nil {
		return err
	}
	return l.replace(l.gitDir, held.name, []byte(m.to.String()+"\n"))
}

// log appends to the reflogs of HEAD and of its branch.
func (l *Local) log(m move) error {
	from := m.from
	line := fmt.Sprintf("%s %s %s\t%s\n", from.hash, m.to, m.by, m.why)
	logs := []string{filepath.Join(l.gitDir, "logs", "HEAD")}
	if from.ref != "" {
		logs = append(logs, filepath.Join(l.commonDir, "logs", filepath.FromSlash(from.ref)))
	}
	for _, name := range logs {
		if err := l.appendLog(name, line); err != nil {
			return fmt.Errorf("write the reflog %s: %w", name, settings.Reason(err))
		}
	}
	return nil
}

func (l *Local) appendLog(name, line string) error {
	flags := os.O_WRONLY | os.O_APPEND
	if always := l.config.Get("core.logallrefupdates"); always == "always" || l.config.Bool("core.logallrefupdates", true) {
		if err := l.makeDirs(filepath.Dir(name)); err != nil {
			return err
		}
		flags |= os.O_CREATE
	}
	file, err := os.OpenFile(name, flags, l.shared(0o666))
	if errors.Is(err, fs.ErrNotExist) && flags&os.O_CREATE == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = file.WriteString(line)
	return errors.Join(err, file.Close())
}
