package upgrade_test

import (
	"maps"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// A target is read back as it was written, and unknown parts are no version.
func TestTarget(t *testing.T) {
	now := upgrade.Versions{upgrade.Server: "2025.10.1", upgrade.UI: "2025.2", upgrade.PrefectCloud: "1.2.900@sha256:a"}
	to := upgrade.Versions{upgrade.Server: "2025.10.2", upgrade.UI: "2025.2", upgrade.PrefectCloud: "1.2.901"}
	text := now.Target(to)
	if text != "prefectCloud=1.2.901 server=2025.10.2" {
		t.Errorf("Target = %q", text)
	}
	if got := upgrade.ParseTarget(text + " other=1 ui"); !maps.Equal(got, upgrade.Versions{upgrade.PrefectCloud: "1.2.901", upgrade.Server: "2025.10.2"}) {
		t.Errorf("ParseTarget = %v", got)
	}
}

// Versions reach others that are older or the same, part by part, and nothing that cannot
// be compared.
func TestReaches(t *testing.T) {
	has := upgrade.Versions{upgrade.Server: "2025.10.2", upgrade.PrefectCloud: "1.2.10@sha256:a"}
	for target, want := range map[string]bool{
		"": true, "server=2025.10.2": true, "server=2025.9.3": true, "server=2025.10.3": false,
		"prefectCloud=1.2.9": true, "prefectCloud=1.2.11": false, "server=2025.10.1 prefectCloud=1.2.11": false,
		"ui=1": false, "server=latest": false,
	} {
		if got := has.Reaches(upgrade.ParseTarget(target)); got != want {
			t.Errorf("Reaches(%s) = %t", target, got)
		}
	}
	newest := has.Newest(upgrade.ParseTarget("server=2025.10.10 prefectCloud=1.2.9 ui=3"))
	if !maps.Equal(newest, upgrade.Versions{upgrade.Server: "2025.10.10", upgrade.PrefectCloud: "1.2.10@sha256:a"}) {
		t.Errorf("Newest = %v", newest)
	}
}
