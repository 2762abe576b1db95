package upgrade_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// TestTagForms offers one tag of each form to an environment whose tags are older. What
// libraries make of these forms was measured: some drop zeros, some refuse them, and some
// take a tag with two numbers, or with a v.
func TestTagForms(t *testing.T) {
	const older, olderUI = "2025.10.202510010000", "2025.1001.120000"
	for _, tt := range []struct {
		part  upgrade.Part
		tag   string
		taken bool
	}{
		{server, "2025.10.202511042343", true},
		{ui, "2025.1023.154520", true},
		{ui, "2026.105.94520", true},
		{ui, "2026.0105.094520", true}, // strict semver refuses the zeros, lenient semver drops them
		{server, "2025.010.202511150930", true},
		{server, "v2025.10.202511042343", false}, // lenient semver and Flux take it
		{server, "2025.10", false},               // lenient semver takes it
		{ui, "2025.1023", false},
		{server, "2025.10.202511042343.1", false},
		{ui, "2025.1023.154520.1", false},
		{server, "latest", false},
		{server, "2025.10.202511042343-rc.1", false},
		{server, "2025.10.2.02511042343e+11", false}, // what YAML makes of a number
		{ui, "2025.1", false},                        // what YAML makes of 2025.10
	} {
		before := over(now, upgrade.Versions{server: older, ui: olderUI})
		after, _ := upgrade.Choose(before, own(t, `- {name: "1.2", ui: ["20*"]}`), lists(map[upgrade.Part]string{tt.part: before[tt.part] + " " + tt.tag}), nil)
		want := before
		if tt.taken {
			want = over(before, upgrade.Versions{tt.part: tt.tag}) // the text as it is
		}
		if diff := cmp.Diff(want, after); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.part.Title(), tt.tag, diff)
		}
	}
}

// TestTagsThatSortWrong offers tags that other orders, by text or by stamp, get wrong.
func TestTagsThatSortWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		part           upgrade.Part
		now, all, want string
	}{
		"October after July, and not before it as text":   {server, "2025.10.202511042343", "2025.7.202507151200 2025.10.202511042343 2025.9.202509301200", "2025.10.202511042343"},
		"a later patch of an older line is of that line":  {server, "2025.10.202511042343", "2025.7.202512010000 2025.10.202511042343", "2025.10.202511042343"},
		"an older line does not get the tags of October":  {server, "2025.7.202507151200", "2025.7.202507151200 2025.7.202512010000 2025.10.202511042343", "2025.7.202512010000"},
		"the ui of September, October and December":       {ui, "2025.902.154520", "2025.902.154520 2025.1023.154520 2025.1203.94520 2025.1203.154520", "2025.1203.154520"},
		"nine o'clock before three in the afternoon":      {ui, "2025.1203.94520", "2025.1203.94520 2025.1203.154520", "2025.1203.154520"},
		"with and without a zero, of different days":      {ui, "2026.105.94520", "2026.0106.094520 2026.105.94520", "2026.0106.094520"},
		"with and without a zero, of the same day":        {ui, "2026.105.94520", "2026.0105.094520 2026.105.94520", "2026.105.94520"},
		"numbers that a float64 takes for equal":          {server, "2025.10.9007199254740992", "2025.10.9007199254740992 2025.10.9007199254740993", "2025.10.9007199254740993"},
		"a build stamp that 32 bits do not hold, by hour": {server, "2025.10.202511042343", "2025.10.202511042343 2025.10.202511042344", "2025.10.202511042344"},
	} {
		t.Run(name, func(t *testing.T) {
			before := over(now, upgrade.Versions{tt.part: tt.now})
			after, _ := upgrade.Choose(before, own(t, `- {name: "1.2", server: ["20*"], ui: ["20*"]}`), lists(map[upgrade.Part]string{tt.part: tt.all}), nil)
			if after[tt.part] != tt.want {
				t.Errorf("%s -> %s, want %s", tt.now, after[tt.part], tt.want)
			}
		})
	}
}

