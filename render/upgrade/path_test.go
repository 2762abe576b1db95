package upgrade_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// train pairs tags with the lines 1.2 and 1.3, and adds 1.4. It is invented.
const train = `- {name: "1.2", released: "2026-01-20", charts: {prefect-cloud: ">=1.2.0 <1.3.0", prefect-istiod: ">=1.2.0 <1.3.0"}, server: ["2025.10.*"], ui: ["2025.1023.154520", "2025.1103.*"]}
- {name: "1.3", released: "2026-04-17", charts: {prefect-cloud: ">=1.3.0 <1.4.0", prefect-istiod: ">=1.3.0 <1.4.0"}, server: ["2026.1.*"], ui: ["2026.0112.094520"], moves: []}
- {name: "1.4", released: "2026-07-14", charts: {prefect-cloud: ">=1.4.0 <1.5.0", prefect-istiod: ">=1.4.0 <1.5.0"}, server: ["2026.4.*"], ui: ["2026.0415.094520"], moves: [{from: a, to: b}]}
`

// sold is what registries have of the train.
var sold = map[upgrade.Part]string{
	istiod: "1.2.900 1.2.901 1.3.900 1.3.901 1.4.900",
	cloud:  "1.2.900 1.2.901 1.3.900 1.3.901 1.3.902-rc.1 1.4.900 1.5.0-rc.1",
	server: "2025.10.202511042343 2025.10.202512010915 2026.1.202601150930 2026.1.202602010000 2026.4.202604170101 latest",
	ui:     "2025.1023.154520 2025.1103.094520 2026.0112.094520 2026.0415.094520",
}

// spring is a day on which all lines but the oldest are supported.
var spring = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// written writes a path as a test has it: the goal, the remarks, then each hop with its own.
func written(path upgrade.Path) string {
	var b strings.Builder
	fmt.Fprintf(&b, "goal %s: %s\n", path.Goal.Line, path.Goal.Why)
	remarks := func(all []upgrade.Remark) {
		for _, r := range all {
			fmt.Fprintf(&b, "  %s %s: %s\n", r.Severity, r.Rule, r)
		}
	}
	remarks(path.Remarks)
	for _, hop := range path.Hops {
		fmt.Fprintf(&b, "%s %s -> %s", hop.Kind, hop.From.Line, hop.To.Line)
		for _, t := range hop.Versions {
			fmt.Fprintf(&b, " | %s %s -> %s", t.Part.Flag(), or(t.From), or(t.To))
		}
		fmt.Fprintln(&b)
		remarks(hop.Remarks)
	}
	return b.String()
}

func or(version string) string {
	if version == "" {
		return "?"
	}
	return version
}

