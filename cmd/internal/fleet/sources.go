package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Source is a file that a request leads to.
type Source struct {
	Name string // - for standard input
	// Named says that the request names the file itself: what a folder or a
	// pattern leads to may be something else than an environment.
	Named bool
}

// Sources finds the files that the request leads to, in the order in which it
// names them; those of a folder or a pattern by name. A file that is named twice
// is given once.
func (r Request) Sources() ([]Source, error) {
	var found []Source
	seen := map[string]bool{}
	for _, name := range r.Files {
		more, err := r.expand(name)
		if err != nil {
			return nil, err
		}
		for _, file := range more {
			if place, err := r.makeAbsolute(file.Name); file.Name != "-" && err == nil {
				if seen[place] {
					continue
				}
				seen[place] = true
			}
			found = append(found, file)
		}
	}
	return found, nil
}

// Whole reports whether the request names a folder or a pattern and takes all
// environments that are there: one that is not there is gone.
func (r Request) Whole() bool {
	sources, err := r.Sources()
	return err == nil && len(r.Environments) == 0 && slices.ContainsFunc(sources, func(s Source) bool { return !s.Named })
}

// expand gives the files of one name: the file itself, those in a folder, or
// those that fit a pattern. The separators of Windows are taken too.
func (r Request) expand(name string) ([]Source, error) {
	if name == "-" {
		return []Source{{name, true}}, nil
	}
	if r.Repository != nil {
		var err error
		if name, err = inRepository(name); err != nil {
			return nil, err
		}
	}
	info, err := fs.Stat(r.files(), name)
	if slashed := strings.ReplaceAll(name, `\`, "/"); errors.Is(err, fs.ErrNotExist) && slashed != name {
		name = slashed
		info, err = fs.Stat(r.files(), name)
	}
	switch {
	case err == nil && info.IsDir():
		return r.folder(name)
	case err != nil && strings.ContainsAny(name, "*?[{"):
		return r.pattern(name)
	}
	return []Source{{name, true}}, nil // reading it says what is wrong
}

// ErrSubfolders is the error of a folder whose YAML files are all in folders below
// it, which the request does not ask for.
var ErrSubfolders = errors.New("holds no YAML files itself")

// folder gives the YAML files of a folder, without hidden ones.
func (r Request) folder(name string) ([]Source, error) {
	var found []Source
	deeper := false
	err := fs.WalkDir(r.files(), name, func(file string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") && file != name
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (hidden || file != name && !r.Recursive):
			deeper = deeper || !hidden
			return fs.SkipDir
		case !entry.IsDir() && !hidden && IsYAML(file):
			found = append(found, Source{file, false})
			return r.checkPlain(file)
		}
		return nil
	})
	var read *ReadError
	switch {
	case errors.As(err, &read):
		return nil, read
	case err != nil:
		return nil, fmt.Errorf("read folder %s: %w", name, errors.Unwrap(err))
	case len(found) == 0 && deeper:
		return nil, fmt.Errorf("folder %s %w", name, ErrSubfolders)
	case len(found) == 0:
		return nil, fmt.Errorf("folder %s holds no YAML files", name)
	}
	return found, nil
}

// pattern gives the files that fit a pattern, in which ** stands for any folders.
func (r Request) pattern(name string) ([]Source, error) {
	options := []doublestar.GlobOption{doublestar.WithFilesOnly(), doublestar.WithNoHidden(), doublestar.WithFailOnIOErrors()}
	var names []string
	var err error
	if r.Repository != nil {
		names, err = doublestar.Glob(r.Repository, name, options...)
	} else {
		names, err = doublestar.FilepathGlob(name, options...)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read pattern %q: %w", name, err)
	case len(names) == 0:
		return nil, fmt.Errorf("no file fits the pattern %q", name)
	}
	slices.Sort(names)
	var found []Source
	for _, file := range names {
		if err := r.checkPlain(file); err != nil {
			return nil, err
		}
		found = append(found, Source{file, false})
	}
	return found, nil
}

// checkPlain refuses a pipe or a device that a folder or a pattern brought up: who names
// one means it. What cannot be looked at, and links of a repository, are left to those
// who read them.
func (r Request) checkPlain(file string) error {
	if info, err := fs.Stat(r.files(), file); err == nil && !info.Mode().IsRegular() && !info.IsDir() && info.Mode().Type() != fs.ModeSymlink {
		return &ReadError{Name: file, Err: errors.New("it is no plain file")}
	}
	return nil
}

// IsYAML reports whether a file is YAML by its name.
func IsYAML(file string) bool {
	return strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml")
}

// head matches how a manifest says what it is.
var head = regexp.MustCompile(`(?m)^(apiVersion|kind):[ \t]*["']?([^\s"'#]+)`)

// isForeign reports whether a file says that it is something else than an
// environment or its defaults: what lies beside them in a folder. One that
// does not say what it is may be an environment with a mistake in it.
func isForeign(data []byte) bool {
	version, kind := readHead(data)
	return version != "" && !strings.Contains(version, "gitops") && !strings.HasPrefix(kind, "Environment") || kind == "Catalog" || kind == "Capabilities"
}

// IsEnvironment reports whether a file says that it is an environment or its
// defaults, whatever mistakes it has.
func IsEnvironment(data []byte) bool {
	version, kind := readHead(data)
	return version+kind != "" && !isForeign(data)
}

// readHead gives the last apiVersion and kind that a file says at its top level.
func readHead(data []byte) (version, kind string) {
	said := map[string]string{}
	for _, m := range head.FindAllSubmatch(data, -1) {
		said[string(m[1])] = string(m[2])
	}
	return said["apiVersion"], said["kind"]
}
