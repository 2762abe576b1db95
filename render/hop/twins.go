package hop

import (
	"maps"
	"slices"
	"strings"
)

// isWorkload reports whether an object runs programs for as long as it is there.
func isWorkload(id object) bool {
	return (id.group == "apps" || id.group == "batch") && slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet", "CronJob"}, id.kind)
}

// sides gives what both versions make of the environment, the new one of the values that
// are known for it.
func (w *work) sides() (before, after *made, ok bool) {
	before, err := w.render(w.old, w.old.values)
	if err != nil {
		return nil, nil, false
	}
	after, err = w.render(w.new, w.now)
	return before, after, err == nil
}

// goneAndNew gives the objects that only one side has, without what runs once.
func goneAndNew(before, after *made) (gone, fresh []object) {
	runs := maps.Clone(runsOnce(before))
	maps.Copy(runs, runsOnce(after))
	for _, id := range before.ids() {
		if !after.has(id) && !runs[id] {
			gone = append(gone, id)
		}
	}
	for _, id := range after.ids() {
		if !before.has(id) && !runs[id] {
			fresh = append(fresh, id)
		}
	}
	return gone, fresh
}

// runsOnce gives hooks, and what else ends by itself.
func runsOnce(m *made) map[object]bool {
	all := map[object]bool{}
	for _, o := range m.objects {
		if o.Hook != nil || o.Kind == "Job" || o.Kind == "Pod" {
			all[object{o.Group(), o.Kind, o.Namespace, o.Name}] = true
		}
	}
	return all
}

// pair finds the objects that have another name in the new chart: of those of one kind,
// the ones that are the most like each other, and clearly more so than others.
func pair(before, after *made) map[object]object {
	const least, margin = 0.6, 0.03
	gone, fresh := goneAndNew(before, after)
	pairs := map[object]object{}
	taken := map[object]bool{}
	for _, id := range gone {
		best, first, second := object{}, 0.0, 0.0
		for _, other := range fresh {
			if other.kind != id.kind || other.group != id.group || taken[other] {
				continue
			}
			if how := resemblance(before, after, id, other); how > first {
				best, first, second = other, how, first
			} else {
				second = max(second, how)
			}
		}
		if first >= least && first-second >= margin && !slices.Contains([]string{"Secret", "PersistentVolumeClaim"}, id.kind) {
			pairs[id], taken[best] = best, true
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(pairs), compareObjects) {
		for _, other := range gone { // what belongs to it
			there := object{other.group, other.kind, other.namespace, pairs[id].name}
			if isWorkload(id) && other.name == id.name && slices.Contains(fresh, there) {
				pairs[other] = there
			}
		}
	}
	return pairs
}

// resemblance gives the share of the fields of two objects that are the same, but for their
// names.
func resemblance(before, after *made, a, b object) float64 {
	first, second := neutral(before.fields(a), a.name), neutral(after.fields(b), b.name)
	same := 0
	for field, text := range first {
		if second[field] == text {
			same++
		}
	}
	return float64(same) / float64(max(len(first), len(second), 1))
}

// neutral gives fields without the name of the object in them, and without what every
// version changes.
func neutral(all fields, name string) fields {
	neutral := fields{}
	for field, text := range all {
		if strings.HasSuffix(field, ".image") || strings.Contains(field, "helm.sh/chart") || strings.Contains(field, "app.kubernetes.io/version") {
			continue
		}
		neutral[strings.ReplaceAll(field, "[name="+name+"]", "[name=]")] = strings.ReplaceAll(text, name, "\x00")
	}
	return neutral
}
