package gitrepo

import (
	"cmp"
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
)

// Tip is the newest commit of a branch.
type Tip struct {
	Hash              string   // in hexadecimal; empty where there is no such branch
	Parents           []string // in hexadecimal
	Message           string
	Author, Committer Signature
}

// Tip asks for the branch's newest commit, without its files. Errors are a [RemoteError].
func (r *Remote) Tip(ctx context.Context) (Tip, error) {
	storage := memory.NewStorage()
	var at plumbing.Hash
	err := r.connection.Commit(ctx, storage, func(known transport.References) plumbing.Hash {
		r.head = cmp.Or(known.Head, "main")
		at = known.Branch(cmp.Or(r.branch, r.head))
		return at
	})
	if err != nil || at.IsZero() {
		return Tip{}, err
	}
	read, err := object.ReadCommit(storage, at)
	if err != nil {
		return Tip{}, err
	}
	tip := Tip{Hash: at.String(), Message: read.Message, Author: Signature(read.Author), Committer: Signature(read.Committer)}
	for _, parent := range read.ParentHashes {
		tip.Parents = append(tip.Parents, parent.String())
	}
	return tip, nil
}

// Default returns the repository's default branch. It is empty until the server was asked
// for something.
func (r *Remote) Default() string { return r.head }

// Identity returns who commits, as Git's configuration and environment say. Errors are
// those of a commit.
func (r *Remote) Identity() (author, committer Signature, err error) { return r.who.Both() }
