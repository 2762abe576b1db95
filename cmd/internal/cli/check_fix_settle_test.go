package cli

import (
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// What was found before is not found anew because a fix moved the lines of a text.
func TestContradict(t *testing.T) {
	in := func(field string) finding.Finding {
		return finding.Finding{ID: "foreign-image", Release: "istiod", Field: field, Object: &finding.Object{Kind: "ConfigMap", Name: "injector"}}
	}
	hub, first, moved, more := in("data.values: global.hub"), in("data.config: line 20"), in("data.config: line 22"), in("data.config: line 30")
	f := fixing{found: map[string][]finding.Finding{"prod": {hub, first}}}
	d := draft{member: fleet.Member{Plan: render.Plan{Environment: "prod"}}, fixes: []fix{{ends: []finding.Finding{hub}}}}
	for name, c := range map[string]struct {
		after []finding.Finding
		want  string
	}{
		"ended":            {[]finding.Finding{first}, ""},
		"moved":            {[]finding.Finding{moved}, ""},
		"one more of them": {[]finding.Finding{moved, more}, "foreign-image is found in istiod"},
		"not ended":        {[]finding.Finding{hub, first}, "foreign-image is still found in istiod"},
		"another":          {[]finding.Finding{first, in("data.values: global.tag")}, "foreign-image is found in istiod"},
	} {
		if got := f.contradict(d, c.after); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
