package draft

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/hop"
)

// entry is an item of a list in the draft, with the comment before it.
type entry struct {
	sure hop.Certainty
	why  string
	item []pair // none: it is a comment alone
	off  bool   // the item is a comment too
}

// pair is a key of an item.
type pair struct {
	key   string
	value any
}

// group is all fixed values of a layout under the same conditions.
type group struct {
	when    catalog.Conditions
	was, is map[string]any
	why     []string
	sure    bool // every change is certain
}

// layoutEntries gives what the layout of the new line has to say, and names the fields whose rules
// are proved to stay.
func (d *drafting) layoutEntries() (entries []entry, same []string) {
	groups := d.groups()
	for _, field := range d.fields() {
		entries, same = d.field(field, entries, same, &groups)
	}
	d.flips(&groups)
	for _, g := range groups {
		if one, differs := d.group(g); differs {
			entries = append(entries, one)
		}
	}
	return entries, same
}

// fields gives those that the old layout copies, in its order.
func (d *drafting) fields() (all []string) {
	for _, rule := range d.Old.Layout {
		if rule.Field != "" && isCloud(rule) && !slices.Contains(all, rule.Field) {
			all = append(all, rule.Field)
		}
	}
	return all
}

// rulesOf gives the rules that copy a field, without where they are from.
func rulesOf(layout []catalog.Rule, field string) (all []catalog.Rule) {
	for _, rule := range layout {
		if rule.Field == field && isCloud(rule) && rule.Path != "" {
			all = append(all, catalog.Rule{Field: field, Path: rule.Path, When: rule.When})
		}
	}
	return all
}

// field adds what is known of a field.
func (d *drafting) field(field string, entries []entry, same []string, groups *[]group) ([]entry, []string) {
	before, now := rulesOf(d.Old.Layout, field), rulesOf(d.layout, field)
	var want []catalog.Rule
	var why []string
	shaped := false
	for _, rule := range before {
		f := d.fate(string(rule.Path))
		said := fmt.Sprintf("%s: %s", rule.Path, d.because(f))
		switch {
		case !f.proved() || f.Form != "" && !d.shape(field, f, groups):
			return append(entries, d.open(field, rule, f, equalRules(before, now))), same
		case f.Form != "":
			shaped = true
		case f.Fate == hop.Placed:
			rule.Path = catalog.ValuePath(f.To)
			want = append(want, rule)
		case f.Fate != hop.Gone:
			want = append(want, rule)
		}
		why = append(why, said)
	}
	if equalRules(want, now) {
		if equalRules(want, before) && len(want) > 0 {
			same = append(same, field)
		}
		return entries, same
	}
	reason := strings.Join(why, "; ")
	if !equalRules(before, now) {
		reason = "the catalog says otherwise, and rendering contradicts it; " + reason
	}
	if len(want) == 0 { // a rule without a path drops the field's
		if !shaped {
			reason = "the line has no such value; " + reason
		}
		return append(entries, entry{sure: hop.Certain, why: reason, item: []pair{{"field", field}}}), same
	}
	for _, rule := range want {
		entries = append(entries, entry{sure: hop.Certain, why: reason, item: ruleItem(rule)})
		reason = "as before"
	}
	return entries, same
}

func equalRules(a, b []catalog.Rule) bool {
	return slices.EqualFunc(a, b, func(a, b catalog.Rule) bool { return a.Path == b.Path && slices.Equal(a.When, b.When) })
}

// shape turns a field whose value has another form into fixed values, one for each thing
// that the field can say. It reports whether that can be said in a catalog.
func (d *drafting) shape(field string, f fate, groups *[]group) bool {
	values := map[string]any{}
	switch sample, isBool := samples[field].(bool); {
	case f.Form == hop.InList && choices[field] != nil:
		for _, choice := range choices[field] {
			values[choice] = []any{choice}
		}
	case f.Form == hop.Opposite && isBool:
		values[fmt.Sprint(sample)], values[fmt.Sprint(!sample)] = !sample, sample
	default:
		return false
	}
	why := fmt.Sprintf("%s: %s", f.Path, d.because(f))
	if len(d.Failed) > 0 {
		why += "; not all probes could be compared"
	}
	for _, value := range slices.Sorted(maps.Keys(values)) {
		when := catalog.Conditions{{Field: field, Equal: true, Value: value}}
		add(groups, when, f.To, values[value], why)
	}
	return true
}

