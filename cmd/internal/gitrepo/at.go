package gitrepo

import (
	"fmt"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage"

	"github.com/pm-gitops/pm-gitops/render"
)

// At gives a commit of the repository by its name, as git rev-parse takes it:
// HEAD, a branch, a tag, origin/main, HEAD~2, a hash or the start of one. HEAD of a
// branch that is yet to be born is an empty one. Paths are below the folder that
// was opened. It must be closed.
func (l *Local) At(revision string) (*Base, error) {
	from := l.storage()
	b := &Base{here: from, prefix: l.prefix, folders: map[plumbing.Hash]map[string]object.TreeEntry{}}
	var err error
	if b.commit, err = l.commitAt(from, revision); err == nil {
		b.tree, err = treeOf(from, b.commit)
	}
	if err != nil {
		from.Close()
		return nil, err
	}
	return b, nil
}

func (l *Local) commitAt(from storage.Storer, revision string) (plumbing.Hash, error) {
	if revision == "HEAD" {
		head, err := l.head()
		return head.hash, err
	}
	repository, err := git.Open(from, nil)
	if err != nil {
		return plumbing.ZeroHash, fmt.Errorf("find commit %q: %w", clip(revision), err)
	}
	if hash, err := repository.ResolveRevision(plumbing.Revision(revision)); err == nil {
		if _, err := repository.CommitObject(*hash); err == nil {
			return *hash, nil
		}
	}
	var names []string
	if references, err := from.IterReferences(); err == nil {
		_ = references.ForEach(func(reference *plumbing.Reference) error {
			names = append(names, reference.Name().Short())
			return nil
		})
	}
	hint := ""
	if near := render.Nearest(revision, names); near != "" {
		hint = fmt.Sprintf(": did you mean %s?", near)
	} else if shallow, err := from.Shallow(); err == nil && len(shallow) > 0 {
		hint = ": the clone is shallow (git fetch --depth=1 origin BRANCH gets a branch)"
	}
	return plumbing.ZeroHash, fmt.Errorf("there is no commit %q in %s%s", clip(revision), l.workTree, hint)
}
