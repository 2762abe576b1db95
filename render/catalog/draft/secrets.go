package draft

import (
	"maps"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

// secrets gives the Secrets that the new chart reads where it makes none, with their keys:
// those that its pods name then, and that the chart itself makes otherwise. Keys that only
// some of the probes have are in some; none are proved where the probes are missing.
func (d *drafting) secrets() (all, some map[string][]string) {
	all, some = map[string][]string{}, map[string][]string{}
	named := map[string]bool{}
	var made []map[string][]string
	for _, run := range d.Runs {
		switch own := secretsMade(run.Analysis.Objects); {
		case run.Own || run.Analysis.Objects == nil:
		case run.IntoChart:
			for _, o := range run.Analysis.Objects {
				tree, err := o.Tree()
				if err != nil {
					continue
				}
				for _, r := range reads.References(tree) {
					if r.Kind == "Secret" {
						named[r.Name] = true
					}
				}
			}
			for name := range own {
				delete(named, name)
			}
		default:
			made = append(made, own)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !d.isShared(name) {
			continue
		}
		counts := map[string]int{}
		for _, one := range made {
			for _, key := range one[name] {
				counts[key]++
			}
		}
		for _, key := range slices.Sorted(maps.Keys(counts)) {
			if counts[key] == len(made) {
				all[name] = append(all[name], key)
			} else {
				some[name] = append(some[name], key)
			}
		}
	}
	return all, some
}

// secretsMade gives the Secrets among objects with their keys.
func secretsMade(objects []chart.Object) map[string][]string {
	all := map[string][]string{}
	for _, o := range objects {
		tree, err := o.Tree()
		if err != nil || o.Kind != "Secret" {
			continue
		}
		for _, field := range []string{"data", "stringData"} {
			data, _ := tree[field].(map[string]any)
			all[o.Name] = slices.AppendSeq(all[o.Name], maps.Keys(data))
		}
		slices.Sort(all[o.Name])
		all[o.Name] = slices.Compact(all[o.Name])
	}
	return all
}
