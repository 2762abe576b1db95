package hop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/finding"
)

// group is values that became others together: those of a mapping that has another name.
type group struct {
	from, to path
	fates    []*fate
}

// groups puts values that moved together: what their paths end with alike is what is
// below the same mapping.
func groups(fates []*fate) (all []group) {
	for _, f := range fates {
		from, to := f.path, f.to
		for f.form.how == "" && len(from) > 1 && len(to) > 1 && from.last() == to.last() && f.sure == Certain {
			from, to = from.parent(), to.parent()
		}
		if f.form.how != "" || !wholly(fates, from, to) {
			from, to = f.path, f.to
		}
		i := slices.IndexFunc(all, func(g group) bool { return slices.Equal(g.from, from) && slices.Equal(g.to, to) })
		if i < 0 {
			i, all = len(all), append(all, group{from: from, to: to})
		}
		all[i].fates = append(all[i].fates, f)
	}
	return all
}

// wholly reports whether all values of a mapping that are known went to another one.
func wholly(fates []*fate, from, to path) bool {
	return !slices.ContainsFunc(fates, func(f *fate) bool {
		return f.path.within(from) && (f.form.how != "" || f.sure != Certain || !slices.Equal(f.to, append(slices.Clip(to), f.path[len(from):]...)))
	})
}

// moves gives a finding for what has another name, place or form.
func (w *work) moves() (found []Finding) {
	var fates []*fate
	for _, f := range w.all() {
		if f.to != nil {
			fates = append(fates, f)
		}
	}
	for _, g := range groups(fates) {
		found = append(found, w.move(g))
	}
	return found
}

// all gives the fates of all values of the environment, by path.
func (w *work) all() (all []*fate) {
	for _, l := range w.leaves {
		all = append(all, w.fates[l.path.String()])
	}
	return all
}

func (w *work) move(g group) Finding {
	first := g.fates[0]
	f := Finding{
		Class: classOf(g, first), Severity: finding.Error, Certainty: first.sure,
		Evidence: evidenceOf(g), From: g.from.String(), To: g.to.String(), Objects: objectsOf(placesIn(g.fates)),
	}
	if w.otherType(first.path) {
		f.Class = TypeChange
	}
	used := slices.ContainsFunc(g.fates, (*fate).used)
	secret := slices.ContainsFunc(g.fates, func(f *fate) bool { return f.secret && f.used() })
	switch {
	case first.sure == Certain:
		f.Message = fmt.Sprintf("%s is %s in the new chart", f.From, withForm(f.To, first.form))
		f.Edits = w.editsOf(g)
		if w.isDangerous(first) {
			f.Message += ": with its default there, it " + danger(dangers(first.effect))
		}
		_, there := get(w.new.values, first.path)
		f.Blocks = used && there && (secret || w.isDangerous(first))
	default:
		f.Message = fmt.Sprintf("%s may be %s in the new chart", f.From, withForm(f.To, first.form))
		f.Todo = fmt.Sprintf("find out what became of %s, and move it by hand", f.From)
		f.Blocks = secret
	}
	if !used {
		f.Severity = finding.Warning
	}
	if _, there := get(w.new.values, first.path); len(f.Edits) == 0 && first.sure == Certain && there {
		f.Todo = fmt.Sprintf("write %s by hand: not all of what is there now is known", f.To)
	} else if len(f.Edits) == 0 && first.sure == Certain { // the layout of the new line has it there
		f.Severity, f.Message = finding.Info, f.Message+", and the environment sets it there already"
	}
	return f
}

func withForm(to string, form form) string {
	if form.how == "" {
		return to
	}
	return to + ", " + form.how
}

// classOf tells what became of the name of a value.
func classOf(g group, f *fate) Class {
	for len(g.from) > 1 && len(g.to) > 1 && g.from.last() == g.to.last() {
		g.from, g.to = g.from.parent(), g.to.parent()
	}
	switch {
	case f.form.how != "":
		return Restructured
	case strings.EqualFold(strings.Join(words(path{g.from.last()}), ""), strings.Join(words(path{g.to.last()}), "")) && !slices.Equal(g.from.parent(), g.to.parent()):
		return Moved
	}
	return Renamed
}

func placesIn(fates []*fate) (all []place) {
	for _, f := range fates {
		all = append(all, f.at...)
	}
	return all
}

// evidenceOf joins what is known of the values of a group.
func evidenceOf(g group) string {
	var all []string
	for _, f := range g.fates {
		if !slices.Contains(all, f.why) {
			all = append(all, f.why)
		}
	}
	return strings.Join(few(all), "; ")
}

// isDangerous reports whether the new chart would delete what keeps data, or start a
// database, where a switch has its default.
func (w *work) isDangerous(f *fate) bool {
	is, there := get(w.new.defaults, f.to)
	if _, isSwitch := f.value.(bool); !isSwitch || !there || equal(is, f.form.of(f.value)) {
		return false
	}
	deleted, started := dangers(f.effect)
	return len(deleted)+len(started) > 0
}

// editsOf gives the edits that move a group, of what the environment sets for the new
// chart too.
func (w *work) editsOf(g group) (edits []Edit) {
	if g.fates[0].form.how == "" && !slices.Equal(g.from, g.fates[0].path) && w.movesWhole(g) {
		return []Edit{{Path: g.from.String(), To: g.to.String()}}
	}
	for _, f := range g.fates {
		_, there := get(w.new.values, f.path)
		_, already := get(w.new.values, f.to)
		if f.path.within(f.to) { // a list in the place of the mapping around it
			already = false
			if !w.replaces(f.to) {
				return nil
			}
		}
		switch {
		case !there:
		case already || f.form.how == presence:
			edits = append(edits, Edit{Path: f.path.String(), Remove: true})
		case f.form.how == "":
			edits = append(edits, Edit{Path: f.path.String(), To: f.to.String()})
		case !f.secret:
			edits = append(edits, Edit{Path: f.path.String(), Remove: true}, Edit{Path: f.to.String(), Value: f.form.of(f.value)})
		}
	}
	return edits
}

// replaces reports whether it is known of all values of a mapping what they become, so
// that another value can take its place.
func (w *work) replaces(at path) bool {
	return !slices.ContainsFunc(w.all(), func(f *fate) bool {
		return f.path.within(at) && (f.sure != Certain || f.state != Placed && f.state != Gone)
	})
}

// movesWhole reports whether a mapping can move with all that is in it.
func (w *work) movesWhole(g group) bool {
	if _, there := get(w.new.values, g.to); there {
		return false
	}
	whole, _ := get(w.new.values, g.from)
	inner, _ := whole.(map[string]any)
	moved := 0
	for _, l := range leavesOf(inner) {
		at := append(slices.Clip(g.from), l.path...)
		if !slices.ContainsFunc(g.fates, func(f *fate) bool { return slices.Equal(f.path, at) }) {
			return false
		}
		moved++
	}
	return moved > 0
}
