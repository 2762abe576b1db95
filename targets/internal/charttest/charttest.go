// Package charttest renders charts for tests, as `helm template` does.
package charttest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

// Options is what else a rendering depends on. The zero value is an
// installation by the guide's names on Kubernetes 1.33.
type Options struct {
	Upgrade     bool
	APIVersions []string // in addition to those of Kubernetes
}

// Rendering is what came out.
type Rendering struct {
	Objects []Object // in the order of their files and places
	Notes   string
}

// Object is a Kubernetes object as a template wrote it, to be read only.
type Object struct {
	File   string // below the chart's folder
	Source string // YAML
	Map    map[string]any
}

// releases has the release and the namespace of the guide's commands.
var releases = map[string]chartutil.ReleaseOptions{
	"prefect-istiod": {Name: "istiod", Namespace: "istio-system"},
	"prefect-cloud":  {Name: "customer-managed", Namespace: "customer-managed"},
}

// Render renders a chart with values, which it validates with the chart's
// schema. It changes the chart: load another one for another rendering.
func Render(chart *chart.Chart, values map[string]any, o Options) (Rendering, error) {
	release := releases[chart.Name()]
	release.Revision, release.IsInstall, release.IsUpgrade = 1, !o.Upgrade, o.Upgrade
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = chartutil.KubeVersion{Version: "v1.33.0", Major: "1", Minor: "33"}
	capabilities.APIVersions = append(slices.Clone(capabilities.APIVersions), o.APIVersions...)
	if err := chartutil.ProcessDependenciesWithMerge(chart, values); err != nil {
		return Rendering{}, err
	}
	all, err := chartutil.ToRenderValues(chart, values, release, capabilities)
	if err != nil {
		return Rendering{}, err
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		return Rendering{}, err
	}
	return read(chart.Name(), files)
}

func read(chart string, files map[string]string) (Rendering, error) {
	var rendering Rendering
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Base(name) == "NOTES.txt" {
			rendering.Notes += files[name]
			continue
		}
		documents := releaseutil.SplitManifests(files[name])
		keys := slices.Collect(maps.Keys(documents))
		slices.SortFunc(keys, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) })
		for _, key := range keys {
			parsed, err := parse(documents[key])
			if err != nil {
				return Rendering{}, fmt.Errorf("%s: %w", name, err)
			}
			if len(parsed) > 0 {
				rendering.Objects = append(rendering.Objects, Object{strings.TrimPrefix(name, chart+"/"), documents[key], parsed})
			}
		}
	}
	return rendering, nil
}

// seen is what was parsed: most objects are the same in most renderings.
var seen sync.Map

func parse(document string) (map[string]any, error) {
	if object, ok := seen.Load(document); ok {
		return object.(map[string]any), nil
	}
	var object map[string]any
	if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
		return nil, err
	}
	seen.Store(document, object)
	return object, nil
}

// Kind returns the object's kind.
func (o Object) Kind() string {
	kind, _ := o.Map["kind"].(string)
	return kind
}

// Name returns the object's name.
func (o Object) Name() string {
	name, _ := o.At("metadata", "name").(string)
	return name
}

// At returns what lies at a path of keys; nil if there is nothing.
func (o Object) At(keys ...string) any {
	var value any = o.Map
	for _, key := range keys {
		m, _ := value.(map[string]any)
		value = m[key]
	}
	return value
}
