package catalog_test

import (
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/render/catalog"
)

// TestSupport looks at the last day of six months from a release.
func TestSupport(t *testing.T) {
	for _, tt := range []struct{ released, ends, at, over string }{
		{"2026-01-20", "2026-07-20", "2026-07-20T23:59:59Z", "no"},
		{"2026-01-20", "2026-07-20", "2026-07-21T00:00:00Z", "yes"},
		{"2026-08-31", "2027-02-28", "2027-02-28T12:00:00Z", "no"},
		{"2026-08-31", "2027-02-28", "2027-03-01T00:00:00Z", "yes"},
		{"2026-01", "2026-07-31", "2026-07-31T12:00:00Z", "no"}, // may be over, and is not for certain
		{"2026-01", "2026-07-31", "2026-08-01T00:00:00Z", "yes"},
		{"2026-10", "2027-04-30", "2027-05-01T00:00:00Z", "yes"},
		{"", "0001-01-01", "2026-08-01T00:00:00Z", "no"},
		{"April 2026", "0001-01-01", "2026-08-01T00:00:00Z", "no"},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		got := catalog.Line{Released: tt.released}.Support()
		over := map[bool]string{true: "yes", false: "no"}[got.Over(at)]
		if ends := got.Ends.Format(time.DateOnly); ends != tt.ends || over != tt.over {
			t.Errorf("released %q: ends %s, over at %s: %s; want %s, %s", tt.released, ends, tt.at, over, tt.ends, tt.over)
		}
		if exact := len(tt.released) == len("2026-01-20") && tt.released[4] == '-'; got.Exact != exact {
			t.Errorf("released %q: exact %t", tt.released, got.Exact)
		}
	}
}

// TestHasChart looks at lines with a range for a release, and without.
func TestHasChart(t *testing.T) {
	line := catalog.Line{Name: "1.2", Charts: map[string]catalog.Range{"prefect-cloud": ">=1.2.5 <1.4.0"}}
	for _, tt := range []struct {
		release, version string
		want             bool
	}{
		{"prefect-cloud", "1.3.0", true},
		{"prefect-cloud", "1.2.4", false},
		{"prefect-cloud", "1.3.9-rc.1", true},
		{"prefect-istiod", "1.2.0", true},
		{"prefect-istiod", "1.2.7-rc.1", true},
		{"prefect-istiod", "1.3.0", false},
		{"prefect-istiod", "1.20.0", false},
		{"prefect-istiod", "latest", false},
	} {
		if got := line.HasChart(tt.release, tt.version); got != tt.want {
			t.Errorf("HasChart(%s, %s) = %t", tt.release, tt.version, got)
		}
	}
}
