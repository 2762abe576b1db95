package cli

import (
	"context"
	"fmt"
	"slices"

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
	names    []string      // of the releases that are compared, all without any
	unseen   []string      // releases that are not; see [planned.within]
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
	if err := checkCompared(o.releases, members, had); err != nil {
		return diff.Result{}, err
	}
	workers := a.workersFor(o.jobs, len(members))
	defer workers.Close()
	var all diff.Result
	var failures []error
	var done []bool // of all releases
	for start, end := 0, 0; start < len(members); start = end {
		some := comparison{target: members[start].Plan.Target(), names: o.releases, tell: func(note string) { a.err.Say("%s", note) }}
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
	return all, hintKube(plansOf(members), markReleases(charts.JoinAgain(failures...), done))
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

// markReleases gives the error of charts of which some failed, and others were compared.
func markReleases(err error, done []bool) error {
	if err == nil || !slices.Contains(done, true) {
		return err
	}
	return partialError{error: err, done: "compared", of: "releases"}
}

// compareCharts renders the releases of both sides and compares what they make. A release
// of which a side fails is not compared, and done says so of both.
func (a app) compareCharts(ctx context.Context, o diffOptions, workers *charts.Workers, source charts.Source, c comparison) (result diff.Result, done []bool, err error) {
	upgrades := map[int]map[string]bool{} // of each environment
	for i, s := range c.sides {
		release := c.releases[i]
		if upgrades[release.index] == nil {
			upgrades[release.index] = map[string]bool{}
		}
		upgrades[release.index][release.Key] = s.upgrade
	}
	made, failures := eachRelease(ctx, o.jobs, workers, source, c.releases, func(ctx context.Context, p planned, own charts.Chart) (charted, error) {
		return c.render(ctx, p, own, upgrades[p.index][p.Key])
	})
	done, err = c.settle(workers, failures)
	var old, new []diff.Document
	var notes []string
	unseen := c.unseen
	for i, one := range made {
		if !done[i] {
			unseen = append(unseen, c.releases[i].within())
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
	result = diff.Compare(old, new).Effects(c.target.Traits(render.Delivery{}).Applier).Settled(slices.Contains([]string{"unified", "markdown", "html"}, o.output))
	result.Unseen = dropRepeated(unseen)
	return result, done, err
}

// within names the release and its environment, to keep its objects apart from others.
func (p planned) within() string { return p.plan.Environment + " " + p.Key }

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
		d := diff.Document{Within: p.within(), Source: object.Source, Namespace: p.Namespace, Hook: object.Hook != nil, External: p.Key == render.PrefectCloud && p.plan.ExternalDatabase(), YAML: object.YAML}
		if object.CRD && as.KeepsCRDs {
			d.Kept = "Helm deletes no CRDs of a chart's folder crds"
		}
		documents = append(documents, d)
	}
	return documents
}
