package main

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// source is a file that the flags name.
type source struct {
	name string // - for standard input
	// named is whether the flags name the file itself: what a folder or a
	// pattern leads to may be something else than an environment.
	named bool
}

// sources finds the files that the flags name, in their order; those of a
// folder or a pattern by name. A file that is named twice is there once.
func (in input) sources() ([]source, error) {
	var found []source
	seen := map[string]bool{}
	for _, name := range in.files {
		more, err := in.expand(name)
		if err != nil {
			return nil, err
		}
		for _, file := range more {
			if place, err := in.absolute(file.name); file.name != "-" && err == nil {
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

// whole reports whether the flags name a folder or a pattern and take all
// that is there: an environment that is not there is gone.
func (in input) whole() bool {
	sources, err := in.sources()
	return err == nil && len(in.only) == 0 && slices.ContainsFunc(sources, func(s source) bool { return !s.named })
}

// expand is the files of one name: the file itself, those in a folder, or
// those that fit a pattern. The separators of Windows are taken too.
func (in input) expand(name string) ([]source, error) {
	if name == "" {
		return nil, usageError{errors.New("--file wants a text: a variable that is not set, maybe?")}
	}
	if name == "-" {
		return []source{{name, true}}, nil
	}
	if in.tree != nil {
		var err error
		if name, err = in.inCommit(name); err != nil {
			return nil, err
		}
	}
	info, err := fs.Stat(in.place(), name)
	if slashed := strings.ReplaceAll(name, `\`, "/"); errors.Is(err, fs.ErrNotExist) && slashed != name {
		name = slashed
		info, err = fs.Stat(in.place(), name)
	}
	switch {
	case err == nil && info.IsDir():
		return in.folder(name)
	case err != nil && strings.ContainsAny(name, "*?[{"):
		return in.pattern(name)
	}
	return []source{{name, true}}, nil // reading it says what is wrong
}

// folder is the YAML files of a folder, without hidden ones.
func (in input) folder(name string) ([]source, error) {
	var found []source
	deeper := false
	err := fs.WalkDir(in.place(), name, func(file string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") && file != name
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (hidden || file != name && !in.recurse):
			deeper = deeper || !hidden
			return fs.SkipDir
		case !entry.IsDir() && !hidden && isYAML(file):
			found = append(found, source{file, false})
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("read folder %s: %w", name, errors.Unwrap(err))
	case len(found) == 0 && deeper:
		return nil, hinted{fmt.Errorf("folder %s holds no YAML files itself", name), "Take the folders in it with --recursive."}
	case len(found) == 0:
		return nil, fmt.Errorf("folder %s holds no YAML files", name)
	}
	return found, nil
}

// pattern is the files that fit a pattern, in which ** stands for any folders.
func (in input) pattern(name string) ([]source, error) {
	options := []doublestar.GlobOption{doublestar.WithFilesOnly(), doublestar.WithNoHidden(), doublestar.WithFailOnIOErrors()}
	var names []string
	var err error
	if in.tree != nil {
		names, err = doublestar.Glob(in.tree, name, options...)
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
	var found []source
	for _, file := range names {
		found = append(found, source{file, false})
	}
	return found, nil
}

func isYAML(file string) bool {
	return strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml")
}

// head is how a manifest says what it is.
var head = regexp.MustCompile(`(?m)^(apiVersion|kind):[ \t]*["']?([^\s"'#]+)`)

// foreign reports whether a file says that it is something else than an
// environment or its defaults: what lies beside them in a folder. One that
// does not say what it is may be an environment with a mistake in it.
func foreign(data []byte) bool {
	said := map[string]string{}
	for _, m := range head.FindAllSubmatch(data, -1) {
		said[string(m[1])] = string(m[2])
	}
	version := said["apiVersion"]
	return version != "" && !strings.Contains(version, "gitops") && !strings.HasPrefix(said["kind"], "Environment") || said["kind"] == "Catalog"
}
