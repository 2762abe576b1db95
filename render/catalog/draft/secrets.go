package draft

import (
	"maps"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/chart"
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
				if tree, err := o.Tree(); err == nil && o.Kind != "Secret" {
					namesIn(named, tree)
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

// namesIn adds the Secrets that a tree names as pods do.
func namesIn(into map[string]bool, value any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			namesIn(into, item)
		}
	case map[string]any:
		for key, inner := range value {
			reference, _ := inner.(map[string]any)
			field := map[string]string{"secretKeyRef": "name", "secretRef": "name", "secret": "secretName"}[key]
			if name, ok := reference[field].(string); ok && name != "" {
				into[name] = true
			}
			namesIn(into, inner)
		}
	}
}
