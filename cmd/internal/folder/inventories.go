package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

const (
	// pendingSuffix marks the inventory of a write that is under way, or was
	// when the program died.
	pendingSuffix = ".pending"
	// growingSuffix marks the file that is being written.
	growingSuffix = ".new"
)

// pendingOf is where the inventory of a write lies until the write is done.
// Each has its own, since the writes before it may have died as well.
func pendingOf(inventoryPath string, content []byte) string {
	return inventoryPath + "." + strings.TrimPrefix(render.Digest(content), "sha256:")[:12] + pendingSuffix
}

// environmentOf is whose inventory a file in the inventory folder is, finished
// or pending; empty if it is none.
func environmentOf(file string) string {
	environment, rest, found := strings.Cut(file, ".json")
	if !found || rest != "" && !strings.HasSuffix(rest, pendingSuffix) {
		return ""
	}
	return environment
}

// inventories is what is known of the files of a folder: by environment, the
// inventories that name them, the finished one first.
type inventories map[string][]render.Inventory

// readInventories reads the inventories beside one, and finds what writes that
// died left of it.
func readInventories(root *os.Root, inventoryPath string) (known inventories, leftovers []string, err error) {
	known = inventories{}
	dir := path.Dir(inventoryPath)
	entries, err := fs.ReadDir(root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read folder %s: %w", dir, reason(err))
	}
	for _, entry := range entries { // NAME.json sorts before NAME.json.….pending
		name := path.Join(dir, entry.Name())
		if rest, beside := strings.CutPrefix(name, inventoryPath); beside && (strings.HasSuffix(rest, pendingSuffix) || rest == growingSuffix) {
			leftovers = append(leftovers, name)
		}
		if environmentOf(entry.Name()) == "" {
			continue
		}
		data, err := root.ReadFile(name)
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", name, reason(err))
		}
		inventory, err := render.ParseInventory(data)
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", name, err)
		}
		for file := range inventory.Files {
			if !inventory.Owns(path.Dir(dir), file) {
				return nil, nil, fmt.Errorf("read %s: it lists %s, which environment %s never writes", name, file, inventory.Environment)
			}
		}
		known[inventory.Environment] = append(known[inventory.Environment], inventory)
	}
	return known, leftovers, nil
}

// Find is the inventories of an environment anywhere below the folder, also
// one of a first write that died before it could put its inventory there.
func Find(root *os.Root, environment string) ([]string, error) {
	var found []string
	err := fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case environmentOf(entry.Name()) == environment && path.Base(path.Dir(name)) == render.InventoryFolder:
			found = append(found, path.Join(path.Dir(name), environment+".json"))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for environment %s: %w", environment, err)
	}
	return slices.Compact(found), nil
}

// inventoryOf finds the inventory in a tree.
func inventoryOf(tree render.Tree) (string, render.Inventory, error) {
	for _, name := range tree.Paths() {
		if path.Base(path.Dir(name)) == render.InventoryFolder {
			inventory, err := render.ParseInventory(tree[name])
			return name, inventory, err
		}
	}
	return "", render.Inventory{}, errors.New("the tree has no inventory")
}

// filesOf is every file that an environment wrote.
func (known inventories) filesOf(environment string) map[string]bool {
	files := map[string]bool{}
	for _, inventory := range known[environment] {
		for name := range inventory.Files {
			files[name] = true
		}
	}
	return files
}

// sharedBeyond reports whether another environment has the file too: a base.
func (known inventories) sharedBeyond(environment, name string) bool {
	for other := range known {
		has := func(i render.Inventory) bool { return i.Files[name] != "" }
		if other != environment && slices.ContainsFunc(known[other], has) {
			return true
		}
	}
	return false
}

// wrote reports whether we wrote this very content.
func (known inventories) wrote(name, digest string) bool {
	return known.any(func(i render.Inventory) bool { return i.Files[name] == digest })
}

// lists reports whether the file is one of ours, whatever is in it.
func (known inventories) lists(name string) bool {
	return known.any(func(i render.Inventory) bool { return i.Files[name] != "" })
}

func (known inventories) any(is func(render.Inventory) bool) bool {
	for _, of := range known {
		if slices.ContainsFunc(of, is) {
			return true
		}
	}
	return false
}
