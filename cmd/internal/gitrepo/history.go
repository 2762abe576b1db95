package gitrepo

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
)

// Past is a commit in the history of another one.
type Past struct {
	Base *Base
	When time.Time // of its committer
}

// History returns the commits of the base of a [Remote] that first parents lead to, the
// base itself first, then always older ones: as many as depth at most, which are fetched in
// one request, without their files. Whole says that nothing comes before the last of them.
// A server that cannot leave files out of a history is asked for a short one alone: the
// error says so. Other errors are a [RemoteError].
func (b *Base) History(ctx context.Context, depth int) (past []Past, whole bool, err error) {
	if b.commit.IsZero() {
		return nil, true, nil
	}
	if err := b.connection.History(ctx, b.storage, b.commit, depth); err != nil {
		return nil, false, err
	}
	for at := b.commit; len(past) < depth; {
		read, err := object.ReadCommit(b.store, at)
		if err != nil {
			return nil, false, err
		}
		one := &Base{store: b.store, storage: b.storage, connection: b.connection, branch: b.branch, commit: at, folders: map[plumbing.Hash]map[string]object.Entry{}}
		if one.tree, err = object.TreeOf(b.store, at); err != nil {
			return nil, false, err
		}
		past = append(past, Past{one, read.Committer.When})
		if len(read.ParentHashes) == 0 {
			return past, true, nil
		}
		at = read.ParentHashes[0]
	}
	return past, false, nil
}

// FetchPast fetches files of several commits of one [Base.History]: a request for each
// level of their folders, and one for the files. Those that a commit lacks are left out.
func FetchPast(ctx context.Context, past []Past, names ...string) error {
	type place struct {
		at   *Base
		hash plumbing.Hash // of a folder
		rest string        // of the name, from there
	}
	var places []place
	for _, one := range past {
		for _, name := range names {
			if !one.Base.tree.IsZero() {
				places = append(places, place{one.Base, one.Base.tree, path.Clean(name)})
			}
		}
	}
	var files []plumbing.Hash
	for len(places) > 0 {
		folders := make([]plumbing.Hash, len(places))
		for i, p := range places {
			folders[i] = p.hash
		}
		if err := places[0].at.fetch(ctx, folders); err != nil {
			return fmt.Errorf("fetch folders of older commits: %w", err)
		}
		var below []place
		for _, p := range places {
			entries, err := p.at.folder(ctx, p.hash)
			if err != nil {
				return err
			}
			name, rest, deeper := strings.Cut(p.rest, "/")
			entry, found := entries[name]
			switch {
			case found && deeper && entry.Mode == filemode.Dir:
				below = append(below, place{p.at, entry.Hash, rest})
			case found && !deeper && object.IsFile(entry.Mode):
				files = append(files, entry.Hash)
			}
		}
		places = below
	}
	if len(files) == 0 {
		return nil
	}
	if err := past[0].Base.fetch(ctx, files); err != nil {
		return fmt.Errorf("fetch files of older commits: %w", err)
	}
	return nil
}
