package folder

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Compare finds out what [Write] would do to files, such as those of a commit,
// and does nothing. Where they have an Lstat, symbolic links are seen as such. The
// errors are those of Write.
func Compare(files fs.FS, layouts tree.Layouts, trees []tree.Tree, force bool) (Changes, error) {
	s, _, err := compare(files, layouts, trees, force)
	if err != nil {
		return Changes{}, err
	}
	return s.changes, nil
}

// CompareEach compares as [Compare] does, environment by environment, in the order of the trees.
// A file that several share is created or updated by the first of them, and
// removed by the last.
func CompareEach(files fs.FS, layouts tree.Layouts, trees []tree.Tree, force bool) ([]Changes, error) {
	s, writes, err := compare(files, layouts, trees, force)
	if err != nil {
		return nil, err
	}
	each := make([]Changes, len(writes))
	first := map[string]int{}
	for i, w := range slices.Backward(writes) {
		each[i].Unchanged, each[i].Others = len(w.tree), s.changes.Others
		for name := range w.tree {
			first[name] = i
		}
	}
	for _, name := range s.changes.Created {
		each[first[name]].Created = append(each[first[name]].Created, name)
		each[first[name]].Unchanged--
	}
	for _, name := range s.changes.Updated {
		each[first[name]].Updated = append(each[first[name]].Updated, name)
		each[first[name]].Unchanged--
	}
	for _, name := range s.changes.Removed {
		last := 0
		for i, w := range writes {
			if slices.ContainsFunc(s.known.of[w.next.Environment], func(had tree.Inventory) bool { return had.Files[name] != "" }) {
				last = i
			}
		}
		each[last].Removed = append(each[last].Removed, name)
	}
	return each, nil
}

func compare(files fs.FS, layouts tree.Layouts, trees []tree.Tree, force bool) (step, []write, error) {
	writes, err := writesOf(trees)
	if err != nil {
		return step{}, nil, err
	}
	known, err := readInventories(files, layouts, writes, force)
	if err != nil {
		return step{}, nil, err
	}
	if err := known.findElsewhere(files, writes); err != nil {
		return step{}, nil, err
	}
	s := newStep(files, known, force)
	if !force {
		s.refusals = known.findRefusals(writes)
	}
	s.changes.Others = known.findBeside(writes)
	s.compare(trees, writes)
	s.findStale(writes)
	return s, writes, s.err()
}

// CompareRemoval finds out what [Remove] would do to files, and does nothing.
func CompareRemoval(files fs.FS, layouts tree.Layouts, inventoryPath string, force bool) (Changes, tree.Inventory, error) {
	s, had, err := compareRemoval(files, layouts, inventoryPath, force)
	if err != nil {
		return Changes{}, had, err
	}
	return s.changes, had, nil
}

func compareRemoval(files fs.FS, layouts tree.Layouts, inventoryPath string, force bool) (step, tree.Inventory, error) {
	var had tree.Inventory
	gone := []write{{inventoryPath: inventoryPath, next: tree.Inventory{Environment: strings.TrimSuffix(path.Base(inventoryPath), ".json")}}}
	known, err := readInventories(files, layouts, gone, force)
	if err != nil {
		return step{}, had, err
	}
	s := newStep(files, known, force)
	if _, _, err := s.read(inventoryPath); err != nil {
		return s, had, err
	}
	s.findStale(gone)
	s.takeLock(tree.LockPath(path.Dir(path.Dir(inventoryPath)), gone[0].next.Environment))
	if inventories := known.of[gone[0].next.Environment]; inventories != nil {
		had = inventories[0]
	}
	return s, had, s.err()
}

// takeLock takes out the lock of an environment that is removed, if it has one.
func (s *step) takeLock(name string) {
	switch _, found, err := s.read(name); {
	case err != nil:
		s.failures = append(s.failures, err)
	case found:
		s.changes.Removed = append(s.changes.Removed, name)
		slices.Sort(s.changes.Removed)
	}
}
