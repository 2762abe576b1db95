package hop

import (
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/finding"
)

// losses gives a finding for what does nothing any more, and for what nothing is known
// of.
func (w *work) losses() (found []Finding) {
	for _, f := range w.all() {
		if f.to != nil || f.state != Gone && f.state != Lost {
			continue
		}
		name := f.path.String()
		one := Finding{
			Class: Removed, Severity: finding.Error, Certainty: f.sure, Evidence: f.why,
			From: name, Objects: objectsOf(f.effect.sorted()), Blocks: f.secret && f.used(),
		}
		if w.otherType(f.path) {
			one.Class = TypeChange
		}
		_, there := get(w.new.values, f.path)
		switch {
		case f.state == Gone:
			one.Message = fmt.Sprintf("%s does nothing in the new chart", name)
			if there && !one.Blocks {
				one.Edits = []Edit{{Path: name, Remove: true}}
			}
			if !there && !f.used() {
				continue // the layout of the new line leaves it out
			}
			if !f.used() {
				one.Severity = finding.Warning
			}
		default:
			one.Message = fmt.Sprintf("nothing shows what becomes of %s in the new chart", name)
			one.Todo = fmt.Sprintf("find out what became of %s: see the release notes of the chart", name)
			if !f.used() && one.Class == Removed {
				one.Severity = finding.Warning
			}
		}
		if !there {
			one.Severity = finding.Info
			one.Message += ", and the environment does not set it there"
		}
		if one.Blocks {
			one.Severity = finding.Error
			one.Todo = fmt.Sprintf("find out where the chart takes the secret of %s from", name)
		}
		found = append(found, one)
	}
	return found
}

// activated gives a finding for values that did nothing and do something now, one for
// each mapping that the chart has for them.
func (w *work) activated() (found []Finding) {
	places := map[string][]place{}
	var order []string
	for _, f := range w.all() {
		if !f.active {
			continue
		}
		at := f.path
		for len(at) > 1 && stands(w.new.defaults, at) != known {
			at = at.parent()
		}
		name := at.String()
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
		places[name] = append(places[name], f.at...)
	}
	for _, name := range order {
		found = append(found, Finding{
			Class: Activated, Severity: finding.Warning, Certainty: Certain, From: name, To: name,
			Message:  fmt.Sprintf("%s was ignored, and is applied now", name),
			Evidence: "no other value changed anything in the old chart; in the new one it reaches " + list(placesOf(places[name])),
			Todo:     fmt.Sprintf("check that %s is what you want, or take it out", name),
			Objects:  objectsOf(places[name]),
		})
	}
	return found
}

// parity says of each value what became of it.
func (w *work) parity() []Parity {
	all := []Parity{}
	for _, f := range w.all() {
		p := Parity{Path: f.path.String(), Secret: f.secret, Fate: f.state, Certainty: f.sure, Form: f.form.how, Why: f.why, Objects: placesOf(f.at)}
		if f.to != nil {
			p.To = f.to.String()
		}
		if p.Fate == "" {
			p.Fate, p.Certainty, p.Why = Lost, Unknown, "it was not tried"
		}
		all = append(all, p)
	}
	return all
}
