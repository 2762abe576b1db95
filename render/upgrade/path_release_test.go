package upgrade_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// TestFindReleasePath looks at the hop of a release whose chart has no lines.
func TestFindReleasePath(t *testing.T) {
	for name, tt := range map[string]struct {
		now, goal, listed string
		partly            bool
		want              string
	}{
		"the newest, by number":      {now: "1.9.0", listed: "1.10.0 1.9.0 1.9.9 1.10.1-rc.1", want: "goal 1.10.0: the newest that registries have\n1.9.0 -> 1.10.0\n"},
		"with a v":                   {now: "v1.19.1", listed: "v1.19.1 v1.19.2", want: "goal v1.19.2: the newest that registries have\nv1.19.1 -> v1.19.2\n"},
		"dates as versions":          {now: "2025.11.1", listed: "2025.11.1 2025.12.120000", want: "goal 2025.12.120000: the newest that registries have\n2025.11.1 -> 2025.12.120000\n"},
		"a digest":                   {now: "1.9.0@sha256:ab", listed: "1.9.0 1.9.1", want: "goal 1.9.1: the newest that registries have\n1.9.0 -> 1.9.1\n"},
		"a pre-release after others": {now: "1.10.0-rc.1", listed: "1.10.0-rc.2", want: "goal 1.10.0-rc.2: the newest that registries have\n1.10.0-rc.1 -> 1.10.0-rc.2\n"},
		"a major version": {now: "1.9.0", goal: "2.0.0", listed: "2.0.0", want: `goal 2.0.0: asked for
1.9.0 -> 2.0.0
  warning major: by its number, 2.0.0 may break what works with 1.9.0: read the release notes of the chart
`},
		"a minor version before 1": {now: "0.9.0", goal: "0.10.0", listed: "0.10.0", want: `goal 0.10.0: asked for
0.9.0 -> 0.10.0
  warning major: by its number, 0.10.0 may break what works with 0.9.0: read the release notes of the chart
`},
		"the newest already": {now: "1.9.0", listed: "1.8.0 1.9.0", want: "goal 1.9.0: the newest that registries have\n"},
		"an older one":       {now: "1.9.0", goal: "1.8.0", listed: "1.8.0", want: "goal 1.8.0: asked for\n  error downgrade: 1.8.0 is older than 1.9.0, which the environment has: a downgrade is no upgrade: look at the chart's notes on rollback\n"},
		"one that is not there": {now: "1.9.0", goal: "1.9.7", listed: "1.9.0 1.9.1", want: `goal 1.9.7: asked for
1.9.0 -> 1.9.7
  error not-there: no registry has 1.9.7: did you mean 1.9.1?
`},
		"no list":                     {now: "1.9.0", partly: true, want: "goal 1.9.0: no registry listed versions\n  warning not-known: not known which versions there are: name one with --to\n"},
		"a part of the list":          {now: "1.9.0", listed: "1.9.1", partly: true, want: "goal 1.9.1: the newest that is listed; not every registry lists its versions\n1.9.0 -> 1.9.1\n"},
		"build metadata says nothing": {now: "1.9.0", listed: "1.9.1+a 1.9.1+b", want: "goal : the newest that registries have\n  warning not-compared: \"1.9.1+a\" and \"1.9.1+b\" are the same version: nothing says which of them is newer: name one with --to\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path, err := upgrade.FindReleasePath("extra", tt.now, tt.goal, upgrade.Listed{Versions: strings.Fields(tt.listed), Complete: !tt.partly})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			b.WriteString("goal " + path.Goal.Version + ": " + path.Goal.Why + "\n")
			say := func(all []upgrade.Remark) {
				for _, r := range all {
					b.WriteString("  " + string(r.Severity) + " " + string(r.Rule) + ": " + r.String() + "\n")
				}
			}
			say(path.Remarks)
			for _, hop := range path.Hops {
				if hop.Kind != upgrade.ReleaseHop || len(hop.Versions) != 1 || hop.Versions[0].Part != "extra" {
					t.Errorf("the hop is %+v", hop)
				}
				b.WriteString(hop.Versions[0].From + " -> " + hop.Versions[0].To + "\n")
				say(hop.Remarks)
			}
			if diff := cmp.Diff(tt.want, b.String()); diff != "" {
				t.Errorf("FindReleasePath (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := upgrade.FindReleasePath("extra", "1.9.0", "newest", upgrade.Listed{}); err == nil {
		t.Error("a goal that is no version has a path")
	}
}
