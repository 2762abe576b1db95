package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Removal is the job of taking an environment out. A job is for one request.
type Removal struct {
	Environment string
	Place       string       // where it is looked for, for errors
	Layouts     tree.Layouts // of the targets that are known

	found     Removed
	committed bool // a commit has it
}

// Removed is an environment that was taken out.
type Removed struct {
	Inventory tree.Inventory
	Emptied   []string // the folders of clusters that nothing is left in
}

// Make gives the removal as a job, as a [Make] does: each time a new one.
func (r Removal) Make(context.Context, fs.FS) (Job, error) { return &r, nil }

func (r *Removal) trees() []tree.Tree { return nil }

func (r *Removal) warnings(fs.FS, string) render.Problems { return nil }

func (r *Removal) removed() *Removed { return &r.found }

func (r *Removal) inventories(files fs.FS) ([]string, error) {
	name, err := r.find(files)
	return []string{name}, err
}

func (r *Removal) write(ctx context.Context, root *os.Root, force bool) (folder.Changes, error) {
	inventory, err := r.find(root.FS())
	if r.committed && errors.Is(err, errNoEnvironment) {
		return folder.Changes{}, nil // it was taken out of the folder before
	}
	if err != nil {
		return folder.Changes{}, err
	}
	changes, had, err := folder.Remove(ctx, root, r.Layouts, inventory, force)
	r.note(root.FS(), had, changes)
	return changes, err
}

func (r *Removal) compare(files fs.FS, force bool) (folder.Changes, error) {
	inventory, err := r.find(files)
	if err != nil {
		return folder.Changes{}, err
	}
	return r.compareAt(files, inventory, force)
}

// compareAt finds out what becomes of the files of an inventory. A write to a folder
// does not count the inventory itself.
func (r *Removal) compareAt(files fs.FS, inventory string, force bool) (folder.Changes, error) {
	changes, had, err := folder.CompareRemoval(files, r.Layouts, inventory, force)
	r.note(files, had, changes)
	return changes, err
}

// note keeps what there is to say about a removal.
func (r *Removal) note(files fs.FS, had tree.Inventory, changes folder.Changes) {
	r.found = Removed{Inventory: had}
	for name := range had.Files {
		if !strings.HasPrefix(name, "clusters/") {
			continue
		}
		stays := false
		_ = fs.WalkDir(files, path.Dir(name), func(file string, entry fs.DirEntry, err error) error {
			stays = stays || err == nil && !entry.IsDir() && !slices.Contains(changes.Removed, file)
			return err
		})
		if !stays {
			r.found.Emptied = append(r.found.Emptied, path.Dir(name))
		}
	}
}

func (r *Removal) drafts(files fs.FS, force bool) ([]Draft, error) {
	inventory, err := r.find(files)
	if err != nil {
		return nil, err
	}
	changes, err := r.compareAt(files, inventory, force)
	r.committed = true
	changes.Removed = append(changes.Removed, inventory)
	return []Draft{{Environments: []Changed{{Environment: r.Environment, Changes: changes}}, what: "remove"}}, err
}

var errNoEnvironment = errors.New("no environment")

// find looks for the environment's inventory.
func (r *Removal) find(files fs.FS) (string, error) {
	all, err := folder.FindAll(files)
	found := all[r.Environment]
	switch {
	case err != nil:
		return "", fmt.Errorf("look for environment %s: %w", r.Environment, err)
	case len(found) == 0:
		return "", fmt.Errorf("%s has %w %q%s", r.Place, errNoEnvironment, r.Environment, text.Suggest(r.Environment, slices.Sorted(maps.Keys(all))))
	case len(found) > 1:
		return "", fmt.Errorf("%s has environment %q more than once: %s", r.Place, r.Environment, strings.Join(found, ", "))
	}
	return found[0], nil
}
