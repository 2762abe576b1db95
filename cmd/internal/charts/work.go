package charts

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/trace"
)

// Chart is a chart as it was found.
type Chart struct {
	chart.Chart
	Digest string // of its manifest in a registry, empty if that is not known

	known  func() (keys.Tree, error) // the values that it knows, found out once
	packed *packed                   // the chart as it is given to workers
	worker *worker                   // does all work with the chart; nil for this process
}

func newChart(read chart.Chart, digest string, from packed) Chart {
	return Chart{Chart: read, Digest: digest, packed: &from, known: sync.OnceValues(func() (keys.Tree, error) { return keys.Of(read) })}
}

// packed is a chart as it was read: an archive, or the files of a folder.
type packed struct {
	Archive []byte            `json:",omitempty"`
	Files   map[string][]byte `json:",omitempty"`
	Digest  string            `json:",omitempty"`
}

// title names the chart in errors.
func (c Chart) title() string { return "chart " + c.Name() + " " + c.Version() }

// load reads the chart within the bounds of one look at it. The caller names it in errors.
func (p packed) load(ctx context.Context) (Chart, error) {
	return InTime(ctx, "", MaxTime, func(context.Context) (Chart, error) { return p.read() })
}

// read reads the chart once more.
func (p packed) read() (Chart, error) {
	load := func() (chart.Chart, error) { return chart.FromFiles(p.Files) }
	if p.Files == nil {
		load = func() (chart.Chart, error) { return chart.Load(p.Archive) }
	}
	read, err := load()
	return newChart(read, p.Digest, p), err
}

// Render renders the chart, and waits for it no longer than [MaxTime].
func (c Chart) Render(ctx context.Context, in chart.Input) (chart.Output, error) {
	if c.worker != nil {
		reply, err := c.worker.do(ctx, c, request{Do: doRender, Input: in})
		return reply.Install, err
	}
	return inBounds(c.Chart.Render)(ctx, in)
}

// RenderAll makes all that the chart can make: the objects for an install and
// for an upgrade, with the hooks of both and of what comes after. Most are there
// twice. What nothing applies is left, and the lookups of both come with them.
func (c Chart) RenderAll(ctx context.Context, in chart.Input) (chart.Output, error) {
	if c.worker != nil {
		reply, err := c.worker.do(ctx, c, request{Do: doEverything, Input: in})
		return reply.Install, err
	}
	return renderAll(ctx, c.Session().Render, in)
}

// Trace says where the secret values of a release land.
func (c Chart) Trace(ctx context.Context, release render.Release, in chart.Input) (trace.Trace, error) {
	if c.worker != nil {
		reply, err := c.worker.do(ctx, c, request{Do: doTrace, Input: in, Release: release})
		return reply.Trace, err
	}
	return traceRelease(ctx, c.Session().Render, release, in)
}

// Judge says what the chart says of the values of a release.
func (c Chart) Judge(ctx context.Context, release render.Release, values map[string]any) (check.Judgement, error) {
	if c.worker != nil {
		reply, err := c.worker.do(ctx, c, request{Do: doJudge, Input: chart.Input{Values: values}, Release: release})
		return reply.Judgement, err
	}
	return InTime(ctx, "look at the schema and the templates of "+c.title(), MaxTime, func(context.Context) (check.Judgement, error) {
		return check.Judge(c.Chart, c.known, values, release.SecretInputs), nil
	})
}

// Examine renders a release as checks look at it: for a first install, for that
// once more, and where the renderer knows the difference for an upgrade; it
// traces its secrets and judges its values. A chart that fails is no error,
// unless there was no time or memory left.
func (c Chart) Examine(ctx context.Context, release render.Release, in chart.Input) (check.Release, error) {
	made := check.Release{Release: release, Chart: c.Chart, Rendered: in}
	if c.worker != nil {
		reply, err := c.worker.do(ctx, c, request{Do: doExamine, Input: in, Release: release})
		reply.examined(&made)
		return made, err
	}
	session := c.Session()
	err := renderActions(ctx, session, in, &made)
	if err == nil && made.Failure == nil {
		in.As.OriginGroup = "" // no secret lands in labels that the controller adds, and adding them takes long
		made.Trace, made.TraceFailure = traceRelease(ctx, session.Render, release, in)
		err = giveUp(ctx, made.TraceFailure)
	}
	if err != nil {
		return check.Release{}, err
	}
	judgement, err := c.Judge(ctx, release, in.Values)
	made.Judgement = &judgement
	return made, err
}

// renderActions renders an install twice, and an upgrade.
func renderActions(ctx context.Context, session *chart.Session, in chart.Input, made *check.Release) error {
	upgrade := in
	upgrade.IsUpgrade = true
	steps := []struct {
		in  chart.Input
		out *chart.Output
	}{{in, &made.Install}, {in, &made.Again}, {upgrade, &made.Upgrade}}
	if in.As.AlwaysInstall {
		steps = steps[:2]
	}
	for _, step := range steps {
		if *step.out, made.Failure = inBounds(session.Render)(ctx, step.in); made.Failure != nil {
			return giveUp(ctx, made.Failure)
		}
	}
	return nil
}

// giveUp gives the error that there is no time or memory left: any other
// failure is the chart's.
func giveUp(ctx context.Context, failure error) error {
	if errors.Is(failure, ErrTooLong) || failure != nil && ctx.Err() != nil {
		return failure
	}
	return context.Cause(ctx)
}

// rendering renders a chart.
type rendering func(context.Context, chart.Input) (chart.Output, error)

// inBounds waits for a rendering no longer than [MaxTime].
func inBounds(render rendering) rendering {
	return func(ctx context.Context, in chart.Input) (chart.Output, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, MaxTime, ErrTooLong)
		defer cancel()
		return render(ctx, in)
	}
}

func renderAll(ctx context.Context, render rendering, in chart.Input) (all chart.Output, err error) {
	for _, in.IsUpgrade = range []bool{false, true} {
		if in.IsUpgrade && in.As.AlwaysInstall {
			break
		}
		out, err := inBounds(render)(ctx, in)
		if err != nil {
			return chart.Output{}, err
		}
		all.Objects = slices.Concat(all.Objects, out.Objects, out.Later())
		all.Left = append(all.Left, out.Never()...)
		all.Lookups = slices.Concat(all.Lookups, out.Lookups)
	}
	return all, nil
}

func traceRelease(ctx context.Context, render rendering, release render.Release, in chart.Input) (trace.Trace, error) {
	return trace.Release(ctx, release, func(values map[string]any) ([]chart.Object, error) {
		in.Values = values
		all, err := renderAll(ctx, render, in)
		return all.Objects, err
	})
}
