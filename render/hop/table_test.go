package hop_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// guideTable is what the changes of the stand-ins' line 1.3 (testdata/charts) mean for the
// values of the vendor's guide. SURE is certain where the chart says so itself.
var guideTable = []string{
	"renamed error certain blocks from db.use_embedded to db.embedded.enabled; move db.use_embedded to db.embedded.enabled",
	"renamed error certain blocks from redis.use_embedded to redis.embedded.enabled; move redis.use_embedded to redis.embedded.enabled",
	"renamed error certain blocks from db.serviceuser to db.serviceUser; move db.serviceuser to db.serviceUser",
	"renamed error certain blocks from db.superuser to db.adminUser; move db.superuser to db.adminUser",
	"renamed error certain from ui.cloud2 to ui.web; move ui.cloud2 to ui.web",
	`restructured error certain from global.authProvider.type to global.authProvider.providers; remove global.authProvider.type; set global.authProvider.providers=["adfs"]`,
	"removed error certain from global.instanceName; remove global.instanceName",
	"required error certain to global.encryptionKeySecret.name",
	"required error certain to redis.leases.host",
	"flipped error certain blocks from createAppSecretsInChart to secrets.create; set secrets.create=true",
	"default info certain from db.sslmode to db.sslmode",
	"default warning certain from istio.gateway.service.port to istio.gateway.service.port",
	"default info certain from ui.cloud2.replicas to ui.web.replicas",
	"new-service info certain Deployment/webhooks Service/webhooks",
	"new-service info certain Deployment/lease-reaper",
	"renamed-service warning SURE Deployment/event-archiver Deployment/ladler",
	"hooks warning certain Job/events-db-migrations Job/nebula-db-migrations Job/orion-db-migrations Job/prefect-db-migrations",
}

// wanted fills in how sure the chart makes it, and other names.
func wanted(silent bool, names map[string]string) (lines []string) {
	sure := "certain"
	if silent {
		sure = "suspected"
	}
	for _, line := range guideTable {
		lines = append(lines, renamed(strings.ReplaceAll(line, "SURE", sure), names))
	}
	return lines
}

// renamed puts the names of a variant into a line, and sorts its objects again.
func renamed(line string, names map[string]string) string {
	old := slices.SortedFunc(maps.Keys(names), func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, name := range old {
		if !strings.Contains(name, "=") {
			pairs = append(pairs, name, names[name])
		}
	}
	line = strings.NewReplacer(pairs...).Replace(line)
	words := strings.Split(line, " ")
	first := slices.IndexFunc(words, func(word string) bool { return strings.Contains(word, "/") })
	if first >= 0 {
		slices.Sort(words[first:])
	}
	return strings.Join(words, " ")
}

// TestGuide: the hop to the next line, with a chart that says what it changes and with
// one that does not.
func TestGuide(t *testing.T) {
	for _, version := range []string{"1.3.900", "1.3.901"} {
		t.Run(version, func(t *testing.T) {
			all := values(t, "")
			a := analyze(t, hop.Input{Old: side(standIn(t, charts.Cloud, "1.2.900"), all), New: side(standIn(t, charts.Cloud, version), all), Secrets: guideSecrets})
			compare(t, a, wanted(version == "1.3.901", nil))
			if a.Renders > 120 {
				t.Errorf("%d renders", a.Renders)
			}
			t.Logf("%d renders", a.Renders)
			for _, p := range a.Parity {
				if p.Fate == hop.Lost || p.Why == "" || p.Fate == hop.Gone && p.Path != "global.instanceName" {
					t.Errorf("%s: %s %s", p.Path, p.Fate, p.Why)
				}
			}
			if len(a.Parity) != 25 {
				t.Errorf("%d values, want the guide's 25", len(a.Parity))
			}
		})
	}
}

// seeds gives how many variants are tried: all in the full gate.
func seeds(few, all uint64) uint64 {
	if os.Getenv("PM_GITOPS_FULL") == "" {
		return few
	}
	return all
}

// TestVariants: the same with names that a seed chooses.
func TestVariants(t *testing.T) {
	most := 0
	for seed := range seeds(4, 30) {
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d silent %v", seed, silent), func(t *testing.T) {
				files, names, err := charts.Variant(seed, silent)
				if err != nil {
					t.Fatal(err)
				}
				all := values(t, "")
				a := analyze(t, hop.Input{Old: side(standIn(t, charts.Cloud, "1.2.900"), all), New: side(load(t, files), all), Secrets: guideSecrets})
				compare(t, a, wanted(silent, names))
				most = max(most, a.Renders)
			})
		}
	}
	t.Logf("at most %d renders", most)
}
