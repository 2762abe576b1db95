package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// readsBack is a target that finds the releases of an environment in files
// that were written for it.
type readsBack interface {
	Installed(tree.Tree, render.Plan) ([]render.Installation, error)
}

// comparison is the releases of both sides that are to be rendered, with the
// charts and values of their side.
type comparison struct {
	target   render.Target // of all environments
	releases []planned
	sides    []side // of releases
	tell     func(note string)
}

// side is what decides how a release of one side is rendered and compared.
type side struct {
	old bool
	// upgrade: the release is on both sides.
	upgrade bool
	kept    string // why its objects stay although the release is gone
}

// charted is the objects that a chart makes, to be compared.
type charted struct {
	documents []diff.Document
	notes     []string
}

func (c charted) Size() int {
	n := 0
	for _, d := range c.documents {
		n += len(d.YAML)
	}
	return n
}

// diffCharts compares the objects of both sides, some environments at a time.
func (a app) diffCharts(ctx context.Context, o diffOptions, members []fleet.Member, had tree.Tree) (diff.Result, error) {
	source, err := a.openCharts(o.chartFlags)
	if err != nil {
		return diff.Result{}, err
	}
	workers := a.workersFor(o.jobs, len(members))
	defer workers.Close()
	var all diff.Result
	var failures []error
	var done []bool // of all releases
	for start, end := 0, 0; start < len(members); start = end {
		some := comparison{target: members[start].Plan.Target(), tell: func(note string) { a.err.Say("%s", note) }}
		end = endOfPart(members, start)
		for i := start; i < end; i++ {
			same, err := some.add(&members[i], had)
			if err != nil {
				return diff.Result{}, err
			}
			for _, key := range same {
				a.err.Say("%s %s: the same chart and values on both sides: not rendered", members[i].Plan.Environment, key)
			}
		}
		result, compared, err := a.compareCharts(ctx, o, workers, source, some)
		if ctx.Err() != nil {
			return diff.Result{}, err
		}
		failures, done = append(failures, err), append(done, compared...)
		all.Add(result)
	}
	return all, hintKube(plansOf(members), markPartial(charts.JoinAgain(failures...), done, "compared"))
}

// endOfPart gives the end of the environments that are compared at a time: they have
// one target, and are not too many.
func endOfPart(members []fleet.Member, start int) int {
	for i := start; i < min(start+atOnce, len(members)); i++ {
		if members[i].Plan.Target() != members[start].Plan.Target() {
			return i
		}
	}
	return min(start+atOnce, len(members))
}

// compareCharts renders the releases of both sides and compares what they make.
func (a app) compareCharts(ctx context.Context, o diffOptions, workers *charts.Workers, source charts.Source, c comparison) (result diff.Result, done []bool, err error) {
	upgrades := map[int]map[string]bool{} // of each environment
	for i, s := range c.sides {
		release := c.releases[i]
		if upgrades[release.index] == nil {
			upgrades[release.index] = map[string]bool{}
		}
		upgrades[release.index][release.Key] = s.upgrade
	}
	made, done, err := eachChart(ctx, o.jobs, workers, source, c.releases, func(ctx context.Context, p planned, own charts.Chart) (charted, error) {
		return c.render(ctx, p, own, upgrades[p.index][p.Key])
	})
	var old, new []diff.Document
	var notes []string
	for i, one := range made {
		if !done[i] {
			continue
		}
		notes = append(notes, one.notes...)
		for _, d := range one.documents {
			if c.sides[i].old {
				if d.Kept == "" {
					d.Kept = c.sides[i].kept
				}
				old = append(old, d)
			} else {
				new = append(new, d)
			}
		}
	}
	for _, note := range dropRepeated(notes) {
		c.tell(note)
	}
	result = diff.Compare(old, new).Effects(c.target.Traits(render.Delivery{}).Applier).Settled(o.output == "unified" || o.output == "markdown")
	return result, done, err
}

// render renders one release as the controller does.
func (c comparison) render(ctx context.Context, p planned, own charts.Chart, upgrade bool) (charted, error) {
	in, err := p.input(own, c.target.Traits(p.plan.Delivery).Renderer)
	if err != nil {
		return charted{}, err
	}
	in.IsUpgrade = upgrade && !in.As.AlwaysInstall
	out, err := own.Render(ctx, in)
	if err != nil {
		return charted{}, fmt.Errorf("%s: %w", p.Key, err)
	}
	return charted{objectsOf(p, out, in.As), noteDifferences(p, in, out)}, nil
}

