package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// Looked is an environment that was looked at, with what was found.
type Looked struct {
	Findings []finding.Finding // as [Run] gives them
	scope    *scope
}

// Trial says how fixes are tried.
type Trial struct {
	// Again looks at an environment that has other settings, with the same
	// releases. Its error ends everything, unless it is [render.Problems]: those
	// are the environment's.
	Again func(render.Environment) (Looked, error)
	// Least is the severity of the least severe findings whose fixes are tried, and
	// Most how many fixes are: each is a rendering.
	Least finding.Severity
	Most  int
}

// Try tries the fixes of the findings, those that are the same once. One that ends
// its finding and changes nothing else is proved; one that does not end it, or with
// which the environment is refused or its charts fail, is taken back; and any other
// stays a guess that says why. Nothing is rendered where no finding has a fix to try.
//
// What is else is every place of every object, for an install, an upgrade and what
// comes later, but for those that the check asks to change, what is random, and the
// checksums that charts make of their objects; what the environment says of every
// other release, of namespaces and of the cluster; and every finding that is new.
func (l Looked) Try(t Trial) ([]finding.Finding, error) {
	found := slices.Clone(l.Findings)
	for i, alike := range groupFixes(found, t.Least) {
		if i >= t.Most {
			for _, at := range alike {
				found[at].Doubt = fmt.Sprintf("not tried: the first %d fixes of an environment are tried", t.Most)
			}
			continue
		}
		if err := l.try(found, alike, t.Again); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// groupFixes gives the places of findings with the same fix, the first first.
func groupFixes(found []finding.Finding, least finding.Severity) [][]int {
	var groups [][]int
	places := map[string]int{}
	for i, f := range found {
		if f.Set == nil || f.Ignored != "" || !f.Severity.AtLeast(least) {
			continue
		}
		set, _ := json.Marshal(f.Set) // plain values
		key := f.ID + f.Release + string(set)
		if _, known := places[key]; !known {
			places[key] = len(groups)
			groups = append(groups, nil)
		}
		groups[places[key]] = append(groups[places[key]], i)
	}
	return groups
}

// try tries the fix of findings that have the same one.
func (l Looked) try(found []finding.Finding, alike []int, again func(render.Environment) (Looked, error)) error {
	var settings []render.Setting
	for _, proposal := range found[alike[0]].Set {
		settings = append(settings, proposal.Setting())
	}
	var after Looked
	environment, err := l.scope.Environment.With(settings...)
	if err == nil {
		after, err = again(environment)
	}
	if problems := (render.Problems)(nil); err != nil && !errors.As(err, &problems) {
		return err
	}
	var ended []finding.Finding
	for _, i := range alike {
		if f := &found[i]; err != nil || l.breaks(after) || after.finds(*f) {
			f.Set, f.Fix, f.Certainty, f.Doubt = nil, f.Otherwise, finding.Advice, ""
			if f.Fix == "" {
				f.Certainty = ""
			}
		} else {
			ended = append(ended, *f)
		}
	}
	if ended == nil {
		return nil
	}
	doubt := l.doubt(after, ended)
	for _, i := range alike {
		switch f := &found[i]; {
		case f.Set == nil:
		case doubt == "":
			f.Certainty, f.Doubt = finding.Proved, ""
		default:
			f.Certainty, f.Doubt = finding.Guess, clean(doubt)
		}
	}
	return nil
}

// breaks reports whether a chart fails after a fix that did not before.
func (l Looked) breaks(after Looked) bool {
	return slices.ContainsFunc(after.scope.releases, func(r *release) bool {
		before := l.scope.find(r.Key)
		return r.Failure != nil && (before == nil || before.Failure == nil)
	})
}

// doubt says what a fix changes that the findings do not ask for; it is empty
// where that is nothing.
func (l Looked) doubt(after Looked, ended []finding.Finding) string {
	if other := l.scope.replans(after.scope, ended[0].Release); other != "" {
		return "it changes " + other + " too"
	}
	for _, r := range l.scope.releases {
		other := after.scope.find(r.Key)
		if other == nil {
			return "it changes release " + r.Key + " too"
		}
		if r.Failure != nil && !reflect.DeepEqual(r.Release.Release, other.Release.Release) {
			return "what else it changes is not known: the chart does not render as it is"
		}
		for _, change := range r.changes(other) {
			asked := slices.ContainsFunc(ended, func(f finding.Finding) bool {
				check, _ := ByID(f.ID)
				return check.asks != nil && (f.Release == r.Key || f.Release == "") && check.asks(l.scope, f, change)
			})
			if !asked {
				return "it changes " + strings.TrimSpace(change.object.String()+" "+change.path) + " too"
			}
		}
	}
	for _, f := range after.scope.found {
		if f.ID != unusedID && !l.finds(f) { // what else it ends needs no acceptance any more
			return "then " + f.ID + " is found" + prepend(" at ", f.Object)
		}
	}
	return ""
}

// prepend names an object behind a word, if there is one.
func prepend(word string, o *finding.Object) string {
	if o == nil {
		return ""
	}
	return word + o.String()
}

// finds reports whether something is found, whatever is said of it.
func (l Looked) finds(f finding.Finding) bool {
	return slices.ContainsFunc(l.scope.found, func(other finding.Finding) bool {
		same := other.ID == f.ID && other.Release == f.Release && other.Field == f.Field && reflect.DeepEqual(other.Object, f.Object)
		return same && (f.Object != nil || other.Setting == f.Setting)
	})
}

// find finds a release that is looked at, or nil.
func (s *scope) find(key string) *release {
	i := slices.IndexFunc(s.releases, func(r *release) bool { return r.Key == key })
	if i < 0 {
		return nil
	}
	return s.releases[i]
}

// replans names what a fix for a release changes in the plan besides that release,
// or nothing. A fix for the whole environment is one for the first that changes.
func (s *scope) replans(after *scope, key string) string {
	before, now := s.Plan, after.Plan
	if !reflect.DeepEqual(before.Namespaces, now.Namespaces) {
		return "namespaces"
	}
	if before.KubeVersion != now.KubeVersion || !slices.Equal(before.APIVersions, now.APIVersions) || before.Cluster != now.Cluster || before.Path != now.Path {
		return "the cluster"
	}
	old := map[string]render.Release{}
	for _, r := range before.Releases() {
		old[r.Key] = r
	}
	for _, r := range now.Releases() {
		if reflect.DeepEqual(old[r.Key], r) {
			continue
		}
		if key == "" {
			key = r.Key
		}
		if r.Key != key {
			return "release " + r.Key
		}
	}
	if len(old) != len(now.Releases()) {
		return "the number of releases"
	}
	return ""
}
