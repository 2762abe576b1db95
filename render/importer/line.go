package importer

import (
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
)

// findLine takes the line of the chart's version or, where none is known, the
// one whose layout has the most of the values: the newest of several.
func (d *draft) findLine(cat catalog.Catalog) error {
	if version := d.version(render.PrefectCloud); version.Validate() == nil {
		line, _, err := cat.Find(render.PrefectCloud, version.Version())
		if err != nil {
			return fmt.Errorf("find the release line of prefect-cloud %s: %w", version, err)
		}
		if len(line.Layout) == 0 {
			return fmt.Errorf("find the release line of prefect-cloud %s: the catalog's line %q has no layout, and nothing says which chart values the fields set: add one in a catalog (--catalog)", version, line.Name)
		}
		d.line = line
		return nil
	}
	most := 0
	for _, named := range cat.Lines {
		line, err := cat.Line(named.Name)
		if err != nil {
			return fmt.Errorf("find the release line: %w", err)
		}
		n := d.explains(line)
		if len(line.Layout) == 0 || n < most {
			continue
		}
		if n > most {
			d.guesses, most = nil, n
		}
		d.line, d.guesses = line, append(d.guesses, line.Name)
	}
	if d.guesses == nil {
		return fmt.Errorf("find the release line: the catalog has none with a layout")
	}
	return nil
}

// explains counts the values that a line's layout sets.
func (d *draft) explains(line catalog.Line) int {
	n := 0
	for _, rule := range line.Layout {
		if in := d.in[releaseOf(rule)]; in != nil && rule.Path != "" && get(in.values, string(rule.Path)) != nil {
			n++
		}
	}
	return n
}

func releaseOf(rule catalog.Rule) string { return first(rule.Release, render.PrefectCloud) }

// rules is the layout's rules for a release.
func (d *draft) rules(release string) []catalog.Rule {
	return slices.DeleteFunc(slices.Clone(d.line.Layout), func(r catalog.Rule) bool { return releaseOf(r) != release })
}

// version is the chart version that the options or the objects name. It may
// be a range.
func (d *draft) version(key string) render.ChartVersion {
	said := d.o.PrefectCloud
	if key == render.PrefectIstiod {
		said = d.o.PrefectIstiod
	}
	if in := d.in[key]; said == "" && in != nil {
		said = render.ChartVersion(in.version)
	}
	return said
}
