// Package chart renders Helm charts the way the programs that install them do:
// a chart's files and values in, the Kubernetes objects out. It is Helm's own
// engine, with bounds for charts that nobody has looked at yet, and like
// package render it never touches disk, network, clock or environment
// variables.
package chart

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
)

// What a chart may have. The sizes are Helm's own
// (https://github.com/helm/helm/blob/v3.22.0/pkg/chart/loader/archive.go), but
// for all archives inside an archive together; the largest public charts have
// some hundreds of files.
const (
	MaxArchive = 64 << 20  // bytes of an archive
	MaxTotal   = 100 << 20 // bytes of all files
	MaxFile    = 5 << 20   // bytes of one file
	MaxFiles   = 5000
	maxParsed  = 4 << 20 // bytes of all values.yaml, Chart.yaml and locks: read, they are fifty times as big
	maxNesting = 8       // archives in archives
	maxName    = 1024
)

// Chart is a chart that was read. It never changes, so any number of renders
// may share it, at the same time too.
type Chart struct {
	read  *helm.Chart
	facts *facts
}

// Name is the chart's name.
func (c Chart) Name() string { return c.read.Name() }

// Version is the chart's version, as its Chart.yaml has it.
func (c Chart) Version() string { return c.read.Metadata.Version }

// Deprecated reports whether the chart says so of itself.
func (c Chart) Deprecated() bool { return c.read.Metadata.Deprecated }

// Load reads a chart archive, a gzipped tar. An archive with anything but
// plain files, with names that lead out of it, or with more than a chart may
// have is refused before Helm sees it.
func Load(archive []byte) (Chart, error) {
	if len(archive) > MaxArchive {
		return Chart{}, fmt.Errorf("the archive has %d bytes: at most %d are read", len(archive), MaxArchive)
	}
	left := budget{MaxTotal, MaxFiles}
	files, err := unpack(archive, &left)
	if err != nil {
		return Chart{}, fmt.Errorf("unpack the chart: %w", err)
	}
	return load(files, &left)
}

// FromFiles reads an unpacked chart: its files by their slashed paths in the
// chart's folder. The bounds of [Load] hold.
func FromFiles(files map[string][]byte) (Chart, error) {
	left := budget{MaxTotal, MaxFiles}
	var list []*loader.BufferedFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		clean, err := inside(name)
		if err != nil {
			return Chart{}, err
		}
		if err := left.take(name, int64(len(files[name]))); err != nil {
			return Chart{}, err
		}
		list = append(list, &loader.BufferedFile{Name: clean, Data: trimMark(files[name])})
	}
	return load(list, &left)
}

// load makes a chart of its files.
func load(files []*loader.BufferedFile, left *budget) (c Chart, err error) {
	defer func() { // YAML that breaks a reader must not break us
		if r := recover(); r != nil {
			err = fmt.Errorf("read the chart: %v", r)
		}
	}()
	files, err = expand(files, left, 0)
	if err != nil {
		return Chart{}, err
	}
	if err := checkParsed(files); err != nil {
		return Chart{}, err
	}
	read, err := loader.LoadFiles(files)
	if err != nil {
		return Chart{}, fmt.Errorf("read the chart: %w", err)
	}
	if err := checkNames(read); err != nil {
		return Chart{}, err
	}
	sortDependencies(read)
	return Chart{read, &facts{}}, nil
}

// checkParsed refuses more YAML than can be parsed in the memory that rendering has:
// that which Helm parses when it reads a chart, also of the charts in it
// (https://github.com/helm/helm/blob/v3.22.0/pkg/chart/loader/load.go).
func checkParsed(files []*loader.BufferedFile) error {
	total := 0
	for _, file := range files {
		switch path.Base(file.Name) {
		case "Chart.yaml", "Chart.lock", "values.yaml", "requirements.yaml", "requirements.lock":
			total += len(file.Data)
		}
	}
	if total > maxParsed {
		return fmt.Errorf("the values.yaml and Chart.yaml of the chart and of those in it have %d bytes together: at most %d are read", total, maxParsed)
	}
	return nil
}

// checkNames refuses a name that would lead out of the chart's own folder:
// the paths of templates are made of it, and shown.
func checkNames(c *helm.Chart) error {
	if name := c.Name(); name != path.Base(name) || name == "." || name == ".." || strings.ContainsFunc(name, control) {
		return fmt.Errorf("the chart's name %q is none", name)
	}
	for _, dependency := range c.Dependencies() {
		if err := checkNames(dependency); err != nil {
			return err
		}
	}
	return nil
}

// sortDependencies gives the charts in charts/ an order: Helm takes them from
// a map.
func sortDependencies(c *helm.Chart) {
	dependencies := slices.Clone(c.Dependencies())
	slices.SortStableFunc(dependencies, func(a, b *helm.Chart) int {
		return strings.Compare(a.Name()+"\x00"+a.Metadata.Version, b.Name()+"\x00"+b.Metadata.Version)
	})
	c.SetDependencies(dependencies...)
	for _, dependency := range dependencies {
		sortDependencies(dependency)
	}
}

// checkInstallable is what Helm asks of a chart before it renders it
// (https://github.com/helm/helm/blob/v3.22.0/cmd/helm/install.go).
func checkInstallable(c *helm.Chart) error {
	if kind := c.Metadata.Type; kind != "" && kind != "application" {
		return fmt.Errorf("%s charts are not installable", kind)
	}
	var missing []string
	for _, wanted := range c.Metadata.Dependencies {
		if wanted == nil {
			return errors.New("an empty dependency in Chart.yaml")
		}
		if !slices.ContainsFunc(c.Dependencies(), func(d *helm.Chart) bool { return d.Name() == wanted.Name }) {
			missing = append(missing, wanted.Name)
		}
	}
	if missing != nil {
		return fmt.Errorf("found in Chart.yaml, but missing in charts/ directory: %s", strings.Join(missing, ", "))
	}
	return nil
}

// fresh is a copy of a chart to render: Helm takes charts that are not wanted
// out of it and writes imported values and aliases into it. What is only read,
// the files, is shared.
func fresh(c *helm.Chart) *helm.Chart {
	metadata := *c.Metadata
	metadata.Dependencies = nil
	for _, d := range c.Metadata.Dependencies {
		if d == nil {
			metadata.Dependencies = append(metadata.Dependencies, nil)
			continue
		}
		dependency := *d
		dependency.ImportValues = slices.Clone(d.ImportValues)
		metadata.Dependencies = append(metadata.Dependencies, &dependency)
	}
	metadata.Annotations = maps.Clone(metadata.Annotations)
	values, _ := deepCopy(c.Values).(map[string]any)
	copied := &helm.Chart{Raw: c.Raw, Metadata: &metadata, Lock: c.Lock, Templates: c.Templates, Values: values, Schema: c.Schema, Files: c.Files}
	for _, dependency := range c.Dependencies() {
		copied.AddDependency(fresh(dependency))
	}
	return copied
}

// deepCopy copies a tree as JSON has it.
func deepCopy(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if value == nil {
			return value
		}
		copied := make(map[string]any, len(value))
		for key, item := range value {
			copied[key] = deepCopy(item)
		}
		return copied
	case []any:
		copied := make([]any, len(value))
		for i, item := range value {
			copied[i] = deepCopy(item)
		}
		return copied
	default:
		return value
	}
}
