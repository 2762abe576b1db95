package folder

import (
	"io/fs"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Had holds the files that a folder, or a commit, has of some environments.
type Had struct {
	// Tree is every file that [Write] would replace, leave as it is or remove.
	Tree tree.Tree
	// Refusals is why Write would want force, without what a person changed:
	// a [MoveError], [TargetError] or [DuplicateReleaseError].
	Refusals []error
	// Others is the environments beside them, for the same targets.
	Others []string
}

// Before gives what files, of a folder or of a commit, have in the place of trees
// that render.Render made, each of another environment. Nothing is written. A [PathError] is one
// here too: everything would seem new.
func Before(files fs.FS, layouts tree.Layouts, trees []tree.Tree) (Had, error) {
	writes, err := writesOf(trees)
	if err != nil {
		return Had{}, err
	}
	known, err := readInventories(files, layouts, writes, false)
	if err != nil {
		return Had{}, err
	}
	if err := known.findElsewhere(files, writes); err != nil {
		return Had{}, err
	}
	s := newStep(files, known, true)
	s.findStale(writes)
	had := Had{Tree: tree.Tree{}, Refusals: known.findRefusals(writes), Others: known.findBeside(writes)}
	names := s.changes.Removed
	for _, tree := range trees {
		names = append(names, tree.Paths()...)
	}
	for _, name := range names {
		if _, done := had.Tree[name]; done {
			continue // trees share files
		}
		content, found, err := s.read(name)
		switch {
		case err != nil:
			s.failures = append(s.failures, err)
		case found:
			had.Tree[name] = asWritten(content)
		}
	}
	return had, s.err()
}
