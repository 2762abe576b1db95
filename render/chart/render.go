package chart

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"

	"github.com/pm-gitops/pm-gitops/render/apis"
)

// MaxOutput is how many bytes a chart may make.
const MaxOutput = 64 << 20

// Input is what a chart is rendered with.
type Input struct {
	As          Renderer
	Release     string // Helm's name for the release
	Namespace   string
	Values      map[string]any
	KubeVersion string   // the cluster's, such as "1.33"; empty for [DefaultKubeVersion]
	APIVersions []string // besides those that a cluster of that version serves
	// APIs is what the cluster serves, as it was recorded; nil for what its
	// version does.
	APIs      []apis.API
	IsUpgrade bool
	Digest    string // of the chart, sha256:…, empty for [StandInDigest]
	SkipCRDs  bool
	// Origin is the object that a controller installs the release for.
	OriginNamespace, OriginName string
}

// originLabels is the labels that say which object a release is installed for.
func (in Input) originLabels() map[string]string {
	return map[string]string{in.As.OriginGroup + "/name": in.OriginName, in.As.OriginGroup + "/namespace": in.OriginNamespace}
}

// Render renders a chart. It ends when ctx does, with an error that names the
// template at work: Go's templates cannot be stopped, so one that never ends
// keeps its goroutine until the program exits, and what it takes of memory is
// for the caller to watch.
func (c Chart) Render(ctx context.Context, in Input) (Output, error) {
	return c.bounded(ctx, func(work *progress) (Output, error) {
		made, err := c.execute(in, work)
		if err != nil {
			return Output{}, err
		}
		work.begin("its objects")
		return made.collect(in, nil)
	})
}

// bounded does the work of a render, and waits for it no longer than ctx says.
func (c Chart) bounded(ctx context.Context, render func(*progress) (Output, error)) (Output, error) {
	type result struct {
		out Output
		err error
	}
	work := &progress{ctx: ctx, at: "its values"}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if failure := recover(); failure != nil {
				r.err = fmt.Errorf("render the chart: %v", failure)
			}
			done <- r
		}()
		r.out, r.err = render(work)
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		r.err = context.Cause(ctx)
	}
	if r.err != nil && ctx.Err() != nil {
		r.err = fmt.Errorf("%s: %w", work.where(), context.Cause(ctx))
	}
	if r.err != nil {
		return Output{}, fmt.Errorf("chart %s %s: %w", c.Name(), c.Version(), r.err)
	}
	return r.out, nil
}

// execute does what action.Install does for `helm template`
// (https://github.com/helm/helm/blob/v3.22.0/pkg/action/install.go), without
// that package: it brings a client for clusters and costs every command time.
func (c Chart) execute(in Input, work *progress) (run, error) {
	caps, err := capabilities(in)
	if err != nil {
		return run{}, err
	}
	ch := fresh(c.read)
	ch.Metadata.Version = in.As.version(ch.Metadata.Version, in.Digest)
	if err := checkInstallable(ch); err != nil {
		return run{}, err
	}
	if err := chartutil.ValidateReleaseName(in.Release); err != nil {
		return run{}, fmt.Errorf("release name %q: %w", in.Release, err)
	}
	values, unread, err := c.renderValues(ch, in, caps)
	if err != nil {
		return run{}, err
	}
	if err := fits(ch.Metadata.KubeVersion, caps); err != nil {
		return run{}, err
	}
	values["Capabilities"] = &cluster{caps, work}
	marks, seen := mark(ch), &lookups{work: work}
	files, err := engine.RenderWithClientProvider(ch, values, seen)
	if err != nil {
		return run{}, err
	}
	if err := clear(files, marks); err != nil {
		return run{}, err
	}
	return run{chart: ch, files: files, unread: unread, lookups: seen.list}, nil
}

// renderValues is what templates get, its values checked against the chart's
// schemas; and the schemas that were not read. Numbers are what they are after
// a file or a HelmRelease: floats.
func (c Chart) renderValues(ch *helm.Chart, in Input, caps *chartutil.Capabilities) (chartutil.Values, []string, error) {
	upgrade, revision := in.IsUpgrade && !in.As.AlwaysInstall, 1
	if upgrade && !in.As.Verbatim {
		revision = 2 // of a controller's upgrade, the least; helm template says 1
	}
	options := chartutil.ReleaseOptions{Name: in.Release, Namespace: in.Namespace, Revision: revision, IsInstall: !upgrade, IsUpgrade: upgrade}
	values, err := compose(ch, in.Values, options, caps)
	if err != nil {
		return nil, nil, err
	}
	coalesced, _ := values["Values"].(chartutil.Values)
	unread, err := c.validate(ch, coalesced)
	return values, unread, err
}

// compose lays values over the defaults, and takes what is off out of a chart.
func compose(ch *helm.Chart, values map[string]any, options chartutil.ReleaseOptions, caps *chartutil.Capabilities) (chartutil.Values, error) {
	own := map[string]any{}
	data, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("read the values: %w", err)
	}
	if err := json.Unmarshal(data, &own); err != nil {
		return nil, fmt.Errorf("read the values: %w", err)
	}
	if err := chartutil.ProcessDependenciesWithMerge(ch, own); err != nil {
		return nil, err
	}
	return chartutil.ToRenderValuesWithSchemaValidation(ch, own, options, caps, true)
}

// clear takes what is no manifest out of what the engine made: notes and our
// own marks; and refuses more than a chart may make.
func clear(files map[string]string, marks []string) error {
	for _, name := range marks {
		delete(files, name)
	}
	total := 0
	for name, content := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
		if total += len(content); total > MaxOutput {
			return fmt.Errorf("the templates make more than %d bytes, %s among them", MaxOutput, path.Clean(name))
		}
	}
	return nil
}
