package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

const (
	// pendingSuffix marks the inventory of a write that is under way, or was
	// when the program died.
	pendingSuffix = ".pending"
	// growingSuffix marks the file that is being written.
	growingSuffix = ".new"
)

// environmentOf names the environment of an inventory file, finished
// or pending; empty if it is none.
func environmentOf(file string) string {
	environment, rest, found := strings.Cut(file, ".json")
	if !found || rest != "" && !strings.HasSuffix(rest, pendingSuffix) {
		return ""
	}
	return environment
}

// inventories says whose the files of a folder are.
type inventories struct {
	layouts tree.Layouts
	force   bool
	// of is the inventories of each environment, the finished one first.
	of map[string][]tree.Inventory
	// leftovers is what writes that died left, by the inventory's path.
	leftovers map[string][]string
	// digests is what was written into each file.
	digests map[string][]string
}

// readInventories reads the inventories beside those that are to be written.
func readInventories(files fs.FS, layouts tree.Layouts, writes []write, force bool) (inventories, error) {
	known := inventories{layouts, force, map[string][]tree.Inventory{}, map[string][]string{}, map[string][]string{}}
	var dirs []string
	for _, w := range writes {
		dirs = append(dirs, path.Dir(w.inventoryPath))
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		entries, err := fs.ReadDir(files, dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return known, fmt.Errorf("read folder %s: %w", dir, reason(err))
		}
		for _, entry := range entries { // NAME.json sorts before NAME.json.….pending
			if err := known.read(files, dir, entry.Name()); err != nil {
				return known, err
			}
		}
	}
	return known, known.unknown(writes)
}

// unknown refuses to write or remove an environment that another target has,
// one that is not known. Beside others such an environment keeps its files.
func (known inventories) unknown(writes []write) error {
	var refusals []error
	for _, w := range writes {
		for _, had := range known.of[w.next.Environment] {
			if _, ok := known.layouts[had.Target]; !ok {
				refusals = append(refusals, UnknownTargetError{w.inventoryPath, had.Environment, had.Target})
			}
		}
	}
	return errors.Join(refusals...)
}

// read adds a file of an inventory folder.
func (known inventories) read(files fs.FS, dir, file string) error {
	name, environment := path.Join(dir, file), environmentOf(file)
	if before, _, found := strings.Cut(name, ".json."); found && (strings.HasSuffix(name, pendingSuffix) || strings.HasSuffix(name, growingSuffix)) {
		known.leftovers[before+".json"] = append(known.leftovers[before+".json"], name)
	}
	if environment == "" {
		return nil
	}
	info, err := fs.Lstat(files, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, reason(err))
	}
	data, err := readPlain(files, name, info)
	if err != nil {
		return err
	}
	inventory, err := tree.ParseInventory(data)
	if line, sentence := text.LeftByGit(data); sentence != "" {
		return known.joinSides(dir, name, data, LeftByGitError{Path: name, Line: line, What: sentence})
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return known.add(dir, name, inventory)
}

// joinSides takes both sides of an inventory with a merge conflict, as those of two
// writes, where force says so. A [LeftByGitError] is the answer elsewhere.
func (known inventories) joinSides(dir, name string, data []byte, refused LeftByGitError) error {
	ours, theirs := text.Sides(data)
	for _, side := range [][]byte{ours, theirs} {
		inventory, err := tree.ParseInventory(side)
		if err != nil {
			return refused
		}
		if !known.force {
			refused.Conflict = true
			return refused
		}
		if err := known.add(dir, name, inventory); err != nil {
			return err
		}
	}
	return nil
}

// add adds an inventory.
func (known inventories) add(dir, name string, inventory tree.Inventory) error {
	known.of[inventory.Environment] = append(known.of[inventory.Environment], inventory)
	layout, judged := known.layouts[inventory.Target]
	if !judged {
		return nil
	}
	for file, digest := range inventory.Files {
		if !layout.Owns(path.Dir(dir), inventory.Environment, file) {
			return fmt.Errorf("read %s: it lists %s, which environment %s never writes", name, file, inventory.Environment)
		}
		if !slices.Contains(known.digests[file], digest) {
			known.digests[file] = append(known.digests[file], digest)
		}
	}
	return nil
}

// Find finds the inventories of an environment anywhere below the folder, also
// one of a first write that died before it could put its inventory there.
func Find(files fs.FS, environment string) ([]string, error) {
	found, err := FindAll(files)
	if err != nil {
		return nil, fmt.Errorf("look for environment %s: %w", environment, err)
	}
	return found[environment], nil
}

// FindAll finds the inventories of every environment anywhere below the folder,
// as in [Find], by environment.
func FindAll(files fs.FS) (map[string][]string, error) {
	found := map[string][]string{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		environment := environmentOf(path.Base(name))
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case environment != "" && path.Base(path.Dir(name)) == tree.InventoryFolder:
			inventory := path.Join(path.Dir(name), environment+".json")
			if !slices.Contains(found[environment], inventory) {
				found[environment] = append(found[environment], inventory)
			}
		}
		return nil
	})
	return found, err
}

// writesOf finds the inventories in trees.
func writesOf(trees []tree.Tree) ([]write, error) {
	var writes []write
	for _, files := range trees {
		w := write{tree: files}
		for name := range files {
			if tree.IsInventory(name) {
				w.inventoryPath = name
			}
		}
		var err error
		if w.next, err = tree.ParseInventory(files[w.inventoryPath]); err != nil {
			return nil, fmt.Errorf("a tree without inventory: %w", err)
		}
		writes = append(writes, w)
	}
	return writes, nil
}

// wanted gives the files that some environment has once the writes are done.
func (known inventories) wanted(writes []write) map[string]bool {
	wanted, written := map[string]bool{}, map[string]bool{}
	for _, w := range writes {
		written[w.next.Environment] = true
		for name := range w.next.Files {
			wanted[name] = true
		}
	}
	for environment, inventories := range known.of {
		if written[environment] {
			continue
		}
		for _, inventory := range inventories {
			for name := range inventory.Files {
				wanted[name] = true
			}
		}
	}
	return wanted
}

// wrote reports whether we wrote this very content.
func (known inventories) wrote(name, digest string) bool {
	return slices.Contains(known.digests[name], digest)
}

// lists reports whether the file is one of ours, whatever is in it.
func (known inventories) lists(name string) bool { return known.digests[name] != nil }
