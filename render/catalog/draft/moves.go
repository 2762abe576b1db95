package draft

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// move is a change of a value with what shows it.
type move struct {
	from, to string
	form     string // as the new chart takes it
	why      string
}

// moveEntries gives the changes of values, and reports whether any of them is new to the
// catalog.
func (d *drafting) moveEntries() (entries []entry, differs bool) {
	certain := d.certainMoves()
	if d.Known {
		for _, m := range d.New.Moves {
			if m.Require != "" {
				entries = append(entries, entry{sure: hop.Certain, why: "documented in the catalog already", item: moveItem(m)})
				continue
			}
			f := d.fate(m.From)
			if f.proved() && f.Fate == hop.Placed && f.To != m.To {
				entries = append(entries, entry{sure: hop.Certain, why: fmt.Sprintf("the catalog says that %s becomes %s, and rendering contradicts it", m.From, cmp.Or(m.To, "nothing"))})
				differs = true
				continue
			}
			entries = append(entries, entry{sure: hop.Certain, why: "documented in the catalog already", item: moveItem(m)})
			certain = slices.DeleteFunc(certain, func(c move) bool { return covers(move{from: m.From, to: m.To}, c) })
		}
	}
	for _, m := range certain {
		differs = true
		one := catalog.Move{From: m.from, To: m.to, Why: m.form}
		entries = append(entries, entry{sure: hop.Certain, why: m.why, item: moveItem(one)})
	}
	more, asked := d.requireEntries()
	entries = append(entries, more...)
	return append(entries, d.openMoves(certain)...), differs || asked
}

func moveItem(m catalog.Move) (item []pair) {
	for _, one := range []pair{{"from", m.From}, {"to", m.To}, {"require", m.Require}, {"was", m.Was}, {"why", m.Why}, {"source", m.Source}} {
		if one.value != "" {
			item = append(item, one)
		}
	}
	return item
}

// certainMoves gives all changes that are proved, by path, none of them below another one
// that says the same.
func (d *drafting) certainMoves() []move {
	var all []move
	for _, run := range d.Runs {
		for _, f := range run.Analysis.Findings {
			if m, ok := d.moveOf(run, f); ok {
				all = append(all, m)
			}
		}
	}
	for _, run := range d.Runs { // what a wider change that does not hold was about
		for _, p := range run.Analysis.Parity {
			if p.Certainty == hop.Certain && (p.Fate == hop.Placed || p.Fate == hop.Gone) && d.shareable(run, p.Path, p.To) && d.holds(p.Path, p.To) {
				all = append(all, move{p.Path, p.To, p.Form, d.clean(p.Why) + " (" + run.About + ")"})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b move) int { return cmp.Or(len(a.from)-len(b.from), cmp.Compare(a.from, b.from)) })
	var kept []move
	for _, m := range all {
		if !slices.ContainsFunc(kept, func(k move) bool { return covers(k, m) }) {
			kept = append(kept, m)
		}
	}
	slices.SortStableFunc(kept, func(a, b move) int { return cmp.Compare(a.from, b.from) })
	return kept
}

// covers reports whether a change says what another one says.
func covers(wide, m move) bool {
	rest, is := strictyaml.Under(m.from, wide.from)
	if !is {
		return false
	}
	if wide.to == "" || m.to == "" || rest == "" {
		return wide.to == m.to
	}
	return wide.to+rest == m.to
}

// moveOf gives the change of a finding, if it is certain and no comparison shows anything
// else.
func (d *drafting) moveOf(run Run, f hop.Finding) (move, bool) {
	isMove := slices.Contains([]hop.Class{hop.Renamed, hop.Moved, hop.Restructured, hop.Removed, hop.TypeChange}, f.Class) || isFlip(f)
	if !isMove || f.Certainty != hop.Certain || f.From == "" || f.From == f.To || !d.shareable(run, f.From, f.To) || !d.holds(f.From, f.To) {
		return move{}, false
	}
	m := move{from: f.From, to: f.To, why: d.clean(f.Evidence) + " (" + run.About + ")"}
	for _, p := range run.Analysis.Parity {
		if p.Path == f.From {
			m.form = p.Form
		}
	}
	if isFlip(f) && f.Was != fmt.Sprint(f.Edits[0].Value) {
		m.form = hop.Opposite
	}
	return m, true
}

// holds reports whether no comparison proves anything else of what is below a path.
func (d *drafting) holds(from, to string) bool {
	for _, run := range d.Runs {
		for _, p := range run.Analysis.Parity {
			rest, is := strictyaml.Under(p.Path, from)
			switch {
			case !is || rank(p) < 4:
			case p.Fate == hop.Landed, p.Fate == hop.Gone && (to == "") != (rest == "" || to == ""):
				return false
			case p.Fate == hop.Placed && to == "", p.Fate == hop.Placed && p.To != to+rest && p.To != to:
				return false
			}
		}
	}
	return true
}

// shareable reports whether the paths of a change can be in a catalog, and both charts have
// them: below a mapping where any key may be, they are an environment's own.
func (d *drafting) shareable(run Run, from, to string) bool {
	if !isName(from) || to != "" && !isName(to) {
		return false
	}
	return !run.Own || has(d.OldDefaults, from) && (to == "" || has(d.NewDefaults, to))
}

// has reports whether defaults have a dotted path.
func has(defaults map[string]any, path string) bool {
	var value any = defaults
	for key := range strings.SplitSeq(path, ".") {
		inner, _ := value.(map[string]any)
		var there bool
		if value, there = inner[key]; !there {
			return false
		}
	}
	return true
}

// openMoves says what is suspected of values, and of which nothing is known.
func (d *drafting) openMoves(certain []move) (entries []entry) {
	seen := map[string]bool{}
	for _, run := range d.Runs {
		for _, f := range run.Analysis.Findings {
			isOpen := f.Certainty != hop.Certain && f.From != "" && f.From != f.To && f.Class != hop.ChangedDefault
			if !isOpen || seen[f.From+"\x00"+f.To] || d.fate(f.From).proved() || run.Own && !d.shareable(run, f.From, f.To) {
				continue
			}
			if slices.ContainsFunc(certain, func(m move) bool { _, is := strictyaml.Under(f.From, m.from); return is }) {
				continue
			}
			seen[f.From+"\x00"+f.To] = true
			one := entry{sure: f.Certainty, why: d.clean(f.Evidence) + " (" + run.About + ")"}
			if f.To != "" && d.shareable(run, f.From, f.To) {
				one.off, one.item = true, []pair{{"from", f.From}, {"to", f.To}}
			} else {
				one.sure, one.why = hop.Unknown, fmt.Sprintf("decide what becomes of %s: %s", d.clean(f.From), one.why)
			}
			entries = append(entries, one)
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.why, b.why) })
	return entries
}