// TestFolderOfCharts: where a folder of charts takes the place of registries, no message
// names a registry.
func TestFolderOfCharts(t *testing.T) {
	known := upgrade.Known{}
	for _, part := range upgrade.Parts() {
		known[part] = upgrade.Listed{Versions: strings.Fields("1.2.900 1.3.900"), Complete: true, Folder: "charts"}
		if !part.IsChart() {
			known[part] = upgrade.Listed{Folder: "charts"}
		}
	}
	for goal, want := range map[string]string{
		"": `goal 1.3: the newest line that folder charts has a chart of
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.900 | chart 1.2.900 -> 1.3.900 | server 2025.10.202511042343 -> ? | ui 2025.1023.154520 -> 2026.0112.094520
  warning not-known: server: not known which version the hop to line 1.3 takes: a folder of charts has no images, and the catalog lists no whole tag of line 1.3, only 2026.1.*: list it for line 1.3 under server in a catalog
`,
		"1.3.905": `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.900 | chart 1.2.900 -> 1.3.905 | server 2025.10.202511042343 -> ? | ui 2025.1023.154520 -> 2026.0112.094520
  error not-there: prefect-cloud: folder charts does not have 1.3.905: did you mean 1.3.900?
  warning not-known: server: not known which version the hop to line 1.3 takes: a folder of charts has no images, and the catalog lists no whole tag of line 1.3, only 2026.1.*: list it for line 1.3 under server in a catalog
`,
		"1.2.900": "goal 1.2: asked for\n",
		"1.2": `goal 1.2: asked for
  warning stays: server: stays at 2025.10.202511042343: no newer version is known, and a folder of charts has no images
  warning stays: ui: stays at 2025.1023.154520: no newer version is known, and a folder of charts has no images
`,
	} {
		path, err := upgrade.FindPath(upgrade.Question{Now: now, Catalog: own(t, train), Known: known, Goal: goal, At: spring})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, written(path)); diff != "" {
			t.Errorf("to %q (-want +got):\n%s", goal, diff)
		}
	}
	path, err := upgrade.FindReleasePath("extra", "1.2.900", "1.3.905", known[cloud])
	if err != nil {
		t.Fatal(err)
	}
	if got := path.Hops[0].Remarks[0].String(); got != "folder charts does not have 1.3.905: did you mean 1.3.900?" {
		t.Errorf("FindReleasePath: %s", got)
	}
	if path, err = upgrade.FindReleasePath("extra", "1.2.900", "", upgrade.Listed{Complete: true, Folder: "charts"}); err != nil || path.Goal.Why != "folder charts does not have the chart" || path.Remarks[0].Rule != upgrade.NotKnown {
		t.Errorf("an empty folder: %+v, %v", path, err)
	}
}

// TestGoalFromNowhere: a line that neither the catalog nor a registry has blocks at once,
// and not only at its own hop.
func TestGoalFromNowhere(t *testing.T) {
	for _, tt := range []struct {
		goal     string
		complete bool
		want     finding.Severity
		message  string
	}{
		{"1.33", true, finding.Error, "the catalog does not have line 1.33, and no registry has a chart of it: the newest known line is 1.4"},
		{"1.33", false, finding.Warning, "the catalog does not have line 1.33, and not every registry lists its versions: the newest known line is 1.4"},
		{"1.4", true, "", ""},
		{"1.33.1", true, "", ""}, // the hop names the version
	} {
		known := upgrade.Known{}
		for _, part := range upgrade.Parts() {
			known[part] = upgrade.Listed{Versions: strings.Fields(sold[part]), Complete: tt.complete}
		}
		path, err := upgrade.FindPath(upgrade.Question{Now: now, Catalog: own(t, train), Known: known, Goal: tt.goal, At: spring})
		if err != nil {
			t.Fatal(err)
		}
		var got upgrade.Remark
		for _, remark := range path.Remarks {
			if remark.Rule == upgrade.NotThere {
				got = remark
			}
		}
		if got.Severity != tt.want || tt.want != "" && got.String() != tt.message {
			t.Errorf("to %s: %s %s, want %s %s", tt.goal, got.Severity, got, tt.want, tt.message)
		}
	}
}