// TestFindPath looks at the hops to a goal, and at what stands against them.
func TestFindPath(t *testing.T) {
	const oneHop = `line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> 1.3.901 | server 2025.10.202511042343 -> 2026.1.202602010000 | ui 2025.1023.154520 -> 2026.0112.094520
`
	for name, tt := range map[string]struct {
		lines   string // of the catalog, in the place of the train
		now     upgrade.Versions
		goal    string
		known   map[upgrade.Part]string // laid over what is sold
		offline bool
		partly  bool // no list is whole
		at      time.Time
		want    string
	}{
		"the newest, a line at a time": {want: `goal 1.4: the newest line that registries have a chart of
  info one-by-one: line 1.4 is 2 hops away: the vendor upgrades one release line at a time
` + oneHop + `line 1.3 -> 1.4 | istiod 1.3.901 -> 1.4.900 | chart 1.3.901 -> 1.4.900 | server 2026.1.202602010000 -> 2026.4.202604170101 | ui 2026.0112.094520 -> 2026.0415.094520
`},
		"a line": {goal: "1.3", want: "goal 1.3: asked for\n" + oneHop},
		"a version, and istiod of the same number": {goal: "1.3.900", want: `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.900 | chart 1.2.900 -> 1.3.900 | server 2025.10.202511042343 -> 2026.1.202602010000 | ui 2025.1023.154520 -> 2026.0112.094520
`},
		"istiod of another number": {goal: "1.3.900", known: map[upgrade.Part]string{istiod: "1.2.900 1.3.10 1.3.9"}, want: `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.10 | chart 1.2.900 -> 1.3.900 | server 2025.10.202511042343 -> 2026.1.202602010000 | ui 2025.1023.154520 -> 2026.0112.094520
`},
		"a version that no registry has": {goal: "1.3.905", want: `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> 1.3.905 | server 2025.10.202511042343 -> 2026.1.202602010000 | ui 2025.1023.154520 -> 2026.0112.094520
  error not-there: prefect-cloud: no registry has 1.3.905: did you mean 1.3.900?
`},
		"a pre-release only if asked for": {goal: "1.5.0-rc.1", now: upgrade.Versions{cloud: "1.4.900", istiod: "1.4.900", server: "2026.4.202604170101", ui: "2026.0415.094520"}, want: `goal 1.5: asked for
line 1.4 -> 1.5 | istiod 1.4.900 -> ? | chart 1.4.900 -> 1.5.0-rc.1 | server 2026.4.202604170101 -> ? | ui 2026.0415.094520 -> ?
  warning not-known: prefect-istiod: not known which version the hop to line 1.5 takes: no version of line 1.5 is listed: find it in the vendor's release notes
  warning not-known: server: not known which version the hop to line 1.5 takes: the catalog does not say which tags go with line 1.5: list it for line 1.5 under server in a catalog
  warning not-known: ui: not known which version the hop to line 1.5 takes: the catalog does not say which tags go with line 1.5: list it for line 1.5 under ui in a catalog
  warning not-known: the catalog has no line "1.5": nothing is documented of it: compare the charts, and describe the line in a catalog
`},
		"a line that is not to be had is not skipped": {known: map[upgrade.Part]string{cloud: "1.2.900 1.4.900"}, want: `goal 1.4: the newest line that registries have a chart of
  info one-by-one: line 1.4 is 2 hops away: the vendor upgrades one release line at a time
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> ? | server 2025.10.202511042343 -> 2026.1.202602010000 | ui 2025.1023.154520 -> 2026.0112.094520
  error not-there: prefect-cloud: no registry has a version of line 1.3, and a line is not skipped: wait for the vendor's release, or look at the range in the catalog
line 1.3 -> 1.4 | istiod 1.3.901 -> 1.4.900 | chart ? -> 1.4.900 | server 2026.1.202602010000 -> 2026.4.202604170101 | ui 2026.0112.094520 -> 2026.0415.094520
`},
		"offline, the newest of the catalog": {offline: true, want: `goal 1.4: the newest line that the catalog has; no registry listed versions
  info one-by-one: line 1.4 is 2 hops away: the vendor upgrades one release line at a time
line 1.2 -> 1.3 | istiod 1.2.900 -> ? | chart 1.2.900 -> ? | server 2025.10.202511042343 -> ? | ui 2025.1023.154520 -> 2026.0112.094520
  warning not-known: prefect-istiod: not known which version the hop to line 1.3 takes: no registry listed its versions: find it in the vendor's release notes
  warning not-known: prefect-cloud: not known which version the hop to line 1.3 takes: no registry listed its versions: find it in the vendor's release notes
  warning not-known: server: not known which version the hop to line 1.3 takes: no registry lists a tag of line 1.3, which are 2026.1.*: list it for line 1.3 under server in a catalog
line 1.3 -> 1.4 | istiod ? -> ? | chart ? -> ? | server ? -> ? | ui 2026.0112.094520 -> 2026.0415.094520
  warning not-known: prefect-istiod: not known which version the hop to line 1.4 takes: no registry listed its versions: find it in the vendor's release notes
  warning not-known: prefect-cloud: not known which version the hop to line 1.4 takes: no registry listed its versions: find it in the vendor's release notes
  warning not-known: server: not known which version the hop to line 1.4 takes: no registry lists a tag of line 1.4, which are 2026.4.*: list it for line 1.4 under server in a catalog
`},
		"a mirror that lists, and a source that does not": {partly: true, known: map[upgrade.Part]string{istiod: "1.2.900", cloud: "1.2.900", server: "2025.10.202511042343", ui: ""}, goal: "", lines: strings.SplitAfterN(train, "\n", 2)[0], want: `goal 1.3: the newest line that the catalog has, or a registry lists; not every registry lists its versions
line 1.2 -> 1.3 | istiod 1.2.900 -> ? | chart 1.2.900 -> ? | server 2025.10.202511042343 -> ? | ui 2025.1023.154520 -> ?
  warning not-known: prefect-istiod: not known which version the hop to line 1.3 takes: no version of line 1.3 is listed: find it in the vendor's release notes
  warning not-known: prefect-cloud: not known which version the hop to line 1.3 takes: no version of line 1.3 is listed: find it in the vendor's release notes
  warning not-known: server: not known which version the hop to line 1.3 takes: the catalog does not say which tags go with line 1.3: list it for line 1.3 under server in a catalog
  warning not-known: ui: not known which version the hop to line 1.3 takes: the catalog does not say which tags go with line 1.3: list it for line 1.3 under ui in a catalog
  warning undocumented: the catalog has no change of values from line 1.2 to 1.3, and does not say that there is none: compare the charts
`},
		"a line that only registries have": {now: upgrade.Versions{cloud: "1.4.900", istiod: "", server: "2026.4.202604170101", ui: "2026.0415.094520"}, known: map[upgrade.Part]string{cloud: "1.4.900 1.6.2"}, want: `goal 1.6: the newest line that registries have a chart of
line 1.4 -> 1.6 | chart 1.4.900 -> 1.6.2 | server 2026.4.202604170101 -> ? | ui 2026.0415.094520 -> ?
  warning not-known: server: not known which version the hop to line 1.6 takes: the catalog does not say which tags go with line 1.6: list it for line 1.6 under server in a catalog
  warning not-known: ui: not known which version the hop to line 1.6 takes: the catalog does not say which tags go with line 1.6: list it for line 1.6 under ui in a catalog
  warning not-known: the catalog has no line "1.6": nothing is documented of it: compare the charts, and describe the line in a catalog
`},
		"two lines that only registries have": {now: upgrade.Versions{cloud: "1.4.900", istiod: "", server: "", ui: ""}, known: map[upgrade.Part]string{cloud: "1.4.900 1.5.1 1.6.2"}, want: `goal 1.6: the newest line that registries have a chart of
  info one-by-one: line 1.6 is 2 hops away: the vendor upgrades one release line at a time
line 1.4 -> 1.5 | chart 1.4.900 -> 1.5.1
  warning not-known: the catalog has no line "1.5": nothing is documented of it: compare the charts, and describe the line in a catalog
line 1.5 -> 1.6 | chart 1.5.1 -> 1.6.2
  warning not-known: the catalog has no line "1.6": nothing is documented of it: compare the charts, and describe the line in a catalog
`},
		"the documented way past lines that only registries have": {now: upgrade.Versions{cloud: "0.8.900", istiod: "", server: "2025.7.202512010000", ui: "2025.0702.094520"}, goal: "1.2", known: map[upgrade.Part]string{cloud: "0.9.1 1.0.4 1.2.900"}, want: `goal 1.2: asked for
  info further-lines: registries have charts of 0.9 or 1.0, which the catalog does not have between the lines of this path: add them to a catalog if they have to be taken
  info support: not known until when the vendor supports line 0.8: the catalog does not say when it was released
line 0.8 -> 1.2 | chart 0.8.900 -> 1.2.900 | server 2025.7.202512010000 -> 2025.10.202512010915 | ui 2025.0702.094520 -> 2025.1103.094520
`},
		"a later patch of an older line is older": {goal: "1.3", now: upgrade.Versions{server: "2025.7.202612010000"}, lines: strings.ReplaceAll(train, "2025.10.*", "2025.*"), want: `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> 1.3.901 | server 2025.7.202612010000 -> 2026.1.202602010000 | ui 2025.1023.154520 -> 2026.0112.094520
`},
		"a catalog whose tags go backwards": {goal: "1.3", lines: strings.ReplaceAll(train, "2026.1.*", "2025.7.*"), known: map[upgrade.Part]string{server: "2025.7.202612010000 2025.10.202511042343"}, want: `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> 1.3.901 | server 2025.10.202511042343 -> 2025.7.202612010000 | ui 2025.1023.154520 -> 2026.0112.094520
  error downgrade: server: 2025.10.202511042343, which the environment has, is newer than 2025.7.202612010000, the newest of line 1.3: look at the versions of the environment, and at the tags in the catalog
`},
		"two texts of the newest tag": {goal: "1.3", known: map[upgrade.Part]string{ui: "2026.0112.094520 2026.112.94520"}, lines: strings.ReplaceAll(train, `"2026.0112.094520"`, `"2026.*"`), want: `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> 1.3.901 | server 2025.10.202511042343 -> 2026.1.202602010000 | ui 2025.1023.154520 -> ?
  warning not-compared: ui: "2026.0112.094520" and "2026.112.94520" are the same numbers with different zeros: nothing says which of them is newer: list it for line 1.3 under ui in a catalog
`},
		"October after July, by number": {goal: "1.3", known: map[upgrade.Part]string{server: "2026.1.202601150930 2026.10.202601010000 2026.7.202612010000"}, lines: strings.ReplaceAll(train, "2026.1.*", "2026.*"), want: `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> 1.3.901 | server 2025.10.202511042343 -> 2026.10.202601010000 | ui 2025.1023.154520 -> 2026.0112.094520
`},
		"an older line": {goal: "0.8", want: `goal 0.8: asked for
  error downgrade: line 0.8 is older than line 1.2, which the environment has: a downgrade is no upgrade: to go back, restore the databases
`},
		"an older version of the line": {goal: "1.2.10", want: `goal 1.2: asked for
  error downgrade: 1.2.10 is older than 1.2.900, which the environment has: a downgrade is no upgrade: to go back, restore the databases
`},
		"a patch": {goal: "1.2", want: `goal 1.2: asked for
patch 1.2 -> 1.2 | istiod 1.2.900 -> 1.2.901 | chart 1.2.900 -> 1.2.901 | server 2025.10.202511042343 -> 2025.10.202512010915 | ui 2025.1023.154520 -> 2025.1103.094520
`},
		"a version of the line": {goal: "1.2.901", want: `goal 1.2: asked for
patch 1.2 -> 1.2 | istiod 1.2.900 -> 1.2.901 | chart 1.2.900 -> 1.2.901 | server 2025.10.202511042343 -> 2025.10.202511042343 | ui 2025.1023.154520 -> 2025.1023.154520
`},
		"a version of the line that no registry has": {goal: "1.2.902", want: `goal 1.2: asked for
  error refused: prefect-cloud: no registry has 1.2.902: did you mean 1.2.900?
`},
		"the version that it has": {goal: "1.2.900", want: "goal 1.2: asked for\n"},
		"nothing newer":           {known: map[upgrade.Part]string{istiod: "1.2.900", cloud: "1.2.900", server: "2025.10.202511042343", ui: "2025.1023.154520"}, want: "goal 1.2: the newest line that registries have a chart of\n"},
		"offline, nothing newer": {offline: true, goal: "1.2", lines: strings.ReplaceAll(train, `, "2025.1103.*"`, ""), want: `goal 1.2: asked for
  warning stays: prefect-istiod: stays at 1.2.900: no newer version is known, and not every registry lists its versions
  warning stays: prefect-cloud: stays at 1.2.900: no newer version is known, and not every registry lists its versions
  warning stays: server: stays at 2025.10.202511042343: no newer version is known, and not every registry lists its versions
  warning stays: ui: stays at 2025.1023.154520: no newer version is known, and not every registry lists its versions
`},
		"istiod of another line": {goal: "1.3", now: upgrade.Versions{cloud: "1.3.900", server: "2026.1.202602010000", ui: "2026.0112.094520"}, want: `goal 1.3: asked for
  error mixed-lines: prefect-istiod: 1.2.900 is of another line than prefect-cloud 1.3.900: bring both to one line first
patch 1.3 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.3.900 -> 1.3.901 | server 2026.1.202602010000 -> 2026.1.202602010000 | ui 2026.0112.094520 -> 2026.0112.094520
`},
		"a server of another line": {goal: "1.3", now: upgrade.Versions{server: "2026.4.202604170101"}, want: `goal 1.3: asked for
  error mixed-lines: server: 2026.4.202604170101 is of line 1.4, and prefect-cloud 1.2.900 of line 1.2: look at spec.versions.server
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> 1.3.901 | server 2026.4.202604170101 -> 2026.1.202602010000 | ui 2025.1023.154520 -> 2026.0112.094520
  error downgrade: server: 2026.4.202604170101, which the environment has, is newer than 2026.1.202602010000, the newest of line 1.3: look at the versions of the environment, and at the tags in the catalog
`},
		"a server that the catalog does not list": {goal: "1.2.900", now: upgrade.Versions{server: "2025.11.202511042343"}, want: `goal 1.2: asked for
  warning not-known: server: 2025.11.202511042343 is not among the tags of line 1.2: want 2025.10.*: look at spec.versions.server, or list the tag in a catalog
`},
		"tags in each other's place": {goal: "1.2.900", now: upgrade.Versions{server: "2025.1023.154520", ui: "2025.10.202511042343"}, want: `goal 1.2: asked for
  error swapped-tags: server: 2025.1023.154520 has the form of tags of the ui, and 2025.10.202511042343 that of the server: swap spec.versions.server and spec.versions.ui
`},
		"the server's tag for both": {goal: "1.2.900", now: upgrade.Versions{ui: "2025.10.202511042343"}, lines: `- {name: "1.2", released: "2026-01-20"}`, want: `goal 1.2: asked for
  warning swapped-tags: ui: 2025.10.202511042343 has the form of tags of the server: look at spec.versions.ui
`},
		"out of support, and the way out": {goal: "1.3", at: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), want: `goal 1.3: asked for
  info support: line 1.2 is out of support since 2026-07-20 at the latest: the vendor supports a release for six months
` + oneHop},
		"out of support, here and there": {goal: "1.3", at: time.Date(2026, 10, 18, 0, 0, 0, 0, time.UTC), want: `goal 1.3: asked for
  info support: line 1.2 is out of support since 2026-07-20 at the latest: the vendor supports a release for six months
` + oneHop + `  warning support: line 1.3 is out of support since 2026-10-17 at the latest: the vendor supports a release for six months
`},
		"out of support, and staying": {goal: "1.2.900", at: time.Date(2026, 7, 21, 0, 0, 0, 0, time.UTC), want: `goal 1.2: asked for
  warning support: line 1.2 is out of support since 2026-07-20 at the latest: the vendor supports a release for six months
`},
		"support that may be over": {goal: "1.2.900", at: time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC), lines: strings.Replace(train, `"2026-01-20"`, `"2026-01"`, 1), want: `goal 1.2: asked for
  warning support: the support of line 1.2 ends in this month, on a day that the catalog does not know: the vendor supports a release for six months
`},
		"a line that the catalog does not have": {now: upgrade.Versions{cloud: "7.1.0", istiod: ""}, goal: "7.2", known: map[upgrade.Part]string{cloud: "7.1.0 7.2.3"}, want: `goal 7.2: asked for
  error mixed-lines: server: 2025.10.202511042343 is of line 1.2, and prefect-cloud 7.1.0 of line 7.1: look at spec.versions.server
  error mixed-lines: ui: 2025.1023.154520 is of line 1.2, and prefect-cloud 7.1.0 of line 7.1: look at spec.versions.ui
line 7.1 -> 7.2 | chart 7.1.0 -> 7.2.3 | server 2025.10.202511042343 -> ? | ui 2025.1023.154520 -> ?
  warning not-known: server: not known which version the hop to line 7.2 takes: the catalog does not say which tags go with line 7.2: list it for line 7.2 under server in a catalog
  warning not-known: ui: not known which version the hop to line 7.2 takes: the catalog does not say which tags go with line 7.2: list it for line 7.2 under ui in a catalog
  warning not-known: the catalog has no line "7.2": nothing is documented of it: compare the charts, and describe the line in a catalog
`},
		"a ui of a later day": {goal: "1.3", now: upgrade.Versions{ui: "2026.0301.094520"}, lines: strings.Replace(train, `"2025.1023.154520"`, `"2026.03*"`, 1), want: `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> 1.3.901 | server 2025.10.202511042343 -> 2026.1.202602010000 | ui 2026.0301.094520 -> 2026.0112.094520
`},
		"a tag of the catalog that no registry has": {goal: "1.3", known: map[upgrade.Part]string{ui: "2025.1023.154520"}, want: `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> 1.3.901 | server 2025.10.202511042343 -> 2026.1.202602010000 | ui 2025.1023.154520 -> ?
  warning not-known: ui: not known which version the hop to line 1.3 takes: no registry lists a tag of line 1.3, which are 2026.0112.094520: list it for line 1.3 under ui in a catalog
`},
		"tags of another form are skipped": {goal: "1.3", known: map[upgrade.Part]string{server: "2026.1.202601150930 2026.1.202601150930.7 2026.1"}, lines: strings.ReplaceAll(train, "2026.1.*", "2026.1*"), want: `goal 1.3: asked for
line 1.2 -> 1.3 | istiod 1.2.900 -> 1.3.901 | chart 1.2.900 -> 1.3.901 | server 2025.10.202511042343 -> 2026.1.202601150930 | ui 2025.1023.154520 -> 2026.0112.094520
`},
		"a line between those of the catalog, asked for": {now: upgrade.Versions{cloud: "0.8.900", istiod: "", server: "2025.7.1", ui: "x"}, goal: "1.0", known: map[upgrade.Part]string{cloud: "1.0.4 1.2.900"}, want: `goal 1.0: asked for
  info support: not known until when the vendor supports line 0.8: the catalog does not say when it was released
line 0.8 -> 1.0 | chart 0.8.900 -> 1.0.4 | server 2025.7.1 -> ? | ui x -> ?
  warning not-known: server: not known which version the hop to line 1.0 takes: the catalog does not say which tags go with line 1.0: list it for line 1.0 under server in a catalog
  warning not-known: ui: not known which version the hop to line 1.0 takes: the catalog does not say which tags go with line 1.0: list it for line 1.0 under ui in a catalog
  warning not-known: the catalog has no line "1.0": nothing is documented of it: compare the charts, and describe the line in a catalog
`},
		"support in its last month": {goal: "1.2.900", at: time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC), want: "goal 1.2: asked for\n"},
		"a patch of what registries list": {goal: "1.2", partly: true, known: map[upgrade.Part]string{istiod: "", cloud: "", ui: ""}, want: `goal 1.2: asked for
  info stays: prefect-istiod: stays at 1.2.900: no newer version is known, and not every registry lists its versions
  info stays: prefect-cloud: stays at 1.2.900: no newer version is known, and not every registry lists its versions
  info stays: ui: stays at 2025.1023.154520: no newer version is known, and not every registry lists its versions
patch 1.2 -> 1.2 | istiod 1.2.900 -> 1.2.900 | chart 1.2.900 -> 1.2.900 | server 2025.10.202511042343 -> 2025.10.202512010915 | ui 2025.1023.154520 -> 2025.1023.154520
`},
		"digests are not compared": {goal: "1.2.900", now: upgrade.Versions{cloud: "1.2.900@sha256:ab", istiod: "1.2.900@sha256:cd"}, want: "goal 1.2: asked for\n"},
	} {
		t.Run(name, func(t *testing.T) {
			has, all := upgrade.Versions{}, map[upgrade.Part]string{}
			for part, version := range now {
				if laid, is := tt.now[part]; is {
					version = laid
				}
				if version != "" {
					has[part] = version
				}
				all[part] = sold[part]
				if laid, is := tt.known[part]; is {
					all[part] = laid
				}
			}
			known := lists(all)
			if tt.offline {
				known = nil
			}
			for part, listed := range known {
				listed.Complete = !tt.partly
				known[part] = listed
			}
			if tt.lines == "" {
				tt.lines = train
			}
			if tt.at.IsZero() {
				tt.at = spring
			}
			got, err := upgrade.FindPath(upgrade.Question{Now: has, Catalog: own(t, tt.lines), Known: known, Goal: tt.goal, At: tt.at})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, written(got)); diff != "" {
				t.Errorf("FindPath (-want +got):\n%s", diff)
			}
		})
	}
}
