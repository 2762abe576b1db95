package trace_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/trace"
)

// TestEnds: a chart that cannot be rendered in time is not tried again and
// again.
func TestEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	renders := 0
	_, err := trace.Release(ctx, release(t, "{}", "pw"), func(map[string]any) ([]chart.Object, error) {
		renders++
		cancel()
		return nil, errors.New("too slow")
	})
	if err == nil || err.Error() != "too slow" || renders != 1 {
		t.Errorf("error %v after %d renders, want too slow after one", err, renders)
	}
}

// TestLater: an error behind the first rendering is one.
func TestLater(t *testing.T) {
	for last := 2; last < 6; last++ {
		renders := 0
		_, err := trace.Release(t.Context(), release(t, "{}", "pw"), func(values map[string]any) ([]chart.Object, error) {
			if renders++; renders == last {
				return nil, errors.New("now not")
			}
			// The length of the value is made of it, and has to be confirmed.
			return []chart.Object{{Kind: "ConfigMap", YAML: []byte("data: {x: " + values["pw"].(string)[3:5] + "}")}}, nil
		})
		if err == nil {
			t.Errorf("rendering %d failed, and Release did not", last)
		}
	}
}

// TestOddObjects: objects that change their form with the value.
func TestOddObjects(t *testing.T) {
	for name, make := range map[string]func(pw string) []chart.Object{
		"no YAML":      func(pw string) []chart.Object { return []chart.Object{{Kind: "A", YAML: []byte("{" + pw)}} },
		"another kind": func(pw string) []chart.Object { return []chart.Object{{Kind: pw, YAML: []byte("a: " + pw)}} },
		"a list": func(pw string) []chart.Object {
			return []chart.Object{{Kind: "List", YAML: []byte("items: [" + pw + "]")}}
		},
		"shrinking": func(pw string) []chart.Object {
			return []chart.Object{{Kind: "List", YAML: []byte("items: [" + strings.Repeat("{a: 1}, ", int(pw[7]%7)) + "{a: 1}]")}}
		},
		"rather deep": func(pw string) []chart.Object {
			return []chart.Object{{Kind: "A", YAML: []byte(strings.Repeat("{a: ", 300) + pw + strings.Repeat("}", 300))}}
		},
		"deep": func(pw string) []chart.Object {
			return []chart.Object{{Kind: "A", YAML: []byte(strings.Repeat("{a: ", 5000) + pw + strings.Repeat("}", 5000))}}
		},
		"long keys": func(pw string) []chart.Object {
			return []chart.Object{{Kind: "A", YAML: []byte("{? " + strings.Repeat("k", 100_000) + " : {b: {c: " + pw + "}}}")}}
		},
		"nothing": func(string) []chart.Object { return nil },
		"twins": func(pw string) []chart.Object {
			return []chart.Object{{Kind: "A", Name: "a", YAML: []byte("a: x")}, {Kind: "A", Name: "a", YAML: []byte("a: " + pw)}}
		},
	} {
		found, err := trace.Release(t.Context(), release(t, "{}", "pw"), func(values map[string]any) ([]chart.Object, error) {
			return make(values["pw"].(string)), nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, landing := range found.Inputs[0].Landings {
			if strings.Contains(landing.Path+landing.Object.Name, "Pm1") {
				t.Errorf("%s: the marker is in %+v", name, landing)
			}
		}
		if got := len(found.Inputs[0].Landings); (name == "twins" || name == "no YAML" || name == "shrinking") != (got == 1) && name != "another kind" {
			t.Errorf("%s: %d landings", name, got)
		}
	}
}

// TestChance: what changes by itself is no checksum, whenever it changes. The
// renderings are: twice the same, another value, maybe the same again, and the
// first again.
func TestChance(t *testing.T) {
	for sequence, want := range map[string]int{
		"aabba": 1, // made of the value
		"aaaa":  0,
		"abca":  0, // known to be random, so there is nothing to confirm
		"aabca": 0,
		"aabbc": 0,
		"abcd":  0,
	} {
		renders := 0
		found, err := trace.Release(t.Context(), release(t, "{}", "pw"), func(map[string]any) ([]chart.Object, error) {
			renders++
			return []chart.Object{{Kind: "A", YAML: []byte("x: " + sequence[renders-1:][:1])}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(found.Inputs[0].Landings); got != want || renders != len(sequence) {
			t.Errorf("%s: %d landings after %d renderings, want %d", sequence, got, renders, want)
		}
	}
}
