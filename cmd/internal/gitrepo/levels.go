package gitrepo

import (
	"iter"
	"maps"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

// levels goes down the folders of a base that an edit is about. All folders that
// are equally deep are read at once.
func (e *edit) levels(base plumbing.Hash, read func([]plumbing.Hash) ([][]object.Entry, error)) error {
	if base.IsZero() {
		return nil
	}
	hashes, edits := []plumbing.Hash{base}, map[plumbing.Hash][]*edit{base: {e}}
	for len(hashes) > 0 {
		folders, err := read(hashes)
		if err != nil {
			return err
		}
		var below []plumbing.Hash
		editsBelow := map[plumbing.Hash][]*edit{}
		for i, hash := range hashes {
			for _, deeper := range deeper(edits[hash], folders[i]) {
				if editsBelow[deeper.hash] == nil {
					below = append(below, deeper.hash)
				}
				editsBelow[deeper.hash] = append(editsBelow[deeper.hash], deeper.edit)
			}
		}
		hashes, edits = below, editsBelow
	}
	return nil
}

// edited is a folder, and what is to become of it.
type edited struct {
	hash plumbing.Hash
	edit *edit
}

// deeper is the folders in a folder that edits are about. Several places of a
// base may have the same folder, and an edit each.
func deeper(edits []*edit, folder []object.Entry) (found []edited) {
	for _, entry := range folder {
		for _, e := range edits {
			if inside := e.folders[entry.Name]; inside != nil && entry.Mode == filemode.Dir {
				found = append(found, edited{entry.Hash, inside})
			}
		}
	}
	return found
}

// readFolders reads folders of a commit, several at a time.
func readFolders(from object.Store, hashes []plumbing.Hash) ([][]object.Entry, error) {
	folders, problems := make([][]object.Entry, len(hashes)), make([]error, len(hashes))
	parallel.Share(len(hashes), func(mine iter.Seq[int]) {
		for i := range mine {
			folders[i], problems[i] = object.ReadTree(from, hashes[i])
		}
	})
	return folders, firstError(problems...)
}

// apart takes the entries that an edit is about out of a folder.
func (e *edit) apart(all []object.Entry) (kept []object.Entry, ours map[string]object.Entry) {
	kept, ours = make([]object.Entry, 0, len(all)), map[string]object.Entry{}
	for _, entry := range all {
		_, file := e.files[entry.Name]
		if file || e.folders[entry.Name] != nil {
			ours[entry.Name] = entry
		} else {
			kept = append(kept, entry)
		}
	}
	return kept, ours
}

// together puts entries of ours among those of others.
func together(kept []object.Entry, ours map[string]object.Entry) []object.Entry {
	sorted := slices.SortedFunc(maps.Values(ours), object.CompareEntries)
	all := make([]object.Entry, 0, len(kept)+len(sorted))
	for _, entry := range kept {
		for len(sorted) > 0 && object.CompareEntries(sorted[0], entry) < 0 {
			all, sorted = append(all, sorted[0]), sorted[1:]
		}
		all = append(all, entry)
	}
	return append(all, sorted...)
}
