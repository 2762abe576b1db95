//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/node"
)

// A migration that never completes, or fails, holds the next wave and is named
// by status; nothing is rolled back or uninstalled, and it heals when the cause goes.
func TestMigrationGoesWrong(t *testing.T) {
	both(t, func(f *fixture) {
		if f.target == "flux" {
			f.limits = shortened(15)
		}
		f.env.set("spec.values.prefect-cloud.migrations.backoffLimit", 1)
		f.pushApp()
		f.env.set("spec.releases", []any{f.app("next", "prefect-cloud")})
		f.install(nil)
		before := f.Journal.Now()
		f.env.versions(oldChart, patchServer, patchUI)
		f.env.set("spec.releases", []any{f.app("next", "prefect-cloud", patchServer)})
		f.step("hangs", func() {
			f.Agent.Script(func(node.Migration) node.Outcome { return hangingMigration })
			f.deliver()
			f.migrationHolds(before, hangingMigration)
		})
		f.step("fails", func() {
			f.Agent.Script(func(node.Migration) node.Outcome { return failingMigration })
			f.migrationHolds(before, failingMigration)
		})
		f.step("heals", func() {
			f.Agent.Script(func(node.Migration) node.Outcome { return node.Outcome{Takes: time.Second} })
			f.awaitUpgrade(patchServer)
			f.check(f.neverUndone(before))
			f.check(f.inOrder(before, migrated, withImage(available(cloudNamespace, "server"), patchServer), f.releaseReady("prefect-cloud"), changedApp(patchServer)))
		})
	})
}

var (
	hangingMigration = node.Outcome{Hangs: true, Log: []string{"waiting for a lock on table flow_run"}}
	failingMigration = node.Outcome{Takes: time.Second, ExitCode: 1, Log: []string{"relation flow_run is locked"}}
)

// A migration may take as long as the environment says, and longer than what
// the delivery system gives a release unasked. Both are shortened here: the
// migration takes 50 seconds of the 60 that it has. It is a Job of the chart.
func TestInstallJobAndOutlast(t *testing.T) {
	both(t, func(f *fixture) {
		f.env.set("spec.values.prefect-cloud.migrations.delivery", "job")
		if f.target == "flux" {
			f.limits = shortened(60)
		}
		f.install(nil)
		f.check(f.checkInstall())
		before := f.Journal.Now()
		f.Agent.Script(func(node.Migration) node.Outcome { return node.Outcome{Takes: 50 * time.Second} })
		f.patch(nil)
		f.check(f.checkPatch(before))
		f.check(f.neverUndone(before))
		f.check(f.upgradedOnce(before))
	})
}

// migrationHolds waits until a migration has gone wrong twice from now on: status
// names it, and what comes after it is as it was before.
func (f *fixture) migrationHolds(before uint64, outcome node.Outcome) {
	f.Helper()
	now := f.Journal.Now()
	f.until("status names the migration", 2*time.Minute, func() bool {
		out, code := f.status()
		return code == failed && strings.Contains(out, "prefect-db-migrations") && strings.Contains(out, outcome.Log[0])
	})
	f.until("the delivery system has tried twice", 3*time.Minute, func() bool { return f.count(now, f.tried()) >= 2 })
	f.check(f.heldByMigration(before, patchServer))
}

// tried is the start of a migration.
func (f *fixture) tried() condition {
	return condition{"a migration starts", func(e event) bool {
		return e.Type == watch.Added && of("Pod", cloudNamespace, "")(e) && migrates(e.Object)
	}}
}

// heldByMigration is that nothing went on, and nothing back.
func (f *fixture) heldByMigration(before uint64, tag string) error {
	if n := f.count(before, changedApp(tag)); n > 0 {
		return fmt.Errorf("the next wave changed while the migration was not done")
	}
	if n := f.count(before, condition{"", func(e event) bool {
		return of("Deployment", cloudNamespace, "server")(e) && strings.HasSuffix(imageOf(e.Object), ":"+tag)
	}}); n > 0 {
		return fmt.Errorf("the server is new while the migration was not done")
	}
	return f.neverUndone(before)
}

// neverUndone is that no service went away, and none went back to an older image.
func (f *fixture) neverUndone(before uint64) error {
	images := map[string][]string{} // that each Deployment has had, the newest last
	for _, e := range f.Journal.Events() {
		if !of("Deployment", cloudNamespace, "")(e) {
			continue
		}
		name, image := e.Object.GetName(), imageOf(e.Object)
		if e.Version > before && e.Type == watch.Deleted {
			return fmt.Errorf("Deployment %s was deleted", name)
		}
		switch had := images[name]; {
		case !slices.Contains(had, image):
			images[name] = append(had, image)
		case had[len(had)-1] != image:
			return fmt.Errorf("Deployment %s went back to %s", name, image)
		}
	}
	for _, e := range f.Journal.After(before) {
		if of("Secret", cloudNamespace, "")(e) && e.Object.GetLabels()["owner"] == "helm" {
			if status := e.Object.GetLabels()["status"]; strings.Contains(status, "rollback") || strings.Contains(status, "uninstall") {
				return fmt.Errorf("Helm's release is %s", status)
			}
		}
	}
	if f.target == "flux" {
		return f.noRollback(before)
	}
	return nil
}

// noRollback is that no revision of the release is a rollback, as its
// description says it.
func (f *fixture) noRollback(before uint64) error {
	for _, e := range f.Journal.After(before) {
		if !of("HelmRelease", cloudNamespace, "prefect-cloud")(e) {
			continue
		}
		if text := fmt.Sprint(e.Object.Object["status"]); strings.Contains(text, "RollbackSucceeded") || strings.Contains(text, "rollback to") || strings.Contains(text, "Uninstall") {
			return fmt.Errorf("the release was rolled back: %s", text)
		}
	}
	return nil
}

// upgradedOnce is that prefect-cloud was upgraded with one attempt.
func (f *fixture) upgradedOnce(before uint64) error {
	if n := f.count(before, f.tried()); n != 1 {
		return fmt.Errorf("%d migrations were started, want 1", n)
	}
	return nil
}
