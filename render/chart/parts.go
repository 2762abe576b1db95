package chart

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"
)

// ValuesText is the chart's own values.yaml with its comments, without those
// of the charts in it; nil if it has none. `helm show values` prints it and
// a line break.
func (c Chart) ValuesText() []byte {
	for _, file := range c.read.Raw {
		if file != nil && file.Name == chartutil.ValuesfileName {
			return file.Data
		}
	}
	return nil
}

// Schema is the chart's own values.schema.json, nil if it has none.
func (c Chart) Schema() []byte { return c.read.Schema }

// Readme is the chart's README, nil if it has none: of the names that
// `helm show readme` knows the first file's
// (https://github.com/helm/helm/blob/v3.22.0/pkg/action/show.go).
func (c Chart) Readme() []byte {
	names := []string{"readme.md", "readme.txt", "readme"}
	for _, file := range c.read.Files {
		if file != nil && slices.Contains(names, strings.ToLower(file.Name)) {
			return file.Data
		}
	}
	return nil
}

// Metadata is Chart.yaml as YAML, as `helm show chart` prints it.
func (c Chart) Metadata() ([]byte, error) { return yaml.Marshal(c.read.Metadata) }

// KubeVersion is the Kubernetes that the chart wants, a constraint such as
// ">=1.29.0-0"; empty if it wants none.
func (c Chart) KubeVersion() string { return c.read.Metadata.KubeVersion }

// RunsOn is a [KubeVersionError] if the chart wants another Kubernetes than
// this version, such as "1.33", as a renderer tells it. Helm asks only the chart
// itself, not those in it.
func (c Chart) RunsOn(as Renderer, kubeVersion string) error {
	caps, err := capabilities(Input{As: as, KubeVersion: kubeVersion})
	if err != nil {
		return err
	}
	return fits(c.KubeVersion(), caps)
}

// Defaults is the values that templates get where nobody sets any: the chart's
// own with those of the charts in it below their alias or name, without the
// charts that are off, with imported values, and with globals where Helm puts
// them. The caller may change what it gets.
func (c Chart) Defaults() (map[string]any, error) { return c.Effective(nil) }

// Effective gives the values that templates get where values are set: those, laid
// over the [Chart.Defaults] of all charts that are on with them. The caller may
// change what it gets.
func (c Chart) Effective(values map[string]any) (map[string]any, error) {
	all, err := effective(fresh(c.read), values)
	if err != nil {
		return nil, fmt.Errorf("chart %s %s: default values: %w", c.Name(), c.Version(), err)
	}
	return all, nil
}

func effective(ch *helm.Chart, values map[string]any) (map[string]any, error) {
	if values == nil {
		values = map[string]any{}
	}
	composed, err := compose(ch, values, chartutil.ReleaseOptions{}, nil)
	if err != nil {
		return nil, err
	}
	coalesced, _ := composed["Values"].(chartutil.Values)
	return coalesced.AsMap(), nil
}

// Off is the charts in it that are off by default, by alias or name: their
// defaults are not in [Chart.Defaults].
func (c Chart) Off() ([]string, error) {
	ch := fresh(c.read)
	if _, err := effective(ch, nil); err != nil {
		return nil, err
	}
	var off []string
	for _, p := range c.Parts().Parts {
		if !slices.ContainsFunc(ch.Dependencies(), func(d *helm.Chart) bool { return d.Name() == p.Key }) {
			off = append(off, p.Key)
		}
	}
	return off, nil
}

// Part is a chart or a chart in it, with what is its own. What it refers to is
// shared: it must not be changed.
type Part struct {
	Key       string // of its values in those of the chart around it: its alias or name
	Path      string // what the names of its templates begin with
	Library   bool   // only its partials are templates
	Values    map[string]any
	Schema    []byte
	Templates []File // by name
	Files     []File // its other files, by name
	// Conditions are values of the chart around it that decide whether the part
	// is on, by dotted path; Tags are those below tags.
	Conditions, Tags []string
	Imports          []Import
	Parts            []Part // by key
}

// File is a file of a chart.
type File struct {
	Name   string // templates have the path of their chart in front
	Source []byte
}

// Import is a value of a part that is a default of the chart around it too
// (import-values in Chart.yaml), both by dotted path; Parent is empty for the top.
type Import struct{ Child, Parent string }

// Parts is the chart with all charts in it, those that are off by default too.
func (c Chart) Parts() Part { return part(c.read, c.Name()) }

func part(c *helm.Chart, at string) Part {
	p := Part{
		Key: path.Base(at), Path: at, Library: c.Metadata.Type == "library",
		Values: c.Values, Schema: c.Schema, Templates: files(c.Templates, at+"/"), Files: files(c.Files, ""),
	}
	below := func(key string) string { return at + "/charts/" + key }
	for _, own := range c.Dependencies() {
		if !slices.ContainsFunc(c.Metadata.Dependencies, func(d *helm.Dependency) bool { return means(d, own) }) {
			p.Parts = append(p.Parts, part(own, below(own.Name())))
		}
	}
	for _, wanted := range c.Metadata.Dependencies {
		i := slices.IndexFunc(c.Dependencies(), func(own *helm.Chart) bool { return means(wanted, own) })
		if i >= 0 {
			inner := part(c.Dependencies()[i], below(cmp.Or(wanted.Alias, wanted.Name)))
			inner.dependOn(wanted)
			p.Parts = append(p.Parts, inner)
		}
	}
	slices.SortStableFunc(p.Parts, func(a, b Part) int { return strings.Compare(a.Key, b.Key) })
	return p
}

// means reports whether a dependency in Chart.yaml is a chart in charts/
// (getAliasDependency in
// https://github.com/helm/helm/blob/v3.22.0/pkg/chartutil/dependencies.go).
func means(wanted *helm.Dependency, c *helm.Chart) bool {
	return wanted != nil && wanted.Name == c.Name() && chartutil.IsCompatibleRange(wanted.Version, c.Metadata.Version)
}

// dependOn fills in what the chart around it says of a part.
func (p *Part) dependOn(wanted *helm.Dependency) {
	for condition := range strings.SplitSeq(wanted.Condition, ",") {
		if condition = strings.TrimSpace(condition); condition != "" {
			p.Conditions = append(p.Conditions, condition)
		}
	}
	p.Tags = wanted.Tags
	for _, imported := range wanted.ImportValues {
		switch imported := imported.(type) {
		case string:
			p.Imports = append(p.Imports, Import{Child: "exports." + imported})
		case map[string]any:
			parent := fmt.Sprint(imported["parent"])
			p.Imports = append(p.Imports, Import{fmt.Sprint(imported["child"]), strings.Trim(parent, ".")})
		}
	}
}

func files(list []*helm.File, prefix string) []File {
	var all []File
	for _, file := range list {
		if file != nil {
			all = append(all, File{prefix + file.Name, file.Data})
		}
	}
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return all
}
