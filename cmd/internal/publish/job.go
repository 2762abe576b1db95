package publish

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Job is a change of files: [Rendered] or a [Removal].
type Job interface {
	// drafts finds out what has to become of files: a draft for each commit.
	drafts(files fs.FS, force bool) ([]Draft, error)
	// compare finds out what write would do.
	compare(files fs.FS, force bool) (folder.Changes, error)
	// write does it to a folder.
	write(ctx context.Context, root *os.Root, force bool) (folder.Changes, error)
	// trees gives the files that will be there.
	trees() []tree.Tree
	// inventories finds where those of its environments are, or will be.
	inventories(files fs.FS) ([]string, error)
	// warnings gives what is suspicious in its environments, and in files and top, as
	// in [Unread].
	warnings(files fs.FS, top string) render.Problems
	// removed gives what was taken out, nil if nothing is.
	removed() *Removed
}

// Draft is a commit that is to be made.
type Draft struct {
	Environments []Changed

	what string    // is done to them
	tree tree.Tree // what may have to be written
	plan string    // the digest of what was rendered; empty for a removal
}

// Changed is an environment with the changes of its files.
type Changed struct {
	Environment string
	folder.Changes
	Versions []Version // that it changes: charts, then images
}

// All gives the changes of all environments.
func (d Draft) All() folder.Changes {
	var all folder.Changes
	for _, one := range d.Environments {
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

// changes gives what of a commit's files is written and removed.
func (d Draft) changes() gitrepo.Changes {
	all := d.All()
	changes := gitrepo.Changes{Write: tree.Tree{}, Remove: all.Removed}
	for _, name := range slices.Concat(all.Created, all.Updated) {
		changes.Write[name] = d.tree[name]
	}
	return changes
}

// Rendered is the job of putting environments there that were rendered.
type Rendered struct {
	Members        []fleet.Member
	Layouts        tree.Layouts // of the targets that are known
	PerEnvironment bool         // a commit for each environment, and not one for all
	// Sources are the files that each member was made from, by their paths in the
	// repository, as [fleet.Sources] gives them: the commit has those too that differ from
	// the base. They are in no inventory, nothing takes them out, and nothing writes them
	// into a folder. Nil for a commit of what was rendered alone. What several members
	// share is in the first commit that has one of them.
	Sources []tree.Tree
}

func (r Rendered) trees() []tree.Tree { return fleet.Trees(r.Members) }

func (r Rendered) warnings(files fs.FS, top string) render.Problems {
	all := Unread(files, top, r.Members)
	for _, m := range r.Members {
		all = append(all, m.Plan.Warnings...)
	}
	return all
}

// targets names the targets of the environments, in the order of the names.
func (r Rendered) targets() []string {
	var names []string
	for _, m := range r.Members {
		names = append(names, m.Plan.Target().Name())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (r Rendered) removed() *Removed { return nil }

func (r Rendered) inventories(fs.FS) ([]string, error) {
	var names []string
	for _, one := range r.trees() {
		for name := range one {
			if tree.IsInventory(name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

func (r Rendered) compare(files fs.FS, force bool) (folder.Changes, error) {
	return folder.Compare(files, r.Layouts, r.trees(), force)
}

func (r Rendered) write(ctx context.Context, root *os.Root, force bool) (folder.Changes, error) {
	return folder.Write(ctx, root, r.Layouts, r.trees(), force)
}

func (r Rendered) drafts(files fs.FS, force bool) ([]Draft, error) {
	each, err := folder.CompareEach(files, r.Layouts, r.trees(), force)
	if err != nil {
		return nil, err
	}
	var drafts []Draft
	whole := Draft{what: fmt.Sprintf("render %d environments for %s", len(r.Members), strings.Join(r.targets(), " and ")), tree: tree.Tree{}}
	for _, m := range r.Members {
		maps.Copy(whole.tree, m.Rendering.Tree)
	}
	whole.plan = whole.tree.Digest()
	for i, m := range r.Members {
		if r.Sources != nil {
			if err := addSources(files, r.Sources[i], &each[i], whole.tree); err != nil {
				return nil, err
			}
		}
		one := Changed{m.Rendering.Environment, each[i], versionsOf(files, m, each[i])}
		drafts = append(drafts, Draft{[]Changed{one}, "render for " + m.Plan.Target().Name(), whole.tree, m.Rendering.Tree.Digest()})
		whole.Environments = append(whole.Environments, one)
	}
	if len(drafts) == 1 || r.PerEnvironment {
		return drafts, nil
	}
	return []Draft{whole}, nil
}
