// Package graph draws the waves of environments: what is installed before
// what, and side by side with what. It takes plans and gives bytes, the same
// for the same plans, and reaches for nothing.
package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// Graph is environments to draw. Its JSON form is an interface: fields are
// only ever added.
type Graph struct {
	Environments []Environment `json:"environments"`
}

// Environment is an environment's prerequisites and waves.
type Environment struct {
	Name string `json:"environment"`
	// Namespaces is made before every release, by name.
	Namespaces []string `json:"namespaces"`
	Waves      []Wave   `json:"waves"`
	// Arrows is what waits for what, without what follows from other arrows:
	// sorted, and with the prerequisites under the name that no release has,
	// [render.Prereqs].
	Arrows []Arrow `json:"arrows"`
}

// Wave is releases that are installed side by side, by key.
type Wave struct {
	Releases []Release `json:"releases"`
}

// Release is one release of a wave.
type Release struct {
	Key         string `json:"release"`
	HelmRelease string `json:"helmRelease"`
	Namespace   string `json:"namespace"`
	Version     string `json:"version"`
	// Protected releases are never uninstalled because their files went away.
	Protected bool `json:"protected"`
	// Needs is all the releases that must be ready before, by name.
	Needs []string `json:"needs"`
}

// Arrow leads from what must be ready to what waits for it.
type Arrow struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// New is the graph of plans, in their order.
func New(plans ...render.Plan) Graph {
	g := Graph{[]Environment{}}
	for _, plan := range plans {
		env := Environment{Name: plan.Environment, Namespaces: []string{}, Waves: []Wave{}}
		for _, namespace := range plan.Namespaces {
			env.Namespaces = append(env.Namespaces, namespace.Name)
		}
		for _, wave := range plan.Waves {
			releases := make([]Release, len(wave))
			for i, r := range wave {
				releases[i] = Release{r.Key, r.Name, r.Namespace, r.Chart.Version, r.Protected, append([]string{}, r.Needs...)}
			}
			env.Waves = append(env.Waves, Wave{releases})
		}
		env.Arrows = env.reduced()
		g.Environments = append(g.Environments, env)
	}
	return g
}

// reduced is the arrows without those that another path implies: the
// transitive reduction. Every release waits for the prerequisites.
func (e Environment) reduced() []Arrow {
	arrows := []Arrow{}
	before := map[string]map[string]bool{} // all that must be ready before a release
	for _, wave := range e.Waves {
		for _, release := range wave.Releases {
			implied, all := map[string]bool{}, map[string]bool{}
			for _, need := range release.Needs {
				all[need] = true
				for further := range before[need] {
					implied[further], all[further] = true, true
				}
			}
			before[release.Key] = all
			for _, need := range release.Needs {
				if !implied[need] {
					arrows = append(arrows, Arrow{need, release.Key})
				}
			}
			if len(release.Needs) == 0 {
				arrows = append(arrows, Arrow{render.Prereqs, release.Key})
			}
		}
	}
	slices.SortFunc(arrows, func(a, b Arrow) int {
		return strings.Compare(a.From+"\x00"+a.To, b.From+"\x00"+b.To)
	})
	return slices.Compact(arrows)
}

// title says what is drawn.
func (g Graph) title() string {
	names := make([]string, len(g.Environments))
	for i, env := range g.Environments {
		names[i] = env.Name
	}
	return "Waves of " + strings.Join(names, ", ")
}

// description is the drawing in words, for those who cannot see it.
func (g Graph) description() string {
	var parts []string
	for _, env := range g.Environments {
		if len(g.Environments) > 1 {
			parts = append(parts, env.Name+":")
		}
		parts = append(parts, "First the namespaces "+strings.Join(env.Namespaces, ", ")+".")
		for i, wave := range env.Waves {
			keys := make([]string, len(wave.Releases))
			for j, release := range wave.Releases {
				keys[j] = release.Key
			}
			parts = append(parts, fmt.Sprintf("Wave %d: %s.", i+1, strings.Join(keys, ", ")))
		}
	}
	return strings.Join(parts, " ")
}

// oneLine is a text without line breaks and other control characters, which
// no format here can quote.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufffd' {
			return ' '
		}
		return r
	}, text)
}
