package gitrepo

import (
	"iter"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// levels goes down the folders of a base that an edit is about. All folders that
// are equally deep are read at once.
func (e *edit) levels(base plumbing.Hash, read func([]plumbing.Hash) ([][]object.TreeEntry, error)) error {
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
func deeper(edits []*edit, folder []object.TreeEntry) (found []edited) {
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
func readFolders(from store, hashes []plumbing.Hash) ([][]object.TreeEntry, error) {
	folders, problems := make([][]object.TreeEntry, len(hashes)), make([]error, len(hashes))
	sideBySide(len(hashes), func(mine iter.Seq[int]) {
		for i := range mine {
			folders[i], problems[i] = readFolder(from, hashes[i])
		}
	})
	return folders, firstError(problems...)
}
