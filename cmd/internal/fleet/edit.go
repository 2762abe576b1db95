package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/edit"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Editable opens the one file that the request names, an environment or defaults, to
// edit it. It need not be valid.
func (r Request) Editable(ctx context.Context) (*edit.Environment, error) {
	sources, err := r.Sources()
	if err != nil {
		return nil, err
	}
	var found *edit.Environment
	var names, files []string
	for _, source := range sources {
		if source.Name == "-" {
			return nil, errors.New("standard input is no file that can be edited")
		}
		if err := r.checkPlain(source.Name); err != nil { // reading a pipe may never end
			return nil, err
		}
		data, err := r.read(ctx, source.Name)
		if err != nil {
			return nil, err
		}
		if !source.Named && isForeign(data) {
			continue
		}
		if len(r.Environments) > 0 {
			env, _ := render.Parse(source.Name, data, r.readBeside(source.Name)) // its mistakes may be what is edited
			if names = append(names, string(env.Metadata.Name)); !slices.Contains(r.Environments, names[len(names)-1]) {
				continue
			}
		}
		files = append(files, source.Name)
		if found, err = edit.Open(source.Name, data, r.readBeside(source.Name)); err != nil {
			return nil, err
		}
	}
	if err := r.checkKnown(names); err != nil {
		return nil, err
	}
	if len(files) != 1 || found == nil {
		return nil, fmt.Errorf("want one file to edit, and %s has %d: name one with -f", text.OneOf(r.Files), len(files))
	}
	return found, nil
}

// Extending gives the other files of a file's repository that extend one of the named
// files, by name, and those of which that could not be told, with the reason.
func Extending(file string, names []string) (found []string, unknown []error, err error) {
	wanted, self := map[string]bool{}, ""
	for _, name := range append(slices.Clone(names), file) {
		if self, err = Resolve(name); err != nil {
			return nil, nil, fmt.Errorf("find %s: %w", name, err)
		}
		wanted[self] = true
	}
	top, err := RepositoryOf(file)
	if err != nil {
		return nil, nil, err
	}
	working, err := os.Getwd()
	if err != nil {
		return nil, nil, fmt.Errorf("find the working directory: %w", err)
	}
	_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			unknown = append(unknown, err)
			return fs.SkipDir
		case entry.IsDir() && path != top && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case !entry.Type().IsRegular() || !IsYAML(path):
			return nil
		}
		if resolved, err := Resolve(path); err != nil || wanted[resolved] {
			return nil
		}
		name, err := filepath.Rel(working, path)
		if err != nil {
			name = path
		}
		extends, err := extendsOne(name, path, wanted)
		if extends {
			found = append(found, name)
		} else if err != nil {
			unknown = append(unknown, err)
		}
		return nil
	})
	return found, unknown, nil
}

// Resolve gives the absolute name of the file that a name leads to, through links. The
// error is that of a file that is not there.
func Resolve(name string) (string, error) {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

// extendsOne reports whether a file is an environment, or defaults, that extends one of
// some files, by their absolute names.
func extendsOne(name, path string, wanted map[string]bool) (bool, error) {
	data, err := readSome(path)
	if err != nil || !bytes.Contains(data, []byte("extends")) || isForeign(data) {
		return false, err
	}
	layers, err := render.Layers(name, data, insideRepository(name))
	if err != nil {
		return false, err
	}
	for _, layer := range layers[1:] {
		if absolute, err := Resolve(filepath.FromSlash(layer.Name)); err == nil && wanted[absolute] {
			return true, nil
		}
	}
	return false, nil
}
