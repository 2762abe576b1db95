// Package publish puts rendered environments into a folder, a checkout or a
// remote repository, or takes an environment out of it. It prints nothing: an
// [Outcome] says what became of a request, and the caller shows it.
package publish

import (
	"context"
	"os"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// Request says what is published to a checkout or a remote repository, and how.
type Request struct {
	Make Make // what is published

	Force  bool // take files that a person changed, and another target's
	DryRun bool // find out what would be committed, and do nothing
	// KeepGoing publishes the environments that are fine where others failed. Without
	// it a remote repository gets nothing then, and a checkout is not pushed.
	KeepGoing bool

	Branch  string // on the server; empty for the default or upstream branch
	Message string // in place of our own
	Version string // of the program, for the trailer of the message
	Sign    gitrepo.Signing
	System  gitrepo.System

	// Only for a checkout:
	Push  bool
	Files []string // the environment files, to warn of those that are not committed
}

func (r Request) options() gitrepo.CommitOptions { return gitrepo.CommitOptions{Sign: r.Sign} }

// FolderRequest says what is written into a folder, and how.
type FolderRequest struct {
	Job    Job
	Force  bool // take files that a person changed, and another target's
	DryRun bool // find out what would be written, and do nothing
}

// ToFolder writes into a folder, or finds out what would be written. Whatever it
// refuses it refuses before anything is written; the errors are those of the package
// folder.
func ToFolder(ctx context.Context, root *os.Root, r FolderRequest) (folder.Changes, *Removed, error) {
	var changes folder.Changes
	var err error
	if r.DryRun {
		changes, err = r.Job.compare(root.FS(), r.Force)
	} else {
		changes, err = r.Job.write(ctx, root, r.Force)
	}
	return changes, r.Job.removed(), err
}

// Stage says how far a request came before an error.
type Stage int

const (
	Written   Stage = iota + 1 // the files are written, and not committed
	Committed                  // the commits are made, and not pushed
	Waiting                    // nothing was to be committed; commits of earlier runs are not pushed
	Raced                      // the commits are made, and others have pushed meanwhile
)

// StageError is an error with what was done before it.
type StageError struct {
	Stage Stage
	Err   error
}

func (e *StageError) Error() string { return e.Err.Error() }
func (e *StageError) Unwrap() error { return e.Err }
