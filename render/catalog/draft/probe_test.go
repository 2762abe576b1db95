package draft_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/catalog/draft"
	"github.com/pm-gitops/pm-gitops/render/hop"
)

// TestProbesSetAll: every chart value that a rule of the embedded catalog sets is in a
// probe: a field without a sample would never be proved.
func TestProbesSetAll(t *testing.T) {
	for _, name := range []string{"0.8", "1.2", "1.3"} {
		line, err := catalog.Embedded().Line(name)
		if err != nil {
			t.Fatal(err)
		}
		probes := draft.Probes(line, line)
		for _, rule := range line.Layout {
			paths := []string{string(rule.Path)}
			for path := range rule.Set {
				paths = append(paths, path)
			}
			for _, path := range paths {
				if path != "" && !slices.ContainsFunc(probes, func(p draft.Probe) bool { return in(p.Old, path) && in(p.New, path) }) {
					t.Errorf("line %s: no probe sets %s", name, path)
				}
			}
		}
	}
}

func in(values map[string]any, path string) bool {
	key, rest, inner := strings.Cut(path, ".")
	value, there := values[key]
	if !inner {
		return there
	}
	mapping, _ := value.(map[string]any)
	return in(mapping, rest)
}

// TestDisputed: what two comparisons prove differently is no rule and no move.
func TestDisputed(t *testing.T) {
	run := func(to string) draft.Run {
		return draft.Run{About: "a probe with " + to, Analysis: hop.Analysis{
			Parity:   []hop.Parity{{Path: "url", Fate: hop.Placed, Certainty: hop.Certain, To: to, Why: "it does what it did"}},
			Findings: []hop.Finding{{Class: hop.Renamed, Certainty: hop.Certain, From: "url", To: to, Evidence: "it does what it did"}},
		}}
	}
	both := draft.Input{Old: lines(t, line12).Lines[0], New: catalog.Line{Name: "1.3"}, Runs: []draft.Run{run("one"), run("two")}}
	text, c := written(t, both)
	if c.Lines[0].Layout != nil || c.Lines[0].Moves != nil || !strings.Contains(said(text), "comparisons contradict each other") {
		t.Error(text)
	}
	both.Runs[1] = run("one")
	if text, c = written(t, both); len(c.Lines[0].Layout) != 1 || len(c.Lines[0].Moves) != 1 {
		t.Error(text)
	}
}

// TestOwnKeys: what only an environment sets is a move where both charts have the value; a
// key of its own is in no draft.
func TestOwnKeys(t *testing.T) {
	in := draft.Input{
		Old: lines(t, line12).Lines[0], New: catalog.Line{Name: "1.3"},
		Hide:        []string{"acme", "name"}, // the charts have name themselves
		OldDefaults: map[string]any{"old": map[string]any{"name": ""}, "free": map[string]any{}},
		NewDefaults: map[string]any{"new": map[string]any{"name": ""}, "open": map[string]any{}},
		Runs: []draft.Run{{About: "the values of an environment", Own: true, Analysis: hop.Analysis{Findings: []hop.Finding{
			{Class: hop.Renamed, Certainty: hop.Certain, From: "old.name", To: "new.name", Evidence: "the name of acme does what it did"},
			{Class: hop.Renamed, Certainty: hop.Certain, From: "free.acme", To: "open.acme", Evidence: "it does what it did"},
			{Class: hop.Renamed, Certainty: hop.Suspected, From: "free.acme", To: "open.acme", Evidence: "alike"},
			{Class: hop.Required, Certainty: hop.Certain, To: "open.acme", Evidence: "it is empty"},
		}}}},
	}
	text, c := written(t, in)
	if moves := c.Lines[0].Moves; len(moves) != 1 || moves[0].From != "old.name" || moves[0].To != "new.name" || strings.Contains(text, "acme") || !strings.Contains(said(text), "the name of (hidden) does what it did") {
		t.Error(text)
	}
}

// TestOpposite: a switch that is the other way round in the new chart is turned, whether
// the layout sets it or a field does.
func TestOpposite(t *testing.T) {
	known := lines(t, line12+`  - {field: auth.adfs.clientVerifySSL, path: verify}
  - {when: database, set: {embedded: false}}
`)
	old := small(t, "1.2.0", "verify: true\nembedded: true\n", "  a: b\n{{ if .Values.verify }}\n  verify: 'yes'\n{{ end }}\n{{ if .Values.embedded }}\n  embedded: 'yes'\n{{ end }}\n")
	next := small(t, "1.3.0", "skip: false\nexternal: false\n", "  a: b\n{{ if not .Values.skip }}\n  verify: 'yes'\n{{ end }}\n{{ if not .Values.external }}\n  embedded: 'yes'\n{{ end }}\n")
	known.Lines[0].Layout = append(known.Lines[0].Layout, catalog.Rule{Field: "database.primary", Path: "primary"})
	text, _ := written(t, input(t, known, old, next))
	for _, line := range []string{
		"  - {field: auth.adfs.clientVerifySSL}\n",
		"  - {when: database, set: {external: true}}\n",
		`  - {when: auth.adfs.clientVerifySSL=false, set: {skip: true}}` + "\n",
		`  - {when: auth.adfs.clientVerifySSL=true, set: {skip: false}}` + "\n",
		"  - {from: embedded, to: external, why: the other way round}\n",
		"  - {from: verify, to: skip, why: the other way round}\n",
	} {
		if !strings.Contains(active(text), line) {
			t.Errorf("missing: %s\n%s", line, text)
		}
	}
}
