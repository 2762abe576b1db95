package roadmap_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/roadmap"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// TestPlanOfErrors: what blocks is always among the todos, also where nothing can be done
// about it.
func TestPlanOfErrors(t *testing.T) {
	h := roadmap.Hop{Hop: upgrade.Hop{Remarks: []upgrade.Remark{{Rule: upgrade.NotThere, Severity: finding.Error, Message: "no registry has 1.3.9"}}}}
	h.Plan(explained, catalog.Line{Name: "1.2"})
	if len(h.Todo) != 1 || h.Todo[0].Text != "no registry has 1.3.9" || !h.Todo[0].Blocks {
		t.Errorf("todos %+v", h.Todo)
	}
}

// TestPlanOfImages: new images are something to do only where there is a mirror.
func TestPlanOfImages(t *testing.T) {
	mirrored := explained
	mirrored.Fields = append(slices.Clone(mirrored.Fields), render.Explained{Path: "spec.registry.mirror", Value: "registry.b.c/m"})
	for name, tt := range map[string]struct {
		explained render.Explanation
		todos     int
		verdict   roadmap.Verdict
	}{"a mirror": {mirrored, 1, roadmap.Decisions}, "none": {explained, 0, roadmap.Routine}} {
		chart := compared(hop.Finding{Class: hop.Images, Severity: finding.Warning, Certainty: hop.Certain, Message: "images", Todo: "mirror them"})
		analysis := chart.Analysis
		h := roadmap.Hop{Charts: []roadmap.Chart{chart}}
		h.Plan(tt.explained, catalog.Line{})
		if h.Judge(); len(h.Todo) != tt.todos || h.Verdict != tt.verdict {
			t.Errorf("%s: %s, todos %+v", name, h.Verdict, h.Todo)
		}
		if analysis.Findings[0].Severity != finding.Warning {
			t.Errorf("%s: the analysis of the caller was changed", name)
		}
	}
}

// TestGaps: each form says which part of a comparison is missing.
func TestGaps(t *testing.T) {
	chart := compared()
	chart.Analysis.Unrendered, chart.Analysis.Exhausted, chart.Analysis.Renders = "unknown\nversion 1.24", true, 400
	h := roadmap.Hop{Charts: []roadmap.Chart{chart}}
	h.Plan(explained, catalog.Line{})
	report := roadmap.NewReport([]roadmap.Roadmap{{Environment: "a", Hops: []roadmap.Hop{h}}}, nil)
	page, err := report.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for form, got := range map[string]string{"text": report.Text(), "markdown": report.Markdown(), "html": string(page)} {
		for _, want := range []string{"the new chart does not render with the values of the environment: unknown version 1.24", "not compared: the objects of prefect", "ended after 400 renders"} {
			if !strings.Contains(strings.ReplaceAll(got, "`", ""), want) {
				t.Errorf("%s does not have %q:\n%s", form, want, got)
			}
		}
	}
}
