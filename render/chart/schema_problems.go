package chart

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// SchemaProblem is a value that the schema of a chart, or of one in it, refuses.
type SchemaProblem struct {
	// Path is the value, as in render.Explained; empty for the values as a whole.
	Path string
	// Message says what is wrong. It may quote the value.
	Message string
}

// SchemaProblems checks values, laid over the defaults, against the schemas of
// the chart and of those in it that the values switch on: what [Chart.Render]
// says in one text, by path. What schemas refer to elsewhere is not fetched but
// named, and allows anything. A schema that cannot be used is an error.
func (c Chart) SchemaProblems(values map[string]any) (problems []SchemaProblem, unread []string, err error) {
	ch := fresh(c.read)
	composed, err := compose(ch, values, chartutil.ReleaseOptions{}, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("chart %s %s: %w", c.Name(), c.Version(), err)
	}
	coalesced, _ := composed["Values"].(chartutil.Values)
	found := finder{validator: validator{facts: c.facts}}
	if err := found.chart(ch, coalesced, ""); err != nil {
		return nil, nil, fmt.Errorf("chart %s %s: %w", c.Name(), c.Version(), err)
	}
	slices.SortFunc(found.problems, func(a, b SchemaProblem) int {
		return strings.Compare(a.Path+"\x00"+a.Message, b.Path+"\x00"+b.Message)
	})
	return slices.Compact(found.problems), found.unread, nil
}

// finder collects what the schemas of several charts say.
type finder struct {
	validator
	problems []SchemaProblem
}

func (f *finder) chart(c *helm.Chart, values map[string]any, path string) error {
	if c.Schema != nil {
		err := f.check(c.Schema, values)
		var invalid *jsonschema.ValidationError
		switch {
		case errors.As(err, &invalid):
			f.collect(invalid, values, path)
		case err != nil:
			return fmt.Errorf("schema of %s: %w", c.Name(), err)
		}
	}
	for _, dependency := range c.Dependencies() {
		at := strictyaml.Join(path, dependency.Name())
		switch below := values[dependency.Name()].(type) {
		case nil:
		case map[string]any:
			if err := f.chart(dependency, below, at); err != nil {
				return err
			}
		default:
			f.problems = append(f.problems, SchemaProblem{at, fmt.Sprintf("want the values of chart %s, a mapping", dependency.Name())})
		}
	}
	return nil
}

// collect takes an error apart into what is wrong at single values. Where one
// of several forms would do, it is one problem.
func (f *finder) collect(e *jsonschema.ValidationError, values any, prefix string) {
	at := located(values, prefix, e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		f.problems = append(f.problems, SchemaProblem{at, "fits none of the forms that the schema allows, or several: " + forms(e)})
		return
	case *kind.Required:
		for _, name := range k.Missing {
			f.problems = append(f.problems, SchemaProblem{strictyaml.Join(at, name), "is required"})
		}
		return
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			f.problems = append(f.problems, SchemaProblem{strictyaml.Join(at, name), "is not allowed here"})
		}
		return
	}
	if len(e.Causes) == 0 {
		f.problems = append(f.problems, SchemaProblem{at, sentence(e)})
	}
	for _, cause := range e.Causes {
		f.collect(cause, values, prefix)
	}
}

// sentence is an error without those that caused it.
func sentence(e *jsonschema.ValidationError) string {
	alone := *e
	alone.Causes = nil
	return alone.BasicOutput().Error.String()
}

// maxForms is how many reasons a problem gives.
const maxForms = 3

// forms is why a value fits none of several forms.
func forms(e *jsonschema.ValidationError) string {
	var all []string
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 && len(all) < maxForms && !slices.Contains(all, sentence(e)) {
			all = append(all, sentence(e))
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(e)
	return strings.Join(all, "; ")
}

// located is the path of a value below another one.
func located(value any, path string, keys []string) string {
	for _, key := range keys {
		switch at := value.(type) {
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i < 0 || i >= len(at) {
				return path
			}
			path, value = strictyaml.Index(path, i), at[i]
		case map[string]any:
			path, value = strictyaml.Join(path, key), at[key]
		case chartutil.Values:
			path, value = strictyaml.Join(path, key), at[key]
		default:
			return path
		}
	}
	return path
}
