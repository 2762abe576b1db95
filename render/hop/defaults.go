package hop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

// dangers gives what another value would delete that keeps data, and which databases and
// caches it would start: a is what there is, b what there would be.
func dangers(e effect) (deleted, started []object) {
	if e.a == nil || e.b == nil {
		return nil, nil
	}
	for _, id := range e.a.ids() {
		if !e.b.has(id) && reads.KeepsData(id.group, id.kind) {
			deleted = append(deleted, id)
		}
	}
	for _, id := range e.b.ids() {
		if !e.a.has(id) && keepsData(e.b.tree(id)) {
			started = append(started, id)
		}
	}
	return deleted, started
}

// keepsData reports whether an object runs a database or a cache.
func keepsData(tree map[string]any) bool {
	return reads.Databases().RunBy(tree) || reads.Caches().RunBy(tree)
}

func namesOf(ids []object) []string {
	var all []string
	for _, id := range ids {
		all = append(all, id.String())
	}
	return few(all)
}

// other is a default that is another one in the new chart.
type other struct {
	from, to path
	was, is  any
}

// changedDefaults gives the defaults that the environment gets, and that are others, also
// those of values with another name.
func (w *work) changedDefaults() (all []other) {
	for _, l := range leavesOf(w.old.defaults) {
		to := l.path
		if _, set := get(w.old.values, l.path); set || l.value == nil {
			continue
		}
		if w.isGone(l.path) {
			to = w.mapped(l.path)
		}
		if _, set := get(w.now, to); to == nil || set {
			continue
		}
		is, there := get(w.new.defaults, to)
		if there && kindOf(is) == kindOf(l.value) && !equal(is, l.value) {
			all = append(all, other{l.path, to, l.value, is})
		}
	}
	return all
}

// mapped gives where a value that the environment does not set has its place, by what is
// around it; nil if that is not known.
func (w *work) mapped(at path) path {
	var fates []*fate
	for _, f := range w.all() {
		if f.state == Placed && f.sure == Certain {
			fates = append(fates, f)
		}
	}
	for _, g := range groups(fates) {
		if at.within(g.from) && !slices.Equal(at, g.from) {
			return append(slices.Clip(g.to), at[len(g.from):]...)
		}
	}
	return w.said.to(at)
}

// defaults gives findings for other defaults that change objects of the environment.
func (w *work) defaults() (found []Finding) {
	for _, f := range w.flips {
		if f.set {
			found = append(found, w.flipped(f))
		}
	}
	for _, d := range w.changedDefaults() {
		e, ok := w.effectOf(w.new, with(w.now, d.to, d.was), w.now)
		if !ok || e.empty() {
			continue
		}
		if one, reported := w.changedDefault(d, e); reported {
			found = append(found, one)
		}
	}
	return found
}

// flipped reports a switch that has to be set so that it stays as it was.
func (w *work) flipped(f *flip) Finding {
	is, _ := get(w.new.defaults, f.to)
	one := Finding{
		Class: ChangedDefault, Severity: finding.Error, Certainty: Certain, From: f.path.String(), To: f.to.String(),
		Was: written(f.value), Is: written(is), Objects: objectsOf(f.at),
		Evidence: fmt.Sprintf("switched at %s%s, and nowhere else, it does to %s what %s did", f.to, spaced(f.form.how), theFields(len(f.at)), f.path),
		Edits:    []Edit{{Path: f.to.String(), Value: f.form.of(f.value)}},
	}
	one.Message = fmt.Sprintf("%s was %s by default, and %s is %s: the environment sets neither", f.path, one.Was, f.to, one.Is)
	one.endanger(f.effect)
	return one
}

// endanger says what a default that the environment gets deletes or starts.
func (f *Finding) endanger(e effect) {
	deleted, started := dangers(e)
	if len(deleted)+len(started) == 0 {
		return
	}
	f.Class, f.Severity, f.Blocks = Flipped, finding.Error, true
	f.Message += "; it " + danger(deleted, started)
}

// danger says what is deleted and started.
func danger(deleted, started []object) string {
	var parts []string
	if len(deleted) > 0 {
		parts = append(parts, "deletes "+list(namesOf(deleted)))
	}
	if len(started) > 0 {
		parts = append(parts, "starts "+list(namesOf(started)))
	}
	return strings.Join(parts, " and ")
}

func (w *work) changedDefault(d other, e effect) (f Finding, reported bool) {
	f = Finding{
		Class: ChangedDefault, Severity: finding.Info, Certainty: Certain, From: d.from.String(), To: d.to.String(),
		Was: shown(d.from, d.was), Is: shown(d.to, d.is), Objects: objectsOf(e.sorted()),
		Evidence: "with the old default in its place the new chart makes " + list(placesOf(e.sorted())) + " as before",
	}
	f.Message = fmt.Sprintf("the default of %s is %s, and was %s", d.to, f.Is, f.Was)
	f.Todo = fmt.Sprintf("set %s if it shall stay %s", d.to, f.Was)
	for _, m := range w.in.Moves {
		if m.Require == f.To && m.Why != "" {
			f.Evidence += "; the catalog says: " + m.Why
		}
	}
	f.endanger(e)
	runs := runsOnce(e.b)
	gone, fresh := goneAndNew(e.a, e.b)
	switch renamed := pair(e.a, e.b); {
	case f.Blocks && shown(d.to, d.was) == written(d.was):
		f.Edits = []Edit{{Path: d.to.String(), Value: d.was}}
	case all(e, func(p place) bool { return runs[p.object] || strings.HasSuffix(p.field, ".image") }):
		return f, false // what runs and which images are needed have findings of their own
	case len(renamed) > 0 && len(renamed) == len(gone) && len(gone) == len(fresh):
		f.Class, f.Severity = RenamedObject, finding.Warning
		var names []string
		for _, id := range gone {
			names = append(names, fmt.Sprintf("%s becomes %s", id, renamed[id].name))
			w.explained[id], w.explained[renamed[id]] = true, true
		}
		f.Message += ": " + list(few(names)) + ", and the old one is deleted"
		f.Todo = fmt.Sprintf("leave %s out if the new name is wanted, and delete nothing that the old one is needed for", d.to)
		f.Edits = []Edit{{Path: d.to.String(), Value: d.was}}
	case slices.ContainsFunc(e.sorted(), isPort):
		f.Severity = finding.Warning
		f.Message += ": what points at the port of the Service, such as a load balancer, has to follow"
	}
	return f, true
}

func all(e effect, holds func(place) bool) bool {
	return !slices.ContainsFunc(e.sorted(), func(p place) bool { return !holds(p) })
}

// isPort reports whether a place is a port of a Service.
func isPort(p place) bool {
	return p.kind == "Service" && strings.HasPrefix(p.field, "spec.ports") && strings.HasSuffix(p.field, ".port")
}

// shown gives a default on a line, if it is no secret.
func shown(at path, value any) string {
	if plaintext.Key(at.last()) != nil && !isEmpty(value) {
		return "(hidden)"
	}
	return written(value)
}
