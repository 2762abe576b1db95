// Package upgrade decides which versions an environment is upgraded to, and what an
// upgrade waits for: the comparison of tags, the choice among the versions that are
// known, the policy under spec.upgrade, and the order of a fleet. Like package render it
// never touches disk, network, clock or environment variables: time is an argument.
package upgrade

import "github.com/pm-gitops/pm-gitops/render"

// Part names one version of an environment that an upgrade can change: the field under
// spec.versions.
type Part string

// The parts.
const (
	PrefectIstiod Part = "prefectIstiod"
	PrefectCloud  Part = "prefectCloud"
	Server        Part = "server"
	UI            Part = "ui"
)

// Parts lists all parts in the order in which messages and tables have them: charts
// first, as in spec.versions.
func Parts() []Part { return []Part{PrefectIstiod, PrefectCloud, Server, UI} }

// Title is the name of the chart or the image.
func (p Part) Title() string {
	switch p {
	case PrefectIstiod:
		return render.PrefectIstiod
	case PrefectCloud:
		return render.PrefectCloud
	}
	return string(p)
}

// Flag is the flag that names a version of the part, without its dashes.
func (p Part) Flag() string {
	switch p {
	case PrefectIstiod:
		return "istiod"
	case PrefectCloud:
		return "chart"
	}
	return string(p)
}

// IsChart reports whether the part is the version of a chart; the others are image tags.
func (p Part) IsChart() bool { return p == PrefectIstiod || p == PrefectCloud }

// Versions is the versions of an environment, as spec.versions has them: charts with
// their digest where the environment pins one. Empty is not there or, of versions that
// are wanted, not wanted.
type Versions map[Part]string

// VersionsOf gives the versions of an environment.
func VersionsOf(env render.Environment) Versions {
	versions := Versions{}
	for part, version := range map[Part]string{
		PrefectIstiod: string(env.Spec.Versions.PrefectIstiod),
		PrefectCloud:  string(env.Spec.Versions.PrefectCloud),
		Server:        string(env.Spec.Versions.Server),
		UI:            string(env.Spec.Versions.UI),
	} {
		if version != "" {
			versions[part] = version
		}
	}
	return versions
}

// Changed gives the parts whose version is another one in to, in the order of [Parts].
func (v Versions) Changed(to Versions) []Part {
	var changed []Part
	for _, part := range Parts() {
		if v[part] != to[part] {
			changed = append(changed, part)
		}
	}
	return changed
}
