package upgrade

import "strings"

// Target writes the versions that change in to, such as "server=2025.10.2 ui=2025.1103.1",
// in the order of [Parts].
func (v Versions) Target(to Versions) string {
	var all []string
	for _, part := range v.Changed(to) {
		all = append(all, string(part)+"="+plain(to[part]))
	}
	return strings.Join(all, " ")
}

// ParseTarget reads what [Versions.Target] writes. What it does not know it leaves out.
func ParseTarget(text string) Versions {
	versions := Versions{}
	for field := range strings.FieldsSeq(text) {
		part, version, _ := strings.Cut(field, "=")
		for _, known := range Parts() {
			if string(known) == part && version != "" {
				versions[known] = version
			}
		}
	}
	return versions
}

// Reaches reports whether versions are at least as new as others in all parts that those
// have. It is false where that cannot be told.
func (v Versions) Reaches(others Versions) bool {
	for part, version := range others {
		order, err := compareOf(part)(plain(v[part]), plain(version))
		if err != nil || order < 0 {
			return false
		}
	}
	return true
}

// Newest gives for each part the newer version of v and others; that of v where it cannot
// be told.
func (v Versions) Newest(others Versions) Versions {
	newest := Versions{}
	for part, version := range v {
		newest[part] = version
		if order, err := compareOf(part)(plain(version), plain(others[part])); err == nil && order < 0 {
			newest[part] = others[part]
		}
	}
	return newest
}
