package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// pendingSuffix marks the inventory of a write that is under way, or was when
// the program died.
const pendingSuffix = ".pending"

func pendingOf(inventoryPath string) string { return inventoryPath + pendingSuffix }

// inventories is what is known of the files of a folder: by environment, the
// inventories that name them, the finished one first.
type inventories map[string][]render.Inventory

func readInventories(root *os.Root, dir string) (inventories, error) {
	known := inventories{}
	entries, err := fs.ReadDir(root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read folder %s: %w", dir, reason(err))
	}
	for _, entry := range entries { // NAME.json sorts before NAME.json.pending
		if !strings.HasSuffix(strings.TrimSuffix(entry.Name(), pendingSuffix), ".json") {
			continue
		}
		name := path.Join(dir, entry.Name())
		data, err := root.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, reason(err))
		}
		inventory, err := render.ParseInventory(data)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		known[inventory.Environment] = append(known[inventory.Environment], inventory)
	}
	return known, nil
}

// allows refuses what a person must say twice: another target for an
// environment, and another place for a protected release.
func (known inventories) allows(next render.Inventory, force bool) error {
	if force {
		return nil
	}
	for _, inventory := range known[next.Environment] {
		if inventory.Target != next.Target {
			return TargetError{next.Environment, inventory.Target, next.Target}
		}
		for _, release := range slices.Sorted(maps.Keys(next.Releases)) {
			if old, ok := inventory.Releases[release]; ok && old != next.Releases[release] {
				return MoveError{release, old, next.Releases[release]}
			}
		}
	}
	return nil
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
		if other != environment && known.filesOf(other)[name] {
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