// open says what is not known of the rule of a field, which stays.
func (d *drafting) open(field string, rule catalog.Rule, f fate, asBefore bool) entry {
	one := entry{sure: hop.Unknown, why: fmt.Sprintf("%s sets %s, and that is kept: %s", field, rule.Path, d.because(f))}
	if !asBefore {
		one.why = fmt.Sprintf("%s is taken as the catalog has it: %s", field, d.because(f))
		return one
	}
	switch {
	case f.disputed:
	case !f.tried:
		one.why = fmt.Sprintf("not proved: %s sets %s, and that is kept: no probe sets it, and no environment that was compared", field, rule.Path)
	case f.proved():
		one.sure = hop.Certain
		one.why = fmt.Sprintf("%s becomes %s %s: no rule of a catalog can say that: set spec.values.%s.%s; %s", f.Path, f.To, f.Form, release, f.To, d.because(f))
		one.item = []pair{{"field", field}}
	case f.Certainty == hop.Certain:
		one.why = fmt.Sprintf("not proved: %s sets %s, and that is kept: %s", field, rule.Path, d.because(f))
	case f.To != "" && f.Form == "" && isName(f.To):
		one.sure, one.off = hop.Suspected, true
		rule.Path = catalog.ValuePath(f.To)
		one.item = ruleItem(rule)
	case f.Certainty == hop.Suspected:
		one.sure = hop.Suspected
	default:
		one.why += ": decide which value it sets now"
	}
	return one
}

// ruleItem gives a rule that copies a field as an item.
func ruleItem(rule catalog.Rule) []pair {
	item := []pair{{"field", rule.Field}, {"path", string(rule.Path)}}
	if len(rule.When) > 0 {
		item = append(item, pair{"when", whenOf(rule.When)})
	}
	return item
}

func whenOf(when catalog.Conditions) any {
	all := make([]any, len(when))
	for i, c := range when {
		all[i] = c.String()
	}
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// groups gives the fixed values of the old layout with what they become.
func (d *drafting) groups() (all []group) {
	for _, rule := range d.Old.Layout {
		if rule.Set == nil || !isCloud(rule) {
			continue
		}
		i := at(&all, rule.When)
		for _, path := range slices.Sorted(maps.Keys(rule.Set)) {
			all[i].was[path] = rule.Set[path]
			d.carry(&all[i], path, rule.Set[path])
		}
	}
	return all
}

// at finds the group of conditions, or makes it.
func at(groups *[]group, when catalog.Conditions) int {
	i := slices.IndexFunc(*groups, func(g group) bool { return slices.Equal(g.when, when) })
	if i < 0 {
		*groups = append(*groups, group{when: when, was: map[string]any{}, is: map[string]any{}, sure: true})
		i = len(*groups) - 1
	}
	return i
}

func add(groups *[]group, when catalog.Conditions, path string, value any, why string) {
	g := &(*groups)[at(groups, when)]
	g.is[path] = value
	g.why = append(g.why, why)
}

// carry takes a fixed value to its place in the new chart.
func (d *drafting) carry(g *group, path string, value any) {
	f := d.fate(path)
	to := path
	said := fmt.Sprintf("%s: %s", path, d.because(f))
	switch on, isSwitch := value.(bool); {
	case f.proved() && f.Fate == hop.Gone:
		g.why = append(g.why, said)
		return
	case f.proved() && f.Fate == hop.Placed && f.Form == hop.InList:
		to, value = f.To, []any{value}
	case f.proved() && f.Fate == hop.Placed && f.Form == hop.Opposite && isSwitch:
		to, value = f.To, !on
	case f.proved() && f.Fate == hop.Placed && f.Form == "":
		to = f.To
	case f.proved() && f.Fate == hop.Landed:
	default:
		if as, flipped, found := d.flipOf(path); found {
			to, said = as.To, fmt.Sprintf("%s: %s", path, d.clean(as.Evidence))
			if isSwitch && flipped {
				value = !on
			}
			break
		}
		g.sure = false
		said = path + " is kept: " + d.because(f)
	}
	if g.is[to] = value; to != path || !f.proved() {
		g.why = append(g.why, said)
	}
}

// group gives the entry of fixed values, if the line has to say them.
func (d *drafting) group(g group) (entry, bool) {
	now := map[string]any{}
	for _, rule := range d.layout {
		if rule.Set != nil && isCloud(rule) && slices.Equal(rule.When, g.when) {
			maps.Copy(now, rule.Set)
		}
	}
	one := entry{sure: hop.Certain, why: strings.Join(g.why, "; ")}
	if reflect.DeepEqual(now, g.is) {
		if g.sure {
			return one, false
		}
		one.sure = hop.Unknown
		return one, true
	}
	if len(g.when) > 0 {
		one.item = []pair{{"when", whenOf(g.when)}}
	}
	if !g.sure {
		one.why = "not all of it is proved; " + one.why
		one.sure, one.off = hop.Suspected, reflect.DeepEqual(g.is, g.was)
	}
	one.item = append(one.item, pair{"set", g.is})
	return one, true
}
