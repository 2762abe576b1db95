package cli

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/upgrade"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/graph"
	"github.com/pm-gitops/pm-gitops/render/roadmap"
	choice "github.com/pm-gitops/pm-gitops/render/upgrade"
)

// planner plans environments, one after the other.
type planner struct {
	app
	planOptions
	lists  *upgrade.Lists
	source charts.Source
	draft  *lineDraft // nil where no catalog is written
}

// listsFor gives the lists of versions that the flags allow: those of registries, those of
// a folder of charts, or none.
func (a app) listsFor(o planOptions) (*upgrade.Lists, error) {
	switch {
	case o.offline:
		return upgrade.NewLists(nil), nil
	case o.dir != "":
		lists := upgrade.NewLists(chartFolder(o.dir))
		lists.Folder = o.dir
		return lists, nil
	}
	client, err := a.registry(o.chartFlags)
	return upgrade.NewLists(client), err
}

// chartFolder lists the charts in a folder, and no images.
type chartFolder string

// Tags implements [upgrade.Lister].
func (f chartFolder) Tags(ctx context.Context, repository string) ([]string, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	var versions []string
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), ".tgz")
		if entry.Name() == path.Base(repository) { // unpacked, without its version
			if own, err := charts.Named(ctx, filepath.Join(string(f), name)); err == nil {
				versions = append(versions, own.Version())
			}
		}
		version, is := strings.CutPrefix(name, path.Base(repository)+"-")
		if _, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v")); is && err == nil {
			versions = append(versions, version)
		}
	}
	return versions, nil
}

// ImageTags implements [upgrade.Lister].
func (chartFolder) ImageTags(context.Context, string) ([]string, error) {
	return nil, errors.New("a folder of charts has no images")
}

// roadmap plans an environment, or one of its further releases.
func (p planner) roadmap(ctx context.Context, m fleet.Member) (roadmap.Roadmap, error) {
	one := roadmap.Roadmap{Environment: m.Plan.Environment, File: m.File, Release: p.release, Hops: []roadmap.Hop{}, Unseen: []string{}}
	found, unknown, err := p.path(ctx, m)
	if err != nil {
		return one, err
	}
	one.From, one.Goal, one.Remarks = found.From, found.Goal, found.Remarks
	one.Unseen = append(one.Unseen, unknown...)
	explained := m.Plan.Explain()
	facts := roadmap.Facts{File: m.File, Environment: m.Environment, Plan: m.Plan, Maintenance: string(p.maintenance)}
	for i, step := range found.Hops {
		h := roadmap.Hop{Hop: step, Charts: changedCharts(m, step)}
		if i == 0 {
			p.compare(ctx, m, &h)
		}
		if ctx.Err() != nil {
			return one, ctx.Err()
		}
		line, err := m.Catalog.Line(step.To.Line)
		if err != nil {
			line = catalog.Line{Name: step.To.Line}
		}
		h.Plan(explained, line)
		if after, err := planAfter(m, step); err == nil {
			facts.Plan = after
			h.Waves = graph.New(after).Environments[0].Waves
		}
		h.Runbook = roadmap.NewRunbook(facts, h)
		one.Hops = append(one.Hops, h)
	}
	one.Judge()
	return one, nil
}

// path finds the hops, and gives a sentence for each repository that listed no versions.
func (p planner) path(ctx context.Context, m fleet.Member) (choice.Path, []string, error) {
	if p.release == "" {
		known, unknown, err := p.lists.Known(ctx, m.Plan)
		if err != nil {
			return choice.Path{}, nil, err
		}
		found, err := choice.FindPath(choice.Question{Now: choice.VersionsOf(m.Environment), Catalog: m.Catalog, Known: known, Goal: p.to, At: p.today()})
		return found, unknown, err
	}
	releases := m.Plan.Releases()
	release := releases[slices.IndexFunc(releases, func(r render.Release) bool { return r.Key == p.release })]
	listed, unknown := p.lists.Chart(ctx, m.Plan, release.Chart.Repository)
	found, err := choice.FindReleasePath(release.Key, release.Chart.Version, p.to, listed)
	return found, unknown, err
}

// today is the time of SOURCE_DATE_EPOCH, or else of the clock, for what depends on the day.
func (a app) today() time.Time {
	if seconds, err := strconv.ParseInt(a.getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC()
	}
	return a.now().UTC()
}
