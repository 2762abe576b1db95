package check

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

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
	var beyond []change
	var misplaced string
	for _, r := range l.scope.releases {
		other := after.scope.find(r.Key)
		if other == nil {
			return "it changes release " + r.Key + " too"
		}
		if r.Failure != nil && !reflect.DeepEqual(r.Release.Release, other.Release.Release) {
			return "what else it changes is not known: the chart does not render as it is"
		}
		for _, whole := range r.changes(other) {
			for _, part := range whole.apart(maxTexts) {
				if !l.scope.asks(ended, r, part) {
					beyond = append(beyond, part)
				}
			}
		}
		misplaced = cmp.Or(misplaced, l.scope.misplaces(r, other))
	}
	switch {
	case beyond == nil && misplaced != "":
		return "it pulls " + misplaced + ", and the mirror has no image of the release there"
	case beyond == nil:
		return ""
	}
	return "it changes " + enumerate(beyond, func(c change) string { return strings.TrimSpace(c.object.String() + " " + c.path) }) + " too"
}

// asks reports whether one of the findings asks for a change of what a release makes.
func (s *scope) asks(found []finding.Finding, r *release, c change) bool {
	return slices.ContainsFunc(found, func(f finding.Finding) bool {
		check, _ := ByID(f.ID)
		return check.asks != nil && (f.Release == r.Key || f.Release == "") && check.asks(s, f, c)
	})
}

// maxNamed limits how many changes a doubt names.
const maxNamed = 3

// enumerate names the first of some things, each once, and counts the others.
func enumerate[T any](all []T, name func(T) string) string {
	var names []string
	for _, one := range all {
		if text := name(one); !slices.Contains(names, text) {
			names = append(names, text)
		}
	}
	if more := len(names) - maxNamed; more > 0 {
		names = append(names[:maxNamed], fmt.Sprintf("%d more", more))
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// prepend names an object behind a word, if there is one.
func prepend(word string, o *finding.Object) string {
	if o == nil {
		return ""
	}
	return word + o.String()
}

// finds reports whether something is found, whatever is said of it. The lines of a text
// move with what comes before: there it is the same if the same is said.
func (l Looked) finds(f finding.Finding) bool {
	field, _, inLine := strings.Cut(f.Field, ": line ")
	return slices.ContainsFunc(l.scope.found, func(other finding.Finding) bool {
		is := other.Field == f.Field
		if inLine {
			is = strings.HasPrefix(other.Field, field+": line ") && other.Message == f.Message
		}
		same := is && other.ID == f.ID && other.Release == f.Release && reflect.DeepEqual(other.Object, f.Object)
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
