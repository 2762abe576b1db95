package cli

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/verify"
)

// needs is every image and chart that environments need, as JSON has it.
type needs struct {
	Images []*neededImage `json:"images"`
	Charts []*neededChart `json:"charts"`
}

// neededImage is an image with all that needs it.
type neededImage struct {
	Image string `json:"image"` // in full, or as it is written if it is no reference
	ref.Reference
	Resolved string      `json:"resolved,omitempty"` // the digest that the registry says it has
	Problem  string      `json:"problem,omitempty"`  // why it is no reference
	Hidden   bool        `json:"hidden"`             // no pod names it
	Sure     string      `json:"sure"`               // certain, likely or possible
	Copies   []imageCopy `json:"copies,omitempty"`   // one for each mirror
	Uses     []imageUse  `json:"uses"`

	pins map[string][]lock.Pin // by environment
}

// neededChart is a chart with the releases that need it.
type neededChart struct {
	Chart   string      `json:"chart"` // its repository
	Version string      `json:"version"`
	Digest  string      `json:"digest,omitempty"`
	Copies  []imageCopy `json:"copies,omitempty"`
	Uses    []chartUse  `json:"uses"`
}

type imageUse struct {
	Environment string `json:"environment"`
	Release     string `json:"release"`
	images.Object
	Path string      `json:"path"`
	How  images.How  `json:"how"`
	Sure images.Sure `json:"sure"`
}

type chartUse struct {
	Environment string `json:"environment"`
	Release     string `json:"release"`
}

// imageCopy is the copy of an image or a chart to a mirror.
type imageCopy struct {
	Source  string `json:"source,omitempty"`
	Target  string `json:"target,omitempty"`
	Problem string `json:"problem,omitempty"` // why there is no copy, or why it is of no use
	digest  string

	environments []string        // whose mirror it is for
	policies     verify.Policies // of these environments for the source, each once
}

// gather puts what was found for releases together, images and charts in the
// order of their names, and what needs them in that of the releases.
func gather(releases []planned, found []releaseImages, from *originals) needs {
	all := map[string]*neededImage{}
	charts := map[string]*neededChart{}
	for i, p := range releases {
		for _, image := range found[i].Images {
			key := cmp.Or(image.Problem, image.Reference.String())
			if all[key] == nil {
				all[key] = newNeeded(image)
			}
			all[key].add(p, image)
		}
		for key, pins := range found[i].pins {
			of := all[key].pins
			of[p.plan.Environment] = append(of[p.plan.Environment], pins...)
		}
		key := p.Chart.Repository + " " + p.Chart.Version + "@" + p.Chart.Digest
		if charts[key] == nil {
			charts[key] = &neededChart{Chart: p.Chart.Repository, Version: p.Chart.Version, Digest: cmp.Or(p.Chart.Digest, found[i].digest)}
		}
		_, fromSource := from.used(p.Chart)
		charts[key].add(p, fromSource)
	}
	result := needs{Images: []*neededImage{}, Charts: []*neededChart{}}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		result.Images = append(result.Images, all[key])
	}
	for _, key := range slices.Sorted(maps.Keys(charts)) {
		result.Charts = append(result.Charts, charts[key])
	}
	return result
}

func newNeeded(image images.Image) *neededImage {
	needed := &neededImage{Image: image.Reference.String(), Reference: image.Reference, Problem: image.Problem, Hidden: true, Sure: string(images.Possible), pins: map[string][]lock.Pin{}}
	if image.Problem != "" {
		needed.Image = image.Written
	}
	return needed
}

// surest is the degrees of certainty, the surest last.
var surest = []string{string(images.Possible), string(images.Likely), string(images.Certain)}

func (n *neededImage) add(p planned, image images.Image) {
	n.Hidden = n.Hidden && image.Hidden()
	if slices.Index(surest, string(image.Sure)) > slices.Index(surest, n.Sure) {
		n.Sure = string(image.Sure)
	}
	n.Uses = append(n.Uses, imageUse{p.plan.Environment, p.Key, image.Object, image.Path, image.How, image.Sure})
	if mirror := p.plan.Mirror(); mirror != "" && image.Problem == "" {
		n.Copies = addCopy(n.Copies, p, copyImage(p.plan, image.Reference))
	}
}

// copyImage plans the copy of an image to the mirror of a plan.
func copyImage(plan *render.Plan, image ref.Reference) imageCopy {
	name, known := plan.Original(image.Name())
	if !known {
		return imageCopy{Problem: image.String() + " is on the host of a mirror, and spec.registry puts nothing there: its origin is unknown"}
	}
	target := plan.Mirrored(name)
	made := imageCopy{Source: formatReference(name, image.Tag, image.Digest), Target: formatReference(target, image.Tag, "")}
	if image.Tag == "" && image.Digest != "" {
		made.Target = formatReference(target, "", image.Digest)
	}
	if _, err := ref.ParseImage(made.Target); err != nil {
		return imageCopy{Problem: noReference(image.String(), made.Target)}
	}
	if target != image.Name() {
		made.Problem = image.String() + " is not pulled from the mirror: the values have to name it there (pm-gitops check finds which)"
	}
	return made
}

// noReference says that the place of a copy would be no reference, and what helps.
func noReference(source, target string) string {
	problem := source + " would be " + target + " in the mirror, which is no reference"
	if host, _, _ := strings.Cut(source, "/"); strings.Contains(host, ":") {
		problem += ": a path has no port, and spec.registry.map can name another place for " + host
	}
	return problem
}

// formatReference writes a reference to copy from or to: with the digest if there is one,
// else with the tag.
func formatReference(name, tag, digest string) string {
	if digest != "" {
		return name + "@" + digest
	}
	return name + ":" + cmp.Or(tag, "latest")
}

func (n *neededChart) add(p planned, fromSource bool) {
	n.Uses = append(n.Uses, chartUse{p.plan.Environment, p.Key})
	if p.plan.Mirror() == "" {
		return
	}
	name, known := p.plan.Original(n.Chart)
	if !known {
		n.Copies = addCopy(n.Copies, p, imageCopy{Problem: "chart " + n.Chart + " is on the host of a mirror, and spec.registry puts nothing there: its origin is unknown"})
		return
	}
	// The digest of what the mirror has may be another than the source's: helm
	// push changes it.
	digest := p.Chart.Digest
	if fromSource {
		digest = cmp.Or(digest, n.Digest)
	}
	tag := strings.ReplaceAll(n.Version, "+", "_")
	made := imageCopy{Source: formatReference(name, tag, digest), Target: formatReference(n.Chart, tag, "")}
	if _, err := ref.ParseImage(made.Target); err != nil {
		made = imageCopy{Problem: "chart " + noReference(formatReference(name, tag, ""), made.Target)}
	}
	n.Copies = addCopy(n.Copies, p, made)
}

// addCopy adds a copy for the environment of a release, unless it is there already.
func addCopy(copies []imageCopy, p planned, one imageCopy) []imageCopy {
	same := slices.IndexFunc(copies, func(other imageCopy) bool {
		return other.Source == one.Source && other.Target == one.Target && other.Problem == one.Problem
	})
	if same < 0 {
		same, copies = len(copies), append(copies, one)
	}
	copies[same].environments = dropRepeated(append(copies[same].environments, p.plan.Environment))
	name, _, _ := ref.Split(one.Source)
	if policy, found := p.plan.Policy(name); found {
		copies[same].policies = copies[same].policies.With(policy)
	}
	return copies
}
