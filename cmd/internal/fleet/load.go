package fleet

import (
	"context"
	"errors"
	"io/fs"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Readable gives the environments of a request that can be read before ctx
// ends, unplanned and whatever their names. It reads no standard input, and leaves
// out what fails: it is for the completion of command lines.
func Readable(ctx context.Context, r Request) []Member {
	sources, _ := r.Sources()
	over, err := r.ReadCatalog(ctx)
	if err != nil {
		return nil
	}
	var found []Member
	for _, file := range sources {
		if file.Name == "-" {
			continue
		}
		if m, err := r.open(ctx, file, over); err == nil && !m.Environment.IsDefaults() {
			m.Index = len(found)
			found = append(found, m)
		}
	}
	return found
}

// open reads and parses a file unless it is something else than an environment.
func (r Request) open(ctx context.Context, file Source, over catalog.Catalog) (Member, error) {
	if ctx.Err() != nil {
		return Member{}, errSkipped
	}
	data, err := r.read(ctx, file.Name)
	if err != nil {
		return Member{}, err
	}
	if !file.Named && isForeign(data) {
		return Member{}, errSkipped
	}
	read := tree.Tree{}
	if file.Name != "-" {
		read[r.Place(file.Name)] = data
	}
	env, cat, err := r.parse(file.Name, data, over, read)
	return Member{File: file.Name, Sources: read, Environment: env, Catalog: cat}, err
}

// parse parses an environment file, with what was recorded from its cluster, and
// gives the catalog that goes with it: the program's own, with what the
// environment adds to it and, over that, what the request adds. The files that it reads
// are added to read.
func (r Request) parse(file string, data []byte, over catalog.Catalog, read tree.Tree) (render.Environment, catalog.Catalog, error) {
	cat, readBeside := catalog.Embedded(), r.noting(read, r.readBeside(file))
	if file == "-" {
		file = "<stdin>"
	}
	env, err := render.Parse(file, data, readBeside)
	if err != nil {
		return env, cat, err
	}
	if name := env.CatalogFile(); name != "" {
		data, err := readBeside(name)
		if err != nil {
			return env, cat, render.Problems{env.Problem("spec.catalog", "%s", err)}
		}
		own, err := catalog.Parse(name, data)
		if err != nil {
			return env, cat, err
		}
		cat = cat.With(own)
	}
	if name := env.CapabilitiesFile(); name != "" {
		data, err := readBeside(name)
		if err != nil {
			return env, cat, render.Problems{env.Problem("spec.cluster.capabilities", "%s", err)}
		}
		recorded, err := apis.Parse(name, data)
		if err != nil {
			return env, cat, err
		}
		env = env.WithCapabilities(recorded)
	}
	if env, err = r.readLock(file, env, read); err != nil {
		return env, cat, err
	}
	return env, cat.With(over), nil
}

// readLock gives an environment its lock, if that pins it. One that is not there is a
// matter of what is done with the environment.
func (r Request) readLock(file string, env render.Environment, read tree.Tree) (render.Environment, error) {
	switch {
	case !env.IsPinned() || env.IsDefaults():
		return env, nil
	case r.Unpinned:
		return env.Unpinned(), nil
	}
	name, data, err := r.readAtRoot(file, env.LockFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return env, nil
	case err != nil:
		return env, render.Problems{env.Problem("spec.versions.pin", "%s", err)}
	}
	read[r.Place(name)] = data
	locked, err := lock.Parse(name, data)
	return env.WithLock(locked), err
}

// ReadCatalog reads the catalog that the request names, empty if it names none.
func (r Request) ReadCatalog(ctx context.Context) (catalog.Catalog, error) {
	if r.Catalog == "" {
		return catalog.Catalog{}, nil
	}
	data, err := r.read(ctx, r.Catalog)
	if err != nil {
		return catalog.Catalog{}, err
	}
	return catalog.Parse(r.Catalog, data)
}
