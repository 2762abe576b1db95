package check

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// valuesField names the field in which the environment has the chart values of a release.
func (s *scope) valuesField(r *release) string {
	for i, extra := range s.Environment.Spec.Releases {
		if string(extra.Name) == r.Key {
			return fmt.Sprintf("spec.releases[%d].values", i)
		}
	}
	return "spec.values." + r.Key
}

// setting is a value that a chart gets, and what of the environment sets it.
type setting struct {
	leaf
	finding.Proposal
	said bool // the environment has it; else it is a default of the chart
}

// settings lists the values of a release that match finds and that the environment can
// set: the most likely first, and of those that it sets already.
func (s *scope) settings(f finding.Finding, r *release, match func(leaf) bool) []setting {
	return s.settable(f, r, slices.DeleteFunc(slices.Clone(r.leaves()), func(l leaf) bool { return !match(l) }))
}

// unset lists the values of a release that a template reads and that neither the
// environment nor the chart sets, by their last keys, as settings does.
func (s *scope) unset(f finding.Finding, r *release, match func(key string) bool) []setting {
	if r.reads == nil {
		r.reads = &keys.Tree{}
		if tree, err := keys.Of(r.Chart); err == nil {
			r.reads = &tree
		}
	}
	var all []leaf
	for _, path := range r.reads.Read(match) {
		path = strings.ReplaceAll(path, notToBeSet, "")
		known := slices.ContainsFunc(r.leaves(), func(l leaf) bool {
			return l.path == path || strings.HasSuffix(path, "."+l.path) && strings.HasPrefix(l.path, "global.")
		})
		if one := (leaf{path: path}); !known && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return s.settable(f, r, all)
}

// settable lists those of some values that the environment can set, as settings does.
func (s *scope) settable(f finding.Finding, r *release, of []leaf) []setting {
	var all []setting
	for _, l := range of {
		one := setting{leaf: l, Proposal: finding.Proposal{Field: strings.Replace(s.valuesField(r)+"."+l.path, ".[", "[", 1), Release: r.Key, Path: l.path}}
		i := slices.IndexFunc(r.values, func(e render.Explained) bool {
			return e.Path == l.path || l.whole() && strings.HasPrefix(e.Path, l.path+"[")
		})
		if i >= 0 {
			e := r.values[i]
			one.said = e.Origin.From == render.FromEnvironment && e.Secret == nil
			if !one.said || e.Rule != nil && l.whole() {
				continue // the catalog's, or a Secret's
			}
			if e.Rule != nil { // a field that sets the value
				one.Proposal = finding.Proposal{Field: e.Origin.Field}
			}
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b setting) int {
		return cmp.Or(cmp.Compare(a.distance(f), b.distance(f)), cmp.Compare(strings.Count(a.path, "."), strings.Count(b.path, ".")))
	})
	return all
}

// distance orders values by how likely an object where something was found is made with
// them: those of its own name, those of the chart that its template is of, and globals;
// of these, what the environment has comes first.
func (one setting) distance(f finding.Finding) int {
	own, is := strings.CutPrefix(one.path, valuesOf(f.Source))
	first, _, inner := strings.Cut(own, ".")
	named := inner && f.Object != nil && strings.Contains(f.Object.Name, first)
	return slices.Index([]bool{
		is && named && one.said, is && named, is && one.said, is,
		strings.HasPrefix(one.path, "global.") && one.said, strings.HasPrefix(one.path, "global."), one.said, true,
	}, true)
}

// valuesOf gives the path that the values of a chart in another one begin with, from
// the name of a template of it: a.b. for chart/charts/a/charts/b/templates/all.yaml.
func valuesOf(template string) (prefix string) {
	charts, _, _ := strings.Cut(template, "/templates/")
	for _, inner := range strings.Split(charts, "/charts/")[1:] {
		prefix += inner + "."
	}
	return prefix
}

// putValue says that the chart value which match finds can change what was
// found: one that the environment says, or else a default of the chart. It
// gives the field of the environment for that value, without a field if none
// matches.
func (s *scope) putValue(f *finding.Finding, r *release, match func(path string, value any) bool) finding.Proposal {
	for _, one := range s.settings(*f, r, func(l leaf) bool { return match(l.path, l.value) }) {
		s.putField(f, r, one.Field)
		return one.Proposal
	}
	return finding.Proposal{}
}

// putField says that a field for chart values of a release can change what was found:
// where its value is, if the environment has one.
func (s *scope) putField(f *finding.Finding, r *release, field string) {
	s.put(f, field)
	for _, e := range r.values {
		if e.Origin.From == render.FromEnvironment && e.Origin.Field == field {
			f.File, f.Line, f.Column = e.Origin.File, e.Origin.Line, e.Origin.Column
		}
	}
}

// propose proposes a value for a field, which is a guess until it is tried;
// otherwise says what to do if it does not help.
func propose(f *finding.Finding, field finding.Proposal, value any, otherwise string) {
	field.Value = value
	offer(f, [][]finding.Proposal{{field}}, otherwise)
}

// maxChoices limits what is tried for a finding.
const maxChoices = 12

// offer proposes what to set, and what else where that does not help.
func offer(f *finding.Finding, choices [][]finding.Proposal, otherwise string) {
	if len(choices) == 0 {
		return
	}
	f.Set, f.Others, f.Otherwise = choices[0], choices[1:min(len(choices), maxChoices)], otherwise
	f.Fix = describe(f.Set)
}

// describe says what is to be set, as pm-gitops set takes it.
func describe(set []finding.Proposal) string {
	var words []string
	for _, proposal := range set {
		words = append(words, "set "+proposal.Assignment())
	}
	return strings.Join(words, " and ")
}

// leaf is a value at the path to set it at: a plain one, or a whole list.
type leaf struct {
	path  string
	value any
}

// whole reports whether the value is a list.
func (l leaf) whole() bool {
	_, isList := l.value.([]any)
	return isList
}

// item reports whether the value is in a list, which is set as a whole.
func (l leaf) item() bool { return inList.MatchString(l.path) }

var inList = regexp.MustCompile(`\[\d`)

// notToBeSet is the key under which Istio's charts keep their defaults; a user
// sets what is below it without that key
// (https://github.com/istio/istio/blob/1.28.3/manifests/charts/istio-control/istio-discovery/values.yaml).
const notToBeSet = "_internal_defaults_do_not_set."

// leaves gives the values that the chart gets, by path: what is set, laid over the
// defaults. What Helm copies from the globals above is not among them.
func (r *release) leaves() []leaf {
	if r.gets != nil {
		return r.gets
	}
	r.gets = []leaf{}
	values, err := r.Chart.Effective(r.Rendered.Values)
	if err != nil {
		return r.gets // the chart fails, which is found
	}
	own := map[string]any{}
	for _, below := range []bool{true, false} { // what is set lies over the defaults below notToBeSet
		see := func(path, _ string, value any) {
			_, global, inner := strings.Cut(path, ".global.")
			copied := inner && at(values, strings.Split("global."+global, ".")...) != nil
			if strings.Contains(path, notToBeSet) == below && !copied {
				own[strings.ReplaceAll(path, notToBeSet, "")] = value
			}
		}
		leaves(values, "", see)
		lists(values, "", maxDepth, see)
	}
	for _, path := range slices.Sorted(maps.Keys(own)) {
		r.gets = append(r.gets, leaf{path, own[path]})
	}
	return r.gets
}

// lists calls see with every list in mappings.
func lists(value any, path string, left int, see func(path, key string, value any)) {
	if items, isList := value.([]any); isList {
		see(path, "", items)
	}
	for name, inner := range mapping(value) {
		if left > 0 {
			lists(inner, join(path, name), left-1, see)
		}
	}
}

// lastKey returns the last key of a dotted path, or of one in a text.
func lastKey(path string) string {
	_, inner, _ := strings.Cut(path[max(0, strings.LastIndex(path, ": ")):], ": ")
	path = cmp.Or(inner, path)
	return path[strings.LastIndex(path, ".")+1:]
}
