package gitrepo

import (
	"cmp"
	"context"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// OpenRemote looks for credentials for a URL of https, ssh or file; nothing is
// asked of the server yet. Errors are a [transport.Error].
func OpenRemote(ctx context.Context, sys System, url string, o RemoteOptions) (*Remote, error) {
	git := settings.FindGit(sys, "")
	config, err := settings.ReadConfig(sys, git, "")
	if err != nil {
		return nil, err
	}
	return openRemote(ctx, &settings.Identities{Sys: sys, Git: git, Config: config}, url, o)
}

// Remote opens a branch of the repository that HEAD's branch is pushed to, with the
// identity and the logins of the checkout. Several such repositories are an error.
func (l *Local) Remote(ctx context.Context, o RemoteOptions) (*Remote, error) {
	urls, err := l.pushURLs()
	switch {
	case err != nil:
		return nil, err
	case len(urls) > 1:
		return nil, transport.Errorf(transport.Misconfigured, "git push goes to %d repositories, and a branch that is not checked out to one: name it with --repo", len(urls))
	}
	return openRemote(ctx, l.who, urls[0], o)
}

func openRemote(ctx context.Context, who *settings.Identities, url string, o RemoteOptions) (*Remote, error) {
	for _, name := range []*string{&o.Branch, &o.From} {
		var err error
		if *name, err = branchName(*name); err != nil {
			return nil, err
		}
	}
	conn, err := transport.Open(ctx, who.Sys, who.Config, url)
	if err != nil {
		return nil, err
	}
	return &Remote{sys: who.Sys, connection: conn, config: who.Config, who: who, branch: o.Branch, from: o.From}, nil
}

// Branch returns the branch of a [Remote] whose newest commit it is; empty of a [Local].
func (b *Base) Branch() string { return b.branch }

// Message returns what the commit says; empty of one that is yet to be born.
func (b *Base) Message() (string, error) {
	if b.commit.IsZero() {
		return "", nil
	}
	commit, err := object.ReadCommit(b.store, b.commit)
	return commit.Message, err
}

// At returns a commit by the name of its branch or by its whole hash, the newest of the
// default branch if the revision is empty. Not every server gives a commit that no branch
// ends at.
func (r *Remote) At(ctx context.Context, revision string) (*Base, error) {
	hash := plumbing.ZeroHash
	if plumbing.IsHash(revision) {
		hash, revision = plumbing.NewHash(revision), ""
	}
	branch, err := branchName(revision)
	if err != nil {
		return nil, err
	}
	storage := memory.NewStorage()
	b := newBase(storage, r.connection)
	err = r.connection.Tip(ctx, storage, func(known transport.References) (plumbing.Hash, error) {
		if b.commit = hash; hash.IsZero() {
			b.branch = cmp.Or(branch, known.Head, "main")
			b.commit = known.Branch(b.branch)
		}
		if b.commit.IsZero() {
			return b.commit, transport.Errorf(transport.NoBranch, "%s has no branch %s%s", r.connection.URL(), b.branch, didYouMean(b.branch, known))
		}
		return b.commit, nil
	})
	if err == nil {
		b.tree, err = object.TreeOf(storage, b.commit)
	}
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", cmp.Or(revision, b.commit.String()), err)
	}
	return b, nil
}

func newBase(storage *memory.Storage, connection *transport.Connection) *Base {
	return &Base{store: storage, storage: storage, connection: connection, folders: map[plumbing.Hash]map[string]object.Entry{}}
}

// didYouMean names the branch whose name is close to one that is not there.
func didYouMean(branch string, known transport.References) string {
	if near := text.Nearest(branch, known.Branches()); near != "" {
		return fmt.Sprintf(": did you mean %s?", near)
	}
	return ""
}
