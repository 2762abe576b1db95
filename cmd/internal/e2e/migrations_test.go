//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/node"
)

// A migration that never completes, or fails, holds the next wave and is named
// by status; nothing is rolled back or uninstalled, and it heals when the cause
// goes. The two are upgrades of their own: with each commit Argo CD begins anew
// to count its attempts, which come less and less often.
func TestMigrationGoesWrong(t *testing.T) {
	both(t, func(f *fixture) {
		if f.target == "flux" {
			f.limits = shortened(15)
		}
		f.env.set("spec.values.prefect-cloud.migrations.backoffLimit", 1)
		f.pushApp()
		f.env.set("spec.releases", []any{f.app("next", "prefect-cloud")})
		f.install()
		f.step("hangs", func() {
			f.migrationGoesWrong(patchServer, node.Outcome{Hangs: true, Log: []string{"waiting for a lock on table flow_run"}})
		})
		f.step("fails", func() {
			f.migrationGoesWrong(laterServer, node.Outcome{Takes: time.Second, ExitCode: 1, Log: []string{"relation flow_run is locked"}})
		})
	},
		mistake{"rollback", "flux", rollback, failing, `rollback|rolled back|went back`},
		mistake{"the usual health check", "argo", nil, failing, `^the next wave changed`})
}

// laterServer and lastServer are servers after the patch.
const laterServer, lastServer = "2025.10.202512150915", "2025.10.202512210915"

// rollback has Flux go back to what was there before when an upgrade fails.
var rollback = edit("prefect/overlays/prod/prefect-cloud/helmrelease-patch.yaml",
	`^  upgrade:\n    strategy:\n      name: RetryOnFailure\n      retryInterval: .*\n`,
	"  upgrade:\n    remediation: {retries: 3, strategy: rollback, remediateLastFailure: true}\n")

// failing upgrades once more, to what cannot be migrated.
func failing(f *fixture, mistake mutation) error {
	f.Helper()
	before := f.Journal.Now()
	if f.target == "argo" {
		f.setHealth(usualHealth)
	}
	f.Agent.Script(func(node.Migration) node.Outcome { return node.Outcome{Takes: time.Second, ExitCode: 1} })
	f.env.versions(oldChart, lastServer, patchUI)
	f.env.set("spec.releases", []any{f.app("next", "prefect-cloud", lastServer)})
	f.deliverAs("patch", mistake)
	f.until("a migration failed, and something was done about it", 2*time.Minute, func() bool {
		return f.count(before, f.tried()) >= 1 && f.heldByMigration(before, lastServer) != nil
	})
	return f.heldByMigration(before, lastServer)
}

// A migration may take as long as the environment says, and longer than what
// the delivery system gives a release unasked. Both are shortened here: the
// migration takes 50 seconds of the 60 that it has. It is a Job of the chart, to
// which Flux hands Secrets as values: Argo CD cannot.
func TestInstallJobAndOutlast(t *testing.T) {
	both(t, func(f *fixture) {
		f.env.set("spec.values.prefect-cloud.migrations.delivery", "job")
		if f.target == "flux" {
			f.limits = shortened(60)
			f.env.set("spec.secrets.into", "values")
			f.env.set("spec.redis.cache.password", map[string]any{"secret": "prefect-redis", "key": "cache"})
		}
		f.step("install", func() {
			f.install()
			f.check(f.checkInstall())
		})
		if f.target == "flux" {
			f.step("secrets", func() { f.check(f.checkValues()) })
		}
		f.step("outlast", func() {
			before := f.Journal.Now()
			f.Agent.Script(func(node.Migration) node.Outcome { return node.Outcome{Takes: 50 * time.Second} })
			f.patch()
			f.check(f.checkPatch(before, patchServer))
			f.check(f.neverUndone(before))
			f.check(f.upgradedOnce(before))
		})
	},
		mistake{"a limit that is too short", "flux", shorter, impatient, `^prefect-cloud has \d new revisions, want 1`},
		mistake{"a limit for syncs", "argo", nil, cutShort, `^\d migrations were started, want 1$`},
		mistake{"targetPath", "flux", targetPath, delivered((*fixture).checkValues, "ValuesError"), `^nebula-user-connection-strings/|ValuesError`})
}

// shorter is a limit that ends while the migration runs.
var shorter = edit("prefect/overlays/prod/prefect-cloud/helmrelease-patch.yaml", `(timeout|retryInterval): 60s$`, "$1: 20s")

// impatient upgrades once more, with the migration that takes 50 seconds.
func impatient(f *fixture, mistake mutation) error {
	f.Helper()
	before := f.Journal.Now()
	f.env.versions(oldChart, laterServer, patchUI)
	f.deliverAs("patch", mistake)
	f.awaitUpgrade(laterServer)
	return f.upgradedOnce(before)
}

// cutShort upgrades once more, with that migration as a hook, for which a sync
// waits, while somebody has given syncs a limit.
func cutShort(f *fixture, mistake mutation) error {
	f.Helper()
	const controller = "argocd-application-controller"
	f.check(f.Stop(controller))
	f.check(f.Restart(f.ctx, controller, "--sync-timeout=20"))
	before := f.Journal.Now()
	f.env.set("spec.values.prefect-cloud.migrations.delivery", "hook")
	f.env.versions(oldChart, laterServer, patchUI)
	f.deliverAs("patch", mistake)
	f.until("the migration begins again", 2*time.Minute, func() bool { return f.count(before, f.tried()) > 1 })
	return f.upgradedOnce(before)
}

// migrationGoesWrong has the migration of an upgrade go wrong, looks at what that
// leads to, and takes the cause away. For Argo CD a hook may take as long as its
// Job: one that hangs runs on, is tried once, and counts as not ready yet.
func (f *fixture) migrationGoesWrong(tag string, outcome node.Outcome) {
	f.Helper()
	tries, state := 2, failed
	if f.target == "argo" && outcome.Hangs {
		tries, state = 1, notYet
	}
	before := f.Journal.Now()
	f.Agent.Script(func(node.Migration) node.Outcome { return outcome })
	f.env.versions(oldChart, tag, patchUI)
	f.env.set("spec.releases", []any{f.app("next", "prefect-cloud", tag)})
	f.deliver()
	f.until("status names the migration", 2*time.Minute, func() bool {
		out, code := f.status()
		return code == state && strings.Contains(out, "prefect-db-migrations") && strings.Contains(out, outcome.Log[0])
	})
	f.until("the migration was tried often enough", 2*time.Minute, func() bool { return f.count(before, f.tried()) >= tries })
	f.check(f.heldByMigration(before, tag))
	f.Agent.Script(func(node.Migration) node.Outcome { return node.Outcome{Takes: time.Second} })
	f.awaitUpgrade(tag)
	f.check(f.neverUndone(before))
	f.check(f.inOrder(before, migrated, withImage(available(cloudNamespace, "server"), tag), f.readyWith(tag), changedApp(tag)))
}

// readyWith is that prefect-cloud is ready with a tag, and not still with what
// it had: an Application says Healthy and Synced until Argo CD compares anew.
func (f *fixture) readyWith(tag string) condition {
	isReady := f.releaseReady("prefect-cloud")
	at := map[string][]string{"flux": {"spec", "values"}, "argo": {"status", "sync", "comparedTo"}}[f.target]
	return condition{isReady.what + " with " + tag, func(e event) bool {
		of, _, _ := unstructured.NestedMap(e.Object.Object, at...)
		return isReady.is(e) && strings.Contains(fmt.Sprint(of), tag)
	}}
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
	return f.once(before, "prefect-cloud")
}
