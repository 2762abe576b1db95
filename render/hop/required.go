package hop

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/pm-gitops/pm-gitops/render/finding"
)

// required gives findings for what must be set and has no value: what the schema or a
// template asks for, and what leaves an object without a name or an address without a
// host.
func (w *work) required() (found []Finding) {
	for _, name := range slices.Sorted(maps.Keys(w.filled)) {
		if at := parse(name); w.needs(at) {
			found = append(found, requiredAt(at, w.filled[name], nil))
		}
	}
	for _, m := range w.in.Moves {
		at := parse(m.Require)
		if at == nil || m.Was != "" || slices.ContainsFunc(found, func(f Finding) bool { return f.To == at.String() }) {
			continue
		}
		if value, _ := get(w.new.values, at); isEmpty(value) {
			found = append(found, requiredAt(at, strings.TrimSuffix("the catalog asks for it: "+m.Why, ": "), nil))
		}
	}
	for _, one := range w.hollow() {
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.To == one.path.String() }) {
			found = append(found, requiredAt(one.path, one.why, one.at))
		}
		w.now = with(w.now, one.path, placeholder)
		w.filled[one.path.String()] = one.why
	}
	return found
}

// needs reports whether the new chart does not render without something that was filled
// in; what it does without is taken out.
func (w *work) needs(at path) bool {
	left := without(w.now, at)
	if value, there := get(w.new.values, at); there { // an empty one of the environment
		left = with(w.now, at, value)
	}
	if _, err := w.render(w.new, left); err != nil {
		return !errors.Is(err, errMost)
	}
	w.now = left
	delete(w.filled, at.String())
	return false
}

func requiredAt(at path, why string, places []place) Finding {
	return Finding{
		Class: Required, Severity: finding.Error, Certainty: Certain, Evidence: why, To: at.String(), Objects: objectsOf(places),
		Message: fmt.Sprintf("%s must be set", at), Todo: fmt.Sprintf("set %s", at),
	}
}

// hole is a value that leaves something without a name.
type hole struct {
	path path
	why  string
	at   []place
}

// hollow finds the new values of the chart that are empty and leave references without a
// name, or addresses without a host.
func (w *work) hollow() (all []hole) {
	var empty []leaf
	for _, l := range leavesOf(w.new.defaults) {
		_, set := get(w.now, l.path)
		if l.value == "" && !set && stands(w.old.defaults, l.path) != known {
			empty = append(empty, l)
		}
	}
	base, err := w.render(w.new, w.now)
	if err != nil || len(empty) == 0 {
		return nil
	}
	b, _ := w.together(w.new, w.now, empty)
	for _, l := range empty {
		one := hole{path: l.path}
		text, _ := probe("", w.number(l.path))
		for _, at := range b.marked(l.path).sorted() {
			was, _ := base.at(at)
			why := incomplete(at, was)
			if w.before(at) || why == "" {
				continue
			}
			alone, err := w.render(w.new, with(w.now, l.path, text))
			if is, _ := alone.at(at); err != nil || incomplete(at, is) != "" { // the password of an address is not its host
				continue
			}
			one.at = append(one.at, at)
			if one.why == "" {
				one.why = fmt.Sprintf("without it, %s %s", at, why)
			}
		}
		if one.why != "" {
			all = append(all, one)
		}
	}
	return all
}

// before reports whether a field was incomplete in the old chart too.
func (w *work) before(at place) bool {
	made, err := w.render(w.old, w.old.values)
	if err != nil {
		return false
	}
	text, there := made.at(at)
	return there && incomplete(at, text) != ""
}

var (
	hostless = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[a-z][a-z0-9+.-]*://(?:[^@/]*@)?(?::[0-9]+)?(?:[/?#]|$)`)
	})
	reference = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:Ref|\.secret|\.configMap|\.persistentVolumeClaim|\.tls\[[^\]]*\])\.(?:name|secretName|claimName)$`)
	})
)

// incomplete says what is missing in a field; empty if nothing is.
func incomplete(at place, text string) string {
	switch {
	case reference().MatchString(at.field) && (text == "" || text == "null"):
		return "names nothing, and the API server refuses the object"
	case hostless().MatchString(text) && !strings.Contains(text, ":///"):
		return "is an address without a host"
	}
	return ""
}
