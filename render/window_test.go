package render_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the same zones everywhere

	"github.com/pm-gitops/pm-gitops/render"
)

// TestWindow has times in UTC, of a week in January (Thursday is the first) unless said.
func TestWindow(t *testing.T) {
	const always = "at once"
	for _, tt := range []struct {
		window render.Window
		at     string // RFC 3339
		opens  string // always, or empty for never
	}{
		{"Sat 02:00-06:00 UTC", "2026-01-03T01:59:59Z", "2026-01-03T02:00:00Z"},
		{"Sat 02:00-06:00 UTC", "2026-01-03T02:00:00Z", always},
		{"Sat 02:00-06:00 UTC", "2026-01-03T05:59:59Z", always},
		{"Sat 02:00-06:00 UTC", "2026-01-03T06:00:00Z", "2026-01-10T02:00:00Z"},
		{"Sat 02:00-06:00 UTC", "2026-01-02T03:00:00Z", "2026-01-03T02:00:00Z"},
		{"Mon-Fri 09:30-17:00 UTC", "2026-01-02T16:59:00Z", always},
		{"Mon-Fri 09:30-17:00 UTC", "2026-01-02T17:00:00Z", "2026-01-05T09:30:00Z"},
		{"Mon-Fri 09:30-17:00 UTC", "2026-01-03T12:00:00Z", "2026-01-05T09:30:00Z"},
		// Over the end of the week.
		{"Sat-Mon 09:00-10:00 UTC", "2026-01-04T09:30:00Z", always},
		{"Sat-Mon 09:00-10:00 UTC", "2026-01-05T10:00:00Z", "2026-01-10T09:00:00Z"},
		{"Sun-Sat 00:00-23:59 UTC", "2026-01-07T23:59:30Z", "2026-01-08T00:00:00Z"},
		// Over midnight: the night belongs to the day on which it begins.
		{"Sat 22:00-04:00 UTC", "2026-01-04T03:59:00Z", always},
		{"Sat 22:00-04:00 UTC", "2026-01-04T04:00:00Z", "2026-01-10T22:00:00Z"},
		{"Sat 22:00-04:00 UTC", "2026-01-03T03:00:00Z", "2026-01-03T22:00:00Z"},
		{"Mon-Fri 22:00-04:00 UTC", "2026-01-03T01:00:00Z", always},
		{"Mon-Fri 22:00-04:00 UTC", "2026-01-05T01:00:00Z", "2026-01-05T22:00:00Z"},
		{"Sat 22:00-00:00 UTC", "2026-01-04T00:00:00Z", "2026-01-10T22:00:00Z"},
		{"Sat 22:00-00:00 UTC", "2026-01-03T23:59:00Z", always},
		// A day.
		{"Sat 06:00-06:00 UTC", "2026-01-04T05:59:00Z", always},
		{"Sat 06:00-06:00 UTC", "2026-01-04T06:00:00Z", "2026-01-10T06:00:00Z"},
		// Other zones: another day, and half an hour.
		{"Sat 02:00-06:00 Pacific/Auckland", "2026-01-02T13:00:00Z", always},
		{"Sat 02:00-06:00 Pacific/Auckland", "2026-01-03T02:00:00Z", "2026-01-09T13:00:00Z"},
		{"Mon 09:00-10:00 Asia/Kolkata", "2026-01-05T03:29:00Z", "2026-01-05T03:30:00Z"},
		{"Fri 20:00-22:00 America/Los_Angeles", "2026-01-03T05:00:00Z", always},
		// The clocks of Berlin skip 02:00 to 03:00 on 29 March 2026 …
		{"Sun 02:00-06:00 Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"},
		{"Sun 02:00-06:00 Europe/Berlin", "2026-03-29T03:59:00Z", always},
		{"Sun 02:00-06:00 Europe/Berlin", "2026-03-29T04:00:00Z", "2026-04-05T00:00:00Z"},
		{"Sun 02:30-03:00 Europe/Berlin", "2026-03-29T00:30:00Z", "2026-04-05T00:30:00Z"},
		{"Sun 02:30-03:00 Europe/Berlin", "2026-03-22T02:00:00Z", "2026-04-05T00:30:00Z"},
		{"Sat 23:00-02:30 Europe/Berlin", "2026-03-29T00:59:00Z", always},
		{"Sat 23:00-02:30 Europe/Berlin", "2026-03-29T01:00:00Z", "2026-04-04T21:00:00Z"},
		// … and show it twice on 25 October.
		{"Sun 02:00-03:00 Europe/Berlin", "2026-10-25T00:30:00Z", always},
		{"Sun 02:00-03:00 Europe/Berlin", "2026-10-25T01:30:00Z", always},
		{"Sun 02:00-03:00 Europe/Berlin", "2026-10-25T02:00:00Z", "2026-11-01T01:00:00Z"},
		{"Sun 02:00-02:30 Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"},
		// Samoa had no 30 December 2011, a Friday; the Friday after it, it has.
		{"Fri 09:00-10:00 Pacific/Apia", "2011-12-29T10:00:00Z", "2012-01-05T19:00:00Z"},
	} {
		if err := tt.window.Validate(); err != nil {
			t.Errorf("%s: %v", tt.window, err)
			continue
		}
		zone, err := time.LoadLocation(tt.window.Zone())
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.window.Contains(at, zone); got != (tt.opens == always) {
			t.Errorf("%s at %s: contains it: %t", tt.window, tt.at, got)
		}
		want := tt.opens
		if want == always {
			want = tt.at
		}
		opens := tt.window.Opens(at.In(time.FixedZone("elsewhere", 3600)), zone)
		if got := opens.UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s at %s: opens %s, want %s", tt.window, tt.at, got, want)
		}
	}
}
