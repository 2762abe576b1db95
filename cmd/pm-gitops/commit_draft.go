package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// job is what is to be done to a folder and to commits.
type job interface {
	// draft says what has to become of files: a draft for each commit.
	draft(files fs.FS, force bool) ([]draft, error)
	// write does it to a folder.
	write(root *os.Root, force bool) (folder.Changes, error)
	// likely is the files that will be there.
	likely() []tree.Tree
	// inventories is where those of its environments are, or will be.
	inventories(files fs.FS) ([]string, error)
}

// draft is a commit that is to be made.
type draft struct {
	what         string // the environments that it is about, and what is done to them
	environments []changed
	tree         tree.Tree // what may have to be written
	plan         string    // the digest of what was rendered; empty for a removal
}

// changed is what becomes of an environment.
type changed struct {
	environment string
	folder.Changes
}

// all is the changes of all environments.
func (d draft) all() folder.Changes {
	var all folder.Changes
	for _, one := range d.environments {
		all.Created = append(all.Created, one.Created...)
		all.Updated = append(all.Updated, one.Updated...)
		all.Removed = append(all.Removed, one.Removed...)
		all.Unchanged += one.Unchanged
		all.Others = one.Others
	}
	for _, list := range [][]string{all.Created, all.Updated, all.Removed} {
		slices.Sort(list)
	}
	return all
}

// changes is what of a commit's files is written and removed.
func (d draft) changes() gitrepo.Changes {
	all := d.all()
	changes := gitrepo.Changes{Write: tree.Tree{}, Remove: all.Removed}
	for _, name := range slices.Concat(all.Created, all.Updated) {
		changes.Write[name] = d.tree[name]
	}
	return changes
}

// rendered is the job of putting environments there that were rendered.
type rendered struct {
	fleet   []fleet.Member
	target  string
	per     string
	layouts tree.Layouts
}

func (r rendered) likely() []tree.Tree { return treesOf(r.fleet) }

func (r rendered) inventories(fs.FS) ([]string, error) {
	var names []string
	for _, files := range r.likely() {
		for name := range files {
			if path.Base(path.Dir(name)) == tree.InventoryFolder {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

func (r rendered) write(root *os.Root, force bool) (folder.Changes, error) {
	return folder.Write(root, r.layouts, r.likely(), force)
}

func (r rendered) draft(files fs.FS, force bool) ([]draft, error) {
	each, err := folder.CompareEach(files, r.layouts, r.likely(), force)
	if err != nil {
		return nil, err
	}
	var drafts []draft
	whole := draft{what: fmt.Sprintf("render %d environments for %s", len(r.fleet), r.target), tree: tree.Tree{}}
	for i, m := range r.fleet {
		rendering := m.Rendering
		one := changed{rendering.Environment, each[i]}
		drafts = append(drafts, draft{"render for " + r.target, []changed{one}, rendering.Tree, rendering.Tree.Digest()})
		whole.environments = append(whole.environments, one)
		maps.Copy(whole.tree, rendering.Tree)
	}
	if len(drafts) == 1 || r.per == "environment" {
		return drafts, nil
	}
	whole.plan = whole.tree.Digest()
	return []draft{whole}, nil
}

// removal is the job of taking an environment out.
type removal struct {
	environment string
	place       string // where it is looked for, for errors
	had         tree.Inventory
	emptied     []string // the folders of clusters that nothing is left in
	committed   bool     // a commit has it
	layouts     tree.Layouts
}

func (r *removal) likely() []tree.Tree { return nil }

func (r *removal) inventories(files fs.FS) ([]string, error) {
	name, err := r.find(files)
	return []string{name}, err
}

func (r *removal) write(root *os.Root, force bool) (folder.Changes, error) {
	inventory, err := r.find(root.FS())
	if r.committed && errors.Is(err, errNoEnvironment) {
		return folder.Changes{}, nil // it was taken out of the folder before
	}
	if err != nil {
		return folder.Changes{}, err
	}
	changes, had, err := folder.Remove(root, r.layouts, inventory, force)
	r.note(root.FS(), had, changes)
	return changes, err
}

// try takes the environment out of a folder, or in a dry run says what would go.
func (r *removal) try(root *os.Root, o renderOptions) (folder.Changes, error) {
	if !o.dryRun {
		return r.write(root, o.force)
	}
	drafts, err := r.draft(root.FS(), o.force)
	if err != nil {
		return folder.Changes{}, err
	}
	return drafts[0].all(), nil
}

// note keeps what there is to say about a removal.
func (r *removal) note(files fs.FS, had tree.Inventory, changes folder.Changes) {
	r.had, r.emptied = had, nil
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
			r.emptied = append(r.emptied, path.Dir(name))
		}
	}
}

func (r *removal) draft(files fs.FS, force bool) ([]draft, error) {
	inventory, err := r.find(files)
	if err != nil {
		return nil, err
	}
	changes, had, err := folder.CompareRemoval(files, r.layouts, inventory, force)
	r.note(files, had, changes)
	r.committed = true
	changes.Removed = append(changes.Removed, inventory)
	return []draft{{"remove", []changed{{r.environment, changes}}, nil, ""}}, err
}

var errNoEnvironment = errors.New("no environment")

// find is where the environment's inventory is.
func (r *removal) find(files fs.FS) (string, error) {
	all, err := folder.FindAll(files)
	found := all[r.environment]
	switch {
	case err != nil:
		return "", fmt.Errorf("look for environment %s: %w", r.environment, err)
	case len(found) == 0:
		return "", fmt.Errorf("%s has %w %q%s", r.place, errNoEnvironment, r.environment, text.Suggest(r.environment, slices.Sorted(maps.Keys(all))))
	case len(found) > 1:
		return "", fmt.Errorf("%s has environment %q more than once: %s", r.place, r.environment, strings.Join(found, ", "))
	}
	return found[0], nil
}
