package page

import (
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/graph"
	"github.com/pm-gitops/pm-gitops/templates"
)

// Diff is the page of a comparison.
type Diff struct {
	Name   string // of the old side
	Result diff.Result
	// Graph has the waves of the environments that were compared.
	Graph graph.Graph
	// ByRelease: the changes are within "environment release"; otherwise within files.
	ByRelease bool
	// Was has the versions of releases before, by "environment release"; those that are not
	// known are not in it.
	Was map[string]string
}

// HTML writes the page.
func (d Diff) HTML() ([]byte, error) { return Write(templates.Diff, d) }

// Verdict says what the comparison means for whoever reviews it.
type Verdict struct {
	Words    string
	Severity string // error, warning or routine
}

// Verdict gives the worst of what the cluster does, or says whether anything differs.
func (d Diff) Verdict() Verdict {
	has := func(actions ...diff.Action) bool {
		return slices.ContainsFunc(d.Result.Changes, func(c diff.Change) bool {
			return c.Effect != nil && slices.Contains(actions, c.Effect.Action)
		})
	}
	switch {
	case slices.ContainsFunc(d.Result.Changes, diff.Change.LosesData):
		return Verdict{"data may be lost", "error"}
	case has(diff.Refuse):
		return Verdict{"the cluster refuses a change", "error"}
	case has(diff.Recreate, diff.Delete):
		return Verdict{"objects are deleted", "warning"}
	case len(d.Result.Errors) > 0:
		return Verdict{"not everything could be compared", "warning"}
	case has(diff.Restart):
		return Verdict{"pods restart", "warning"}
	case has(diff.Run, diff.Defer):
		return Verdict{"hooks run", "warning"}
	case len(d.Result.Changes) > 0 && d.ByRelease:
		return Verdict{"no pod restarts", "routine"}
	case len(d.Result.Changes) > 0:
		return Verdict{"files change", "warning"}
	}
	return Verdict{"no differences", "routine"}
}

// Environment is an environment of the page.
type Environment struct {
	Name  string
	Waves []Wave
}

// Environments gives those with changes; of a single one also without.
func (d Diff) Environments() []Environment {
	within := map[string]map[string][]diff.Change{}
	for _, c := range d.Result.Changes {
		environment, key, _ := strings.Cut(c.Within, " ")
		if !d.ByRelease {
			break
		}
		if within[environment] == nil {
			within[environment] = map[string][]diff.Change{}
		}
		within[environment][key] = append(within[environment][key], c)
	}
	var all []Environment
	for _, env := range d.Graph.Environments {
		if within[env.Name] != nil || len(d.Graph.Environments) == 1 {
			one := Environment{env.Name, NewWaves(env.Waves, within[env.Name])}
			for _, wave := range one.Waves {
				for i := range wave.Releases {
					release := &wave.Releases[i]
					within := env.Name + " " + release.Key
					release.Unseen = !d.ByRelease || slices.Contains(d.Result.Unseen, within)
					if was := d.Was[within]; release.Version == "" {
						release.Version = was
					} else if was != release.Version {
						release.Was = was
					}
				}
			}
			all = append(all, one)
		}
	}
	return all
}

// File is a file of the page.
type File struct {
	Name    string
	Changes []diff.Change
}

// Files gives the files that change; none where releases are compared.
func (d Diff) Files() []File {
	var all []File
	for _, c := range d.Result.Changes {
		if d.ByRelease {
			return nil
		}
		if n := len(all); n == 0 || all[n-1].Name != c.Within {
			all = append(all, File{Name: c.Within})
		}
		last := &all[len(all)-1]
		last.Changes = append(last.Changes, c)
	}
	return all
}
