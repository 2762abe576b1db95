package gitrepo

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// At gives a commit of the repository by its name: HEAD, a branch, a tag,
// origin/main, a hash or the start of one, and HEAD~2 and the like. HEAD of a
// branch that is yet to be born is an empty one. Paths are below the folder that
// was opened. It must be closed.
func (l *Local) At(revision string) (*Base, error) {
	from := l.storage()
	b := &Base{store: from, prefix: l.prefix, folders: map[plumbing.Hash]map[string]object.Entry{}}
	var err error
	if b.commit, err = l.commitAt(from, revision); err == nil {
		b.tree, err = object.TreeOf(from, b.commit)
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
	// go-git takes more than it understands: main@{upstream} is main for it.
	for _, part := range []string{"@{", "^{", ":", "..", " "} {
		if strings.Contains(revision, part) {
			return plumbing.ZeroHash, fmt.Errorf("%q is no name that is understood here: want a branch, a tag, a hash, or one of them with ~1 or ^ behind it; git rev-parse gives the hash of others", text.Clip(revision))
		}
	}
	repository, err := git.Open(from, nil)
	if err != nil {
		return plumbing.ZeroHash, fmt.Errorf("find commit %q: %w", text.Clip(revision), err)
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
	near := text.Nearest(revision, names)
	if shallow, err := from.Shallow(); err == nil && len(shallow) > 0 {
		hint = ": the clone is shallow, git fetch --unshallow gets what is missing of it"
	} else if near != "" && !strings.ContainsAny(revision, "~^") {
		hint = fmt.Sprintf(": did you mean %s?", near)
	}
	return plumbing.ZeroHash, fmt.Errorf("there is no commit %q in %s%s", text.Clip(revision), l.workTree, hint)
}
