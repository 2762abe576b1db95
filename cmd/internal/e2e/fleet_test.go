//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// Two environments in one repository: one is upgraded, the other untouched. The
// first has the chart's default, a hook after the install that the services wait
// for: with Flux the install is tried again as an upgrade, whose hook comes before.
func TestTwoEnvironments(t *testing.T) {
	both(t, func(f *fixture) {
		f.env.set("spec.cluster.name", "prod")
		f.env.set("spec.values.prefect-cloud.migrations", map[string]any{"delivery": "hook"})
		if f.target == "flux" {
			f.limits = shortened(15)
		}
		f.install()
		f.check(f.checkInstall())
		f.limits = nil
		dev := newEnvironment(f, "dev")
		dev.set("spec.cluster.name", "prod")
		dev.set("spec.mesh", map[string]any{"existing": map[string]any{"revision": "default"}})
		dev.set("spec.versions.prefectIstiod", nil)
		dev.set("spec.values.prefect-istiod", nil)
		dev.set("spec.names", map[string]any{"prefect-cloud": map[string]any{"release": "customer-managed-dev", "namespace": "customer-managed-dev"}})
		prod := f.env
		f.env, f.other = dev, dev
		f.deliver()
		if f.target == "argo" {
			f.bootstrap()
		}
		f.keepSecrets()
		f.awaitReady()

		before, commit := f.Journal.Now(), f.run("git", "rev-parse", "HEAD")
		dev.set("spec.versions", map[string]any{"prefectCloud": oldChart, "server": patchServer, "ui": patchUI})
		f.deliver()
		f.until("dev is upgraded", 3*time.Minute, func() bool {
			_, err := f.first(before, withImage(available("customer-managed-dev", "server"), patchServer))
			return err == nil
		})
		f.awaitReady()
		if files := f.run("git", "diff", "--name-only", strings.TrimSpace(commit)); strings.Contains(files, prod.name) {
			f.Errorf("files of %s changed:\n%s", prod.name, files)
		}
		f.check(f.untouched(before, prod))
		f.env = prod
		f.awaitReady()
	},
		mistake{"a change of what environments share", "flux", edit("prefect/base/v1/flux/prefect-cloud/helmrelease.yaml", `maxHistory: .*`, "maxHistory: 9"), touched, `^HelmRelease customer-managed/prefect-cloud of prod was MODIFIED`},
		mistake{"a change of what environments share", "argo", edit("prefect/base/v1/argo/prefect-cloud/application.yaml", `PruneLast=true`, "PruneLast=false"), touched, `^Application argocd/prod-prefect-cloud of prod was MODIFIED`})
}

// touched delivers the other environment with a mistake, and gives what that
// does to the first.
func touched(f *fixture, mistake mutation) error {
	before, first := f.Journal.Now(), f.env
	f.env = f.other
	f.deliverAs("touched", mistake)
	_ = f.within("the first environment changes", 2*time.Minute, func() bool { return f.untouched(before, first) != nil })
	return f.untouched(before, first)
}

// untouched is that nothing of an environment changed after a version: neither
// what is in its namespaces, nor what delivers it.
func (f *fixture) untouched(before uint64, env *environment) error {
	contents := map[types.UID]map[string]any{}
	for _, e := range f.Journal.Events() {
		content := maps.Clone(e.Object.Object)
		delete(content, "metadata")
		delete(content, "status")
		known := contents[e.Object.GetUID()]
		contents[e.Object.GetUID()] = content
		namespace, kind := e.Object.GetNamespace(), e.Object.GetKind()
		its := namespace == cloudNamespace || namespace == istioNamespace || strings.HasPrefix(e.Object.GetName(), env.name+"-")
		if e.Version <= before || !its {
			continue
		}
		if kind == "Pod" || e.Type != watch.Modified || !equal(known, content) {
			return fmt.Errorf("%s %s/%s of %s was %s", kind, namespace, e.Object.GetName(), env.name, e.Type)
		}
	}
	return nil
}
