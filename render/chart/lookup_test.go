package chart_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// TestLookupsSayWhichObject: what a template asks for is noted with its name
// and namespace, each question once.
func TestLookupsSayWhichObject(t *testing.T) {
	read, err := chart.FromFiles(map[string][]byte{
		"Chart.yaml": []byte("apiVersion: v2\nname: made\nversion: 1.0.0\n"),
		"templates/a.yaml": []byte(`{{ $one := lookup "v1" "Secret" .Release.Namespace "old" }}{{ $again := lookup "v1" "Secret" .Release.Namespace "old" }}` +
			`{{ $wide := lookup "v1" "Namespace" "" "apps" }}{{ $all := lookup "v1" "Secret" "apps" "" }}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := read.Render(t.Context(), chart.Input{As: chart.Helm(), Release: "r", Namespace: "own"})
	if err != nil {
		t.Fatal(err)
	}
	want := []chart.Lookup{
		{Template: "made/templates/a.yaml", APIVersion: "v1", Kind: "Secret", Namespace: "own", Name: "old"},
		{Template: "made/templates/a.yaml", APIVersion: "v1", Kind: "Namespace", Name: "apps"},
		{Template: "made/templates/a.yaml", APIVersion: "v1", Kind: "Secret", Namespace: "apps"},
	}
	if diff := cmp.Diff(want, out.Lookups); diff != "" {
		t.Errorf("Lookups (-want +got):\n%s", diff)
	}
}
