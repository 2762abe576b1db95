package draft_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/catalog/draft"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/hop"
)

// small is a chart of few templates.
func small(t testing.TB, version, values, template string) chart.Chart {
	t.Helper()
	files := map[string][]byte{
		"Chart.yaml":       []byte("apiVersion: v2\nname: prefect-cloud\nversion: " + version + "\n"),
		"values.yaml":      []byte(values),
		"templates/a.yaml": []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n" + template),
	}
	return load(t, files, nil)
}

// lines reads a catalog with line 1.2, and more.
func lines(t testing.TB, text string) catalog.Catalog {
	t.Helper()
	c, err := catalog.Parse("own.yaml", []byte("apiVersion: pm-gitops/v1\nkind: Catalog\nlines:\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const line12 = `- name: "1.2"
  charts: {prefect-cloud: ">=1.2.0 <1.3.0"}
  layout:
  - {field: instance.frontendUrl, path: url}
  - {field: ingress.className, path: class}
  - {field: delivery.path, path: elsewhere}
`

// active gives the lines of a draft that are no comments.
func active(text string) string {
	var all []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			all = append(all, line)
		}
	}
	return strings.Join(all, "")
}

// said joins what the comments of a draft say.
func said(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "#", " ")), " ")
}

// TestUnknownLine: a line that no catalog has is whole: like the old one, with what moved;
// the draft says of what no probe sets that it is not proved.
func TestUnknownLine(t *testing.T) {
	old := small(t, "1.2.0", "url: ''\nclass: ''\n", "  u: {{ .Values.url | quote }}\n  c: {{ .Values.class | quote }}\n")
	next := small(t, "1.3.0", "address: ''\nclass: ''\n", "  u: {{ .Values.address | quote }}\n  c: {{ .Values.class | quote }}\n")
	text, _ := written(t, input(t, lines(t, line12), old, next))
	want := `apiVersion: pm-gitops/v1
kind: Catalog
lines:
- name: "1.3"
  charts: {prefect-cloud: '>=1.3.0 <1.4.0', prefect-istiod: '>=1.3.0 <1.4.0'}
  like: "1.2"
  layout:
  - {field: instance.frontendUrl, path: address}
  moves:
  - {from: url, to: address}
`
	if diff := cmp.Diff(want, active(text)); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, text)
	}
	for _, sentence := range []string{
		"certain: these fields set what they set on line 1.2, to the same effect: ingress.className.",
		"unknown: not proved: delivery.path sets elsewhere, and that is kept: no probe sets it",
	} {
		if !strings.Contains(said(text), sentence) {
			t.Errorf("missing: %s\n%s", sentence, text)
		}
	}
}

// TestSuspected: what only looks alike is a comment, which can be made a rule by taking its
// sign away.
func TestSuspected(t *testing.T) {
	old := small(t, "1.2.0", "url: ''\nclass: ''\n", "  u: {{ .Values.url | quote }}\n")
	next := small(t, "1.3.0", "url: ''\nclassName: ''\n", "  u: {{ .Values.url | quote }}\n")
	text, c := written(t, input(t, lines(t, line12), old, next))
	if c.Lines[0].Layout != nil || c.Lines[0].Moves != nil {
		t.Errorf("active: %+v", c.Lines[0])
	}
	if !strings.Contains(text, "\n  # - {field: ingress.className, path: className}\n") || !strings.Contains(text, "\n  # suspected: ") {
		t.Fatal(text)
	}
	taken := strings.NewReplacer("\n  # layout:\n", "\n  layout:\n", "\n  # - {field", "\n  - {field").Replace(text)
	if c, err := catalog.Parse("taken.yaml", []byte(taken)); err != nil || c.Lines[0].Layout[0].Path != "className" {
		t.Errorf("%v\n%s", err, taken)
	}
}

// TestContradicted: where the catalog has the line and rendering proves another place, the
// draft corrects it and says so; what the catalog documents besides stays.
func TestContradicted(t *testing.T) {
	old := small(t, "1.2.0", "url: ''\nclass: ''\n", "  u: {{ .Values.url | quote }}\n  c: {{ .Values.class | quote }}\n")
	next := small(t, "1.3.0", "address: ''\nclass: ''\n", "  u: {{ .Values.address | quote }}\n  c: {{ .Values.class | quote }}\n")
	known := lines(t, line12+`- name: "1.3"
  charts: {prefect-cloud: ">=1.3.0 <1.4.0"}
  like: "1.2"
  layout:
  - {field: instance.frontendUrl, path: wrong}
  moves:
  - {from: url, to: wrong}
  - {from: other, to: stays, source: notes}
`)
	text, _ := written(t, input(t, known, old, next))
	want := `apiVersion: pm-gitops/v1
kind: Catalog
lines:
- name: "1.3"
  layout:
  - {field: instance.frontendUrl, path: address}
  moves:
  - {from: other, to: stays, source: notes}
  - {from: url, to: address}
`
	if diff := cmp.Diff(want, active(text)); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, text)
	}
	if !strings.Contains(said(text), "the catalog says otherwise, and rendering contradicts it") {
		t.Error(text)
	}
}

// TestHostile: whatever a chart says or calls its values, it stays in comments, and no text of an environment is in a draft.
func TestHostile(t *testing.T) {
	evil := "x\n- {field: instance.name, path: evil}\r\n\u2028- name: \"9.9\"\u0085evil: \x1b[31m\x00 # y: z \xff" + strings.Repeat(" more acme-prod", 5000)
	in := draft.Input{
		Old: lines(t, line12).Lines[0], New: catalog.Line{Name: "1.3"}, From: "1.2.0", To: "1.3.0\n  like: \"9\"\x1b",
		Failed: []string{evil}, Hide: []string{"acme-prod", "url"}, OldDefaults: map[string]any{"url": ""},
		Runs: []draft.Run{{About: "a probe", Analysis: hop.Analysis{
			Objects: []chart.Object{{Kind: "Job", Name: "acme-prod-migrations", Hook: &chart.Hook{Events: []string{"pre-upgrade"}}}},
			Parity: []hop.Parity{
				{Path: "url", Fate: hop.Placed, Certainty: hop.Certain, To: evil, Why: evil},
				{Path: "class", Fate: hop.Lost, Certainty: hop.Suspected, To: "a]: {b", Why: evil},
			},
			Findings: []hop.Finding{
				{Class: hop.Renamed, Certainty: hop.Certain, From: "url", To: evil, Evidence: evil},
				{Class: hop.Renamed, Certainty: hop.Suspected, From: "class", To: evil, Evidence: evil},
				{Class: hop.Removed, Certainty: hop.Unknown, From: "k\n" + evil, Evidence: evil},
				{Class: hop.Required, Certainty: hop.Certain, To: evil, Evidence: evil},
				{Class: hop.Flipped, Certainty: hop.Certain, From: "url", To: evil, Was: "true", Message: evil, Evidence: evil, Edits: []hop.Edit{{Path: evil, Value: true}}},
			},
		}}, {About: "another", IntoChart: true, Analysis: hop.Analysis{Objects: []chart.Object{
			{Kind: "Pod", Name: "a", YAML: []byte("spec: {containers: [{envFrom: [{secretRef: {name: acme-prod-db}}]}]}")},
		}}}},
	}
	in.Runs[0].Analysis.Objects = append(in.Runs[0].Analysis.Objects, chart.Object{Kind: "Secret", Name: "acme-prod-db", YAML: []byte("data: {a: Yg==}")})
	text, c := written(t, in)
	if len(c.Lines) != 1 || c.Lines[0].Name != "1.3" || c.Lines[0].Like != "1.2" || c.Lines[0].Layout != nil || c.Lines[0].Moves != nil {
		t.Errorf("%+v\n%s", c.Lines, text)
	}
	if len(text) > 40000 {
		t.Errorf("%d bytes", len(text))
	}
	for _, bad := range []string{"acme-prod", "\x1b", "\x00", "\u2028", "\u0085", "\r"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in the draft", bad)
		}
	}
}
