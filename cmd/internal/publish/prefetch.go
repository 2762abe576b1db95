package publish

import (
	"context"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// fetcher is files that may have to come from a server: several in one request.
type fetcher interface{ Fetch(names ...string) error }

// prefetch fetches what of a commit a job will read, in few requests: the
// inventories, what they list, and what is in the place of its files. It gives
// the commit's files.
func prefetch(ctx context.Context, base *gitrepo.Base, job Job) (fs.FS, error) {
	files := base.FS(ctx, job.trees()...)
	far, is := files.(fetcher)
	if !is || !base.Far() {
		return files, nil
	}
	inventories, err := inventoriesOf(ctx, base, files, job)
	if err != nil {
		return nil, err
	}
	folders := map[string]bool{}
	for _, name := range inventories {
		folders[path.Dir(name)] = true
	}
	var beside []string
	for _, dir := range slices.Sorted(maps.Keys(folders)) {
		inside, err := base.List(ctx, dir)
		if err != nil {
			return nil, err
		}
		beside = append(beside, inside...)
	}
	if err := far.Fetch(beside...); err != nil {
		return nil, err
	}
	trees := job.trees()
	if rendered, is := job.(Rendered); is {
		trees = slices.Concat(trees, rendered.Sources)
	}
	return files, far.Fetch(filesOf(files, inventories, trees)...)
}

// inventoriesOf finds where a job's inventories are. A job that looks for them, or an
// environment that is new, takes a look into all folders: they come at once.
func inventoriesOf(ctx context.Context, base *gitrepo.Base, files fs.FS, job Job) ([]string, error) {
	_, everywhere := job.(*Removal)
	if !everywhere {
		names, err := job.inventories(files)
		for _, name := range names {
			if _, missing := fs.Stat(files, name); missing != nil {
				everywhere = true
			}
		}
		if err != nil || !everywhere {
			return names, err
		}
	}
	if _, err := base.List(ctx, "."); err != nil {
		return nil, err
	}
	return job.inventories(files)
}

// filesOf names what inventories list, and what trees have, sorted.
func filesOf(files fs.FS, inventories []string, trees []tree.Tree) []string {
	var names []string
	for _, name := range inventories {
		// One that is not there is new, or cannot be read: comparing says so.
		data, _ := fs.ReadFile(files, name)
		if had, err := tree.ParseInventory(data); err == nil {
			names = slices.AppendSeq(names, maps.Keys(had.Files))
		}
	}
	for _, tree := range trees {
		names = slices.AppendSeq(names, maps.Keys(tree))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
