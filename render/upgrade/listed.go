package upgrade

import "slices"

// Known is the versions that registries have, by part.
type Known map[Part]Listed

// Listed is the versions of a chart or an image that registries list.
type Listed struct {
	Versions []string // in any order, as the registries write them
	// Complete says that every place of the part gave its whole list: a version that is
	// not in it does not exist.
	Complete bool
	// Passed lists versions that are not chosen unasked, such as those that are too young.
	Passed []string
	// Folder names the folder of charts that was looked at in the place of registries;
	// empty otherwise.
	Folder string
}

// lacks reports whether a version is known not to exist.
func (l Listed) lacks(version string) bool {
	return l.Complete && !slices.Contains(l.Versions, version)
}

// none says that what, such as a version, is in no place that was looked at.
func (l Listed) none(what string) string {
	if l.Folder != "" {
		return "folder " + l.Folder + " does not have " + what
	}
	return "no registry has " + what
}

// silent says that no version is listed.
func (l Listed) silent() string {
	if l.Folder != "" {
		return "folder " + l.Folder + " does not have the chart"
	}
	return "no registry listed its versions"
}

// partly says why a version that is not listed may exist all the same.
func (l Listed) partly() string {
	if l.Folder != "" {
		return "a folder of charts has no images"
	}
	return "not every registry lists its versions"
}

// have names the places that were looked at, with a verb: "registries have".
func (l Listed) have() string {
	if l.Folder != "" {
		return "folder " + l.Folder + " has"
	}
	return "registries have"
}

// Existing leaves out versions that are known not to exist, such as those that were withdrawn.
func (k Known) Existing(versions Versions) Versions {
	existing := Versions{}
	for part, version := range versions {
		if !k[part].lacks(version) {
			existing[part] = version
		}
	}
	return existing
}
