package upgrade_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// noon is when the tests decide.
var noon = time.Date(2025, 12, 3, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

func TestWait(t *testing.T) {
	to := over(now, upgrade.Versions{server: "2025.10.202512010915"})
	staging := func(v upgrade.Versions, since time.Time) map[string]upgrade.Predecessor {
		return map[string]upgrade.Predecessor{"staging": {Versions: v, Since: since, Why: "the server gives no history"}}
	}
	after := func(soak render.Duration) render.Upgrade {
		return render.Upgrade{After: []render.UpgradeAfter{{Environment: "staging", Soak: soak}}}
	}
	age := func(made time.Time) map[upgrade.Part]upgrade.Age {
		return map[upgrade.Part]upgrade.Age{server: {Made: made, Why: "its tag, read as UTC"}}
	}
	for name, tt := range map[string]struct {
		policy render.Upgrade
		to     upgrade.Versions // laid over the new ones
		first  map[string]upgrade.Predecessor
		ages   map[upgrade.Part]upgrade.Age
		want   string
	}{
		"no policy": {},
		"no such environment": {
			policy: after(""),
			want:   `after staging: environment "staging" goes first and does not exist`,
		},
		"behind": {
			policy: after("72h"), first: staging(now, ago(time.Hour)),
			want: `after staging: environment "staging" goes first and has not all of it: server is 2025.10.202511042343, not 2025.10.202512010915`,
		},
		"has it":                {policy: after(""), first: staging(to, time.Time{})},
		"has a newer one":       {policy: after(""), first: staging(over(to, upgrade.Versions{server: "2025.10.202512020000"}), time.Time{})},
		"is a line ahead":       {policy: after(""), first: staging(over(to, upgrade.Versions{server: "2026.1.202601150930"}), time.Time{})},
		"is a line behind":      {policy: after(""), first: staging(over(to, upgrade.Versions{server: "2025.7.202512020000"}), time.Time{}), want: `after staging: environment "staging" goes first and has not all of it: server is 2025.7.202512020000, not 2025.10.202512010915`},
		"not to compare with":   {policy: after(""), first: staging(upgrade.Versions{server: "main"}, time.Time{}), want: `after staging: environment "staging" goes first and has not all of it: its server cannot be compared: the tag "main" is no version that can be compared: want numbers with dots between them, such as 2025.10.202511042343`},
		"has none of it":        {policy: after("1h"), first: staging(upgrade.Versions{}, time.Time{})},
		"behind in one of two":  {policy: after(""), to: upgrade.Versions{cloud: "1.2.901@sha256:ab"}, first: staging(over(to, upgrade.Versions{cloud: "1.2.900@sha256:cd"}), time.Time{}), want: `after staging: environment "staging" goes first and has not all of it: prefect-cloud is 1.2.900, not 1.2.901`},
		"same chart, no digest": {policy: after(""), to: upgrade.Versions{cloud: "1.2.901"}, first: staging(over(to, upgrade.Versions{cloud: "1.2.901@sha256:ab"}), time.Time{})},
		"soaks": {
			policy: after("72h"), first: staging(to, ago(71*time.Hour)),
			want: `soak staging: environment "staging" has it since 2025-11-30 13:00 UTC: 72h are over at 2025-12-03 13:00 UTC (2025-12-03T13:00:00Z)`,
		},
		"soaked": {policy: after("72h"), first: staging(to, ago(72*time.Hour))},
		"soaks since nobody knows": {
			policy: after("72h"), first: staging(to, time.Time{}),
			want: `soak staging: environment "staging" must have it for 72h, and since when it does is not known: the server gives no history`,
		},
		"young":       {policy: render.Upgrade{MinimumAge: "72h"}, ages: age(ago(70 * time.Hour)), want: `minimumAge server: server 2025.10.202512010915 is younger than 72h until 2025-12-03 14:00 UTC: made 2025-11-30 14:00 UTC at the latest, by its tag, read as UTC (2025-12-03T14:00:00Z)`},
		"old enough":  {policy: render.Upgrade{MinimumAge: "72h"}, ages: age(ago(72 * time.Hour))},
		"unknown age": {policy: render.Upgrade{MinimumAge: "1ms"}, want: `minimumAge server: the age of server 2025.10.202512010915 is not known: nothing says when it was made`},
		"unknown age, and why": {
			policy: render.Upgrade{MinimumAge: "1h"}, ages: map[upgrade.Part]upgrade.Age{server: {Why: "the registry does not answer"}},
			want: `minimumAge server: the age of server 2025.10.202512010915 is not known: the registry does not answer`,
		},
		"only what changes has an age": {policy: render.Upgrade{MinimumAge: "1h"}, to: upgrade.Versions{server: now[server], cloud: "1.2.901"}, ages: map[upgrade.Part]upgrade.Age{cloud: {Made: ago(2 * time.Hour)}}},
		"all at once": {
			policy: render.Upgrade{MinimumAge: "1h", After: []render.UpgradeAfter{{Environment: "dev"}, {Environment: "staging", Soak: "1h"}}}, first: staging(to, ago(0)),
			want: `after dev: environment "dev" goes first and does not exist
soak staging: environment "staging" has it since 2025-12-03 12:00 UTC: 1h are over at 2025-12-03 13:00 UTC (2025-12-03T13:00:00Z)
minimumAge server: the age of server 2025.10.202512010915 is not known: nothing says when it was made`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := upgrade.Wait(tt.policy, noon, upgrade.Facts{Now: now, To: over(to, tt.to), First: tt.first, Ages: tt.ages})
			if diff := cmp.Diff(tt.want, reasons(got)); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

func reasons(all []upgrade.Reason) string {
	var lines []string
	for _, r := range all {
		line := fmt.Sprintf("%s %s%s: %s", r.Kind, r.Environment, r.Part, r.Message)
		if !r.Until.IsZero() {
			line += " (" + r.Until.Format(time.RFC3339) + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestWaitToMerge(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const person = `autoMerge : spec.upgrade.autoMerge does not say patch: a person merges`
	for _, tt := range []struct {
		policy render.Upgrade
		zone   *time.Location
		want   string
	}{
		{render.Upgrade{}, nil, person},
		{render.Upgrade{AutoMerge: "never"}, nil, person},
		{render.Upgrade{AutoMerge: "patch"}, nil, ""},
		{render.Upgrade{AutoMerge: "patch", Window: "Wed 13:00-14:00 Europe/Berlin"}, berlin, ""},
		{render.Upgrade{AutoMerge: "patch", Window: "Wed 12:00-13:00 Europe/Berlin"}, berlin, `window : window "Wed 12:00-13:00 Europe/Berlin" opens at 2025-12-10 11:00 UTC (2025-12-10T11:00:00Z)`},
		{render.Upgrade{AutoMerge: "patch", Window: "Wed 13:00-14:00 Mars/Olympus"}, nil, `window : the time zone of window "Wed 13:00-14:00 Mars/Olympus" is not known`},
		{render.Upgrade{Window: "Wed 12:00-13:00 Europe/Berlin"}, berlin, person + "\n" + `window : window "Wed 12:00-13:00 Europe/Berlin" opens at 2025-12-10 11:00 UTC (2025-12-10T11:00:00Z)`},
	} {
		if got := reasons(upgrade.WaitToMerge(tt.policy, noon, tt.zone)); got != tt.want {
			t.Errorf("WaitToMerge(%+v) =\n%s\nwant\n%s", tt.policy, got, tt.want)
		}
	}
}

// TestReasonJSON holds the form that programs read.
func TestReasonJSON(t *testing.T) {
	got, err := json.Marshal([]upgrade.Reason{
		{Kind: upgrade.Soak, Environment: "staging", Message: "m", Until: noon},
		{Kind: upgrade.MinimumAge, Part: server, Message: "m"},
	})
	const want = `[{"kind":"soak","environment":"staging","message":"m","until":"2025-12-03T12:00:00Z"},{"kind":"minimumAge","part":"server","message":"m"}]`
	if err != nil || string(got) != want {
		t.Errorf("JSON is\n%s, %v, want\n%s", got, err, want)
	}
}
