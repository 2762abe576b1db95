package trace

import (
	"strings"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// first renders with markers that the chart takes. Those that an error names,
// or all where it names none, get the next shape, until one fits or there is
// none left.
func (t *tracer) first() ([]chart.Object, error) {
	var refused error
	for {
		objects, err := t.render("")
		if err == nil {
			return objects, nil
		}
		if refused == nil {
			refused = err
		}
		if t.ctx.Err() != nil || !t.next(err.Error()) {
			return nil, refused
		}
	}
}

// next gives markers another shape, and reports whether there was one.
func (t *tracer) next(text string) bool {
	var named, all []string
	for _, input := range t.release.SecretInputs {
		all = append(all, input.Path)
		if names(text, input.Path) {
			named = append(named, input.Path)
		}
	}
	if named == nil {
		named = all
	}
	changed := false
	for _, path := range named {
		if t.shapes[path]+1 < len(shapes) {
			t.shapes[path]++
			changed = true
		}
	}
	return changed
}

// names reports whether an error names a value: dotted, as charts do, or as a
// schema's place.
func names(text, path string) bool {
	return strings.Contains(text, path) || strings.Contains(text, "/"+strings.ReplaceAll(path, ".", "/")+"'")
}
