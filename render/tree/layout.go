package tree

import (
	"path"
	"strings"
)

// Layout describes what the environments of one target write, so that an
// inventory, which comes from a repository, can be judged.
type Layout struct {
	// Paths is patterns of the files that an environment may write, from the
	// repository root: {path} stands for the delivery path, {environment} for
	// the environment's name, * for any name of a folder or file. A pattern
	// that ends in a slash means everything below the folder.
	Paths []string
	// Names is names of objects that every environment has, with {environment}
	// for its own, beside one for each folder of its overlays.
	Names []string
	// NamesAcrossClusters: environments of different clusters share one place
	// for these objects, and so must not have the same names.
	NamesAcrossClusters bool
}

// Layouts is what the targets that are known write, by the target's name.
type Layouts map[string]Layout

// Owns reports whether an environment may write a file.
func (l Layout) Owns(deliveryPath, environment, file string) bool {
	if path.Clean(file) != file {
		return false
	}
	for _, pattern := range l.Paths {
		if owns(strings.Split(pattern, "/"), deliveryPath, environment, file) {
			return true
		}
	}
	return false
}

// owns reports whether a file matches a pattern, which is taken apart before
// names are filled in: an inventory may have any text for a name.
func owns(pattern []string, deliveryPath, environment, file string) bool {
	for i, part := range pattern {
		last := i == len(pattern)-1
		if last && part == "" {
			return file != ""
		}
		name := strings.ReplaceAll(part, "{environment}", environment)
		switch part {
		case "*":
			name, _, _ = strings.Cut(file, "/")
		case "{path}":
			if name = path.Clean(deliveryPath); name == "." {
				continue
			}
		}
		rest, ok := strings.CutPrefix(file, name)
		switch {
		case name == "" || !ok:
			return false
		case last:
			return rest == ""
		case !strings.HasPrefix(rest, "/"):
			return false
		}
		file = rest[1:]
	}
	return false
}
