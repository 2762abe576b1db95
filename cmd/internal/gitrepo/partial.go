package gitrepo

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
)

// partialClone has git fetch the objects that a clone left out, as git does for its own
// commands. They stay in the clone. https://git-scm.com/docs/partial-clone
type partialClone struct {
	local   *Local
	remotes []string // that promised the objects
	storage *filesystem.Storage
}

// partialClone returns nil where a repository has all objects, or git is not there to
// fetch them. The storage sees those that come.
func (l *Local) partialClone(storage *filesystem.Storage) *partialClone {
	var remotes []string
	for _, remote := range l.config.Sub("remote", "promisor") {
		if l.config.Bool("remote."+remote.Key+".promisor", false) && !slices.Contains(remotes, remote.Key) {
			remotes = append(remotes, remote.Key)
		}
	}
	if name := l.config.Get("extensions.partialclone"); name != "" && !slices.Contains(remotes, name) {
		remotes = append(remotes, name)
	}
	if l.git == nil || len(remotes) == 0 {
		return nil
	}
	return &partialClone{l, remotes, storage}
}

// fetch fetches those of some objects that are not here, in one request. With a folder
// come the folders in it.
func (p *partialClone) fetch(ctx context.Context, hashes []plumbing.Hash) error {
	var missing []plumbing.Hash
	for _, hash := range hashes {
		if _, err := p.storage.EncodedObject(plumbing.AnyObject, hash); err != nil && !slices.Contains(missing, hash) {
			missing = append(missing, hash)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	defer p.storage.Reindex()
	var err error
	for _, remote := range p.remotes {
		var from *transport.Connection
		url := p.local.fromHere(p.local.config.Get("remote." + remote + ".url"))
		if from, err = transport.Describe(p.local.sys, p.local.config, url, false); err == nil {
			err = from.HaveGitFetch(ctx, p.local.git, remote, missing)
		}
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		err = fmt.Errorf("fetch what this partial clone lacks: %w", err)
	}
	return err
}
