package chart

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	helm "helm.sh/helm/v3/pkg/chart"
)

// validate checks values against the schemas of a chart and of those in it,
// with Helm's words (https://github.com/helm/helm/blob/v3.22.0/pkg/chartutil/jsonschema.go).
// Helm also fetches what a schema refers to, from disk and from the network:
// here that allows anything, and is named.
func (own Chart) validate(c *helm.Chart, values map[string]any) (unread []string, err error) {
	var wrong strings.Builder
	v := validator{facts: own.facts, failures: &wrong}
	v.chart(c, values)
	if wrong.Len() > 0 {
		return nil, fmt.Errorf("values don't meet the specifications of the schema(s) in the following chart(s):\n%s", wrong.String())
	}
	return v.unread, nil
}

// validator collects what the schemas of several charts say.
type validator struct {
	facts    *facts
	failures *strings.Builder
	unread   []string
}

func (v *validator) chart(c *helm.Chart, values map[string]any) {
	if c.Schema != nil {
		if err := v.schema(c.Schema, values); err != nil {
			fmt.Fprintf(v.failures, "%s:\n%s", c.Name(), err)
		}
	}
	for _, dependency := range c.Dependencies() {
		raw := values[dependency.Name()]
		below, ok := raw.(map[string]any)
		if raw != nil && !ok {
			fmt.Fprintf(v.failures, "%s:\ninvalid type for values: expected object (map), got %T\n", dependency.Name(), raw)
		} else if ok {
			v.chart(dependency, below)
		}
	}
}

const schemaURL = "file:///values.schema.json"

// schema checks values against one schema.
func (v *validator) schema(text []byte, values map[string]any) error {
	err := v.check(text, values)
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		return errors.New(strings.TrimPrefix(err.Error(), "jsonschema validation failed with '"+schemaURL+"#'\n") + "\n")
	}
	return err
}

// check is what a schema says of values, a jsonschema.ValidationError if they
// are what is wrong.
func (v *validator) check(text []byte, values map[string]any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("unable to validate schema: %v", r)
		}
	}()
	schema := v.facts.schema(text)
	v.unread = append(v.unread, schema.unread...)
	if schema.err != nil {
		return schema.err
	}
	err = schema.Validate(values)
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		order(invalid)
	}
	return err
}

// compiled is a schema that is ready for use, or why there is none.
type compiled struct {
	*jsonschema.Schema
	unread elsewhere
	err    error
}

// schema compiles a schema of the chart, once.
func (f *facts) schema(text []byte) compiled {
	if len(text) == 0 {
		return compile(text)
	}
	once, _ := f.schemas.LoadOrStore(&text[0], sync.OnceValue(func() compiled { return compile(text) }))
	return once.(func() compiled)()
}

func compile(text []byte) (c compiled) {
	defer func() {
		if r := recover(); r != nil {
			c.err = fmt.Errorf("unable to validate schema: %v", r)
		}
	}()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return compiled{err: err}
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(&c.unread)
	if c.err = compiler.AddResource(schemaURL, schema); c.err == nil {
		c.Schema, c.err = compiler.Compile(schemaURL)
	}
	return c
}

// order sorts what is wrong by where it is: the library goes through maps.
func order(e *jsonschema.ValidationError) {
	if extra, ok := e.ErrorKind.(*kind.AdditionalProperties); ok {
		slices.Sort(extra.Properties)
	}
	for _, cause := range e.Causes {
		order(cause)
	}
	slices.SortStableFunc(e.Causes, func(a, b *jsonschema.ValidationError) int {
		return cmp.Or(slices.Compare(a.InstanceLocation, b.InstanceLocation), strings.Compare(a.Error(), b.Error()))
	})
}

// elsewhere is what a schema refers to that is not read.
type elsewhere []string

// Load stands for what a schema refers to elsewhere.
func (e *elsewhere) Load(url string) (any, error) {
	*e = append(*e, url)
	return true, nil
}
