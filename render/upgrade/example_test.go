package upgrade_test

import (
	"fmt"
	"time"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// October is newer than July, whatever their texts and their time stamps say.
func ExampleCompare() {
	order, err := upgrade.Compare("2025.10.202511042343", "2025.7.202512010000")
	fmt.Println(order, err)
	_, err = upgrade.Compare("2026.0105.094520", "2026.105.94520")
	fmt.Println(err)
	// Output:
	// 1 <nil>
	// "2026.0105.094520" and "2026.105.94520" are the same numbers with different zeros: nothing says which of them is newer
}

// A newer patch of the same line is chosen. Which ui goes with it, nothing says.
func ExampleChoose() {
	now := upgrade.Versions{"prefectCloud": "1.2.900", "server": "2025.10.202511042343", "ui": "2025.1023.154520"}
	known := upgrade.Known{
		"prefectCloud": {Versions: []string{"1.2.900", "1.3.4"}, Complete: true},
		"server":       {Versions: []string{"2025.10.202511042343", "2025.10.202512010915", "2026.1.202601150930"}, Complete: true},
		"ui":           {Versions: []string{"2025.1023.154520", "2025.1201.91500"}, Complete: true},
	}
	to, notes := upgrade.Choose(now, catalog.Embedded(), known, nil)
	for _, part := range now.Changed(to) {
		fmt.Println(part.Title(), now[part], "->", to[part])
	}
	for _, note := range notes {
		fmt.Println(note)
	}
	// Output:
	// server 2025.10.202511042343 -> 2025.10.202512010915
	// ui: stays at 2025.1023.154520 although there is 2025.1201.91500: tags of the ui do not say which server they go with, and the catalog lists none for the release line; say --ui
}

// What a policy waits for is said, with the time at which it ends.
func ExampleWait() {
	policy := render.Upgrade{MinimumAge: "72h", After: []render.UpgradeAfter{{Environment: "staging", Soak: "48h"}}}
	noon := time.Date(2025, 12, 3, 12, 0, 0, 0, time.UTC)
	to := upgrade.Versions{"server": "2025.10.202512010915"}
	for _, reason := range upgrade.Wait(policy, noon, upgrade.Facts{
		Now:   upgrade.Versions{"server": "2025.10.202511042343"},
		To:    to,
		Ages:  map[upgrade.Part]upgrade.Age{"server": {Made: noon.Add(-24 * time.Hour), Why: "the time stamp of its tag"}},
		First: map[string]upgrade.Predecessor{"staging": {Versions: to, Since: noon.Add(-time.Hour)}},
	}) {
		fmt.Println(reason.Message)
	}
	// Output:
	// environment "staging" has it since 2025-12-03 11:00 UTC: 48h are over at 2025-12-05 11:00 UTC
	// server 2025.10.202512010915 is younger than 72h until 2025-12-05 12:00 UTC: made 2025-12-02 12:00 UTC at the latest, by the time stamp of its tag
}

// Environments come after those that they name.
func ExampleOrder() {
	fleet := []render.Environment{{}, {}}
	fleet[0].Metadata.Name, fleet[1].Metadata.Name = "prod", "staging"
	fleet[0].Spec.Upgrade.After = []render.UpgradeAfter{{Environment: "staging"}}
	order, problems := upgrade.Order(fleet)
	for _, i := range order {
		fmt.Println(fleet[i].Metadata.Name)
	}
	fmt.Println(len(problems))
	// Output:
	// staging
	// prod
	// 0
}