// objectsOf gives what a chart makes, as documents. A hook that runs before and
// behind the others is one object.
func objectsOf(p planned, out chart.Output, as chart.Renderer) []diff.Document {
	type seen struct{ source, text string }
	known := map[seen]bool{}
	var documents []diff.Document
	for _, object := range out.Objects {
		one := seen{object.Source, string(object.YAML)}
		if object.Hook != nil && known[one] {
			continue
		}
		known[one] = true
		d := diff.Document{Within: p.plan.Environment + " " + p.Key, Source: object.Source, Namespace: p.Namespace, Hook: object.Hook != nil, External: p.Key == render.PrefectCloud && p.plan.ExternalDatabase(), YAML: object.YAML}
		if object.CRD && as.KeepsCRDs {
			d.Kept = "Helm deletes no CRDs of a chart's folder crds"
		}
		documents = append(documents, d)
	}
	return documents
}

// add adds the releases of an environment that are not the same on both sides,
// and names those that are.
func (c *comparison) add(one *fleet.Member, had tree.Tree) (same []string, err error) {
	reader, ok := c.target.(readsBack)
	if !ok {
		return nil, fmt.Errorf("the %s target cannot read releases back from its files: diff without --manifests compares the files", c.target.Name())
	}
	installed, err := reader.Installed(had, one.Plan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", one.Plan.Environment, err)
	}
	before := map[string]render.Release{}
	for _, old := range installed {
		release, err := completeRelease(*one, old, c.target)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.Plan.Environment, err)
		}
		before[old.Key] = release
	}
	for wave, releases := range one.Plan.Waves {
		for _, release := range releases {
			old, both := before[release.Key]
			delete(before, release.Key)
			if both && sameInputs(old, release) {
				same = append(same, release.Key)
				continue
			}
			if both {
				c.side(planned{old, one.Index, &one.Plan, wave + 1}, side{old: true, upgrade: true})
			}
			c.side(planned{release, one.Index, &one.Plan, wave + 1}, side{upgrade: both})
		}
	}
	for _, old := range installed { // in their order
		if gone, ok := before[old.Key]; ok {
			c.side(planned{gone, one.Index, &one.Plan, 0}, side{old: true, upgrade: true, kept: explainStaying(old)})
		}
	}
	return same, nil
}

func (c *comparison) side(p planned, s side) {
	c.releases, c.sides = append(c.releases, p), append(c.sides, s)
}

// explainStaying says why the objects of a release stay when its manifests go.
func explainStaying(old render.Installation) string {
	if old.Protected {
		return "the release is protected: what it installed stays"
	}
	return ""
}

// completeRelease adds to a release of the old side what its manifests do not say:
// where secret values go, which is what the environment says of that version
// of the chart, and the version of a chart that is pinned by its digest alone.
func completeRelease(one fleet.Member, old render.Installation, target render.Target) (render.Release, error) {
	release := old.Release
	now := releaseOf(one.Plan, old.Key)
	if release.Chart.Version == "" && release.Chart.Digest == now.Chart.Digest {
		release.Chart.Version = now.Chart.Version
	}
	if release.Chart.Version == "" {
		return release, fmt.Errorf("%s is pinned by its digest, %s, and no manifest says its version", old.Key, release.Chart.Digest)
	}
	if !old.HasSecrets {
		return release, nil
	}
	release.SecretInputs = now.SecretInputs
	env := one.Environment
	switch old.Key {
	case render.PrefectCloud:
		env.Spec.Versions.PrefectCloud = render.ChartVersion(release.Chart.Version)
	case render.PrefectIstiod:
		env.Spec.Versions.PrefectIstiod = render.ChartVersion(release.Chart.Version)
	}
	if plan, err := render.PlanFor(env, one.Catalog, target); err == nil {
		release.SecretInputs = releaseOf(plan, old.Key).SecretInputs
	}
	return release, nil
}

// releaseOf gives the release of a key, or an empty one.
func releaseOf(plan render.Plan, key string) render.Release {
	for _, release := range plan.Releases() {
		if release.Key == key {
			return release
		}
	}
	return render.Release{}
}

// sameInputs reports whether two releases make the same objects.
func sameInputs(a, b render.Release) bool {
	type inputs struct {
		Name, Namespace string
		Chart           render.Chart
		Values          map[string]any
	}
	texts := [2]string{}
	for i, release := range []render.Release{a, b} {
		values, err := release.PlaceholderValues()
		if err != nil {
			return false
		}
		release.Chart.PullSecret, release.Chart.CASecret = "", "" // they say nothing about which chart it is
		data, err := json.Marshal(inputs{release.Name, release.Namespace, release.Chart, values})
		if err != nil {
			return false
		}
		texts[i] = string(data)
	}
	return texts[0] == texts[1]
}
