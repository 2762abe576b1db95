package upgrade

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

func TestStamps(t *testing.T) {
	for _, tt := range []struct {
		part upgrade.Part
		tag  string
		want string // RFC 3339; empty if there is none
	}{
		{upgrade.Server, "2025.10.202511042343", "2025-11-04T23:43:00Z"},
		{upgrade.Server, "2025.7.202512010000", "2025-12-01T00:00:00Z"},
		{upgrade.Server, "2026.1.202512310000", "2025-12-31T00:00:00Z"},
		{upgrade.Server, "2025.10.202513042343", ""}, // no such month
		{upgrade.Server, "2025.10.202502292343", ""}, // no such day
		{upgrade.Server, "2025.10.202511042443", ""}, // no such hour
		{upgrade.Server, "2025.10.199911042343", ""}, // older than its line
		{upgrade.Server, "2025.10.000101010000", ""},
		{upgrade.Server, "2025.10.20251104234359", ""},
		{upgrade.Server, "2025.10", ""},
		{upgrade.Server, "2025.1023.154520", ""}, // the ui's
		{upgrade.UI, "2025.1023.154520", "2025-10-23T15:45:20Z"},
		{upgrade.UI, "2026.0105.094520", "2026-01-05T09:45:20Z"},
		{upgrade.UI, "2026.105.94520", ""}, // 5 January or 10 May?
		{upgrade.UI, "2026.0105.94520", ""},
		{upgrade.UI, "2026.105.094520", ""},
		{upgrade.UI, "2026.1305.094520", ""},
		{upgrade.UI, "1970.0101.000000", ""},
		{upgrade.UI, "2025.10.202511042343", ""}, // the server's
		{upgrade.PrefectCloud, "1.2.900", ""},
		{upgrade.PrefectCloud, "2025.10.202511042343", ""},
	} {
		got := ""
		if stamp, found := stampOf(tt.part, tt.tag); found {
			got = stamp.Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("stamp of %s %s = %q, want %q", tt.part, tt.tag, got, tt.want)
		}
	}
}

// fakeDates says when images were made, and notes what was asked.
type fakeDates struct {
	made  map[string]time.Time
	asked []string
}

func (f *fakeDates) Created(_ context.Context, image string) (time.Time, error) {
	f.asked = append(f.asked, image)
	made, known := f.made[image]
	if !known {
		return made, errors.New(image + " is not there")
	}
	return made, nil
}

func TestAge(t *testing.T) {
	october := time.Date(2025, 10, 20, 12, 0, 0, 0, time.UTC)
	plan := planOf(t, "registry: {source: src.io/cloud, mirror: reg.io/prefect}")
	for name, tt := range map[string]struct {
		part    upgrade.Part
		version string
		made    map[string]time.Time
		offline bool
		want    upgrade.Age
		asked   int
	}{
		"the tag's own": {
			part: upgrade.Server, version: "2025.10.202511042343", // written at 23:43 where it is noon in London
			want: upgrade.Age{Made: time.Date(2025, 11, 5, 11, 43, 0, 0, time.UTC), Why: "the time stamp of its tag, read as UTC with 12 hours for other time zones"},
		},
		"the image's, of the mirror": {
			part: upgrade.UI, version: "2026.105.94520", made: map[string]time.Time{"reg.io/prefect/ui:2026.105.94520": october, "src.io/cloud/ui:2026.105.94520": october.Add(-time.Hour)}, asked: 1,
			want: upgrade.Age{Made: october, Why: "what reg.io/prefect/ui:2026.105.94520 says itself"},
		},
		"the image's, of the source": {
			part: upgrade.UI, version: "2026.105.94520", made: map[string]time.Time{"reg.io/prefect/ui:2026.105.94520": {}, "src.io/cloud/ui:2026.105.94520": october}, asked: 2,
			want: upgrade.Age{Made: october, Why: "what src.io/cloud/ui:2026.105.94520 says itself"},
		},
		"the chart's, without its digest": {
			part: upgrade.PrefectCloud, version: "1.2.901+b@sha256:ab", made: map[string]time.Time{"reg.io/prefect/charts/prefect-cloud:1.2.901_b": october}, asked: 1,
			want: upgrade.Age{Made: october, Why: "what reg.io/prefect/charts/prefect-cloud:1.2.901_b says itself"},
		},
		"not known": {
			part: upgrade.UI, version: "2026.105.94520", made: map[string]time.Time{"src.io/cloud/ui:2026.105.94520": {}}, asked: 2,
			want: upgrade.Age{Why: "reg.io/prefect/ui:2026.105.94520 is not there; src.io/cloud/ui:2026.105.94520 does not say when it was made"},
		},
		"offline": {part: upgrade.UI, version: "2026.105.94520", offline: true, want: upgrade.Age{Why: "its tag has no time stamp, and no registry is asked: offline"}},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &fakeDates{made: tt.made}
			ages := NewAges(fake)
			if tt.offline {
				ages = NewAges(nil)
			}
			for range 2 {
				if got := ages.Age(t.Context(), plan, tt.part, tt.version); got != tt.want {
					t.Errorf("Age = %v, want %v", got, tt.want)
				}
			}
			if len(fake.asked) != tt.asked {
				t.Errorf("asked %q", fake.asked)
			}
		})
	}
}
