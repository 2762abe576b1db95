//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"
)

// Two environments in one repository: one is upgraded, the other untouched.
func TestTwoEnvironments(t *testing.T) {
	both(t, func(f *fixture) {
		f.env.set("spec.cluster.name", "prod")
		f.install(nil)
		dev := newEnvironment(f, "dev")
		dev.set("spec.cluster.name", "prod")
		dev.set("spec.mesh", map[string]any{"existing": map[string]any{"revision": "default"}})
		dev.set("spec.versions.prefectIstiod", nil)
		dev.set("spec.values.prefect-istiod", nil)
		dev.set("spec.names", map[string]any{"prefect-cloud": map[string]any{"release": "customer-managed-dev", "namespace": "customer-managed-dev"}})
		prod := f.env
		f.env = dev
		f.deliver()
		if f.target == "argo" {
			f.bootstrap()
		}
		f.keepSecrets(secretValue)
		f.awaitReady()

		before := f.Journal.Now()
		dev.set("spec.versions", map[string]any{"prefectCloud": oldChart, "server": patchServer, "ui": patchUI})
		f.deliver()
		f.until("dev is upgraded", 3*time.Minute, func() bool {
			_, err := f.first(before, withImage(available("customer-managed-dev", "server"), patchServer))
			return err == nil
		})
		f.awaitReady()
		f.check(f.untouched(before, prod))
		f.env = prod
		f.awaitReady()
	})
}

// untouched is that nothing of an environment changed after a version.
func (f *fixture) untouched(before uint64, env *environment) error {
	for _, e := range f.Journal.After(before) {
		switch namespace := e.Object.GetNamespace(); {
		case namespace == cloudNamespace || namespace == istioNamespace:
			if kind := e.Object.GetKind(); kind == "Pod" || e.Type != watch.Modified || e.Object.GetGeneration() > max(1, f.generation(e)) {
				return fmt.Errorf("%s %s of %s was %s", kind, e.Object.GetName(), env.name, e.Type)
			}
		case strings.HasPrefix(e.Object.GetName(), env.name+"-") && e.Object.GetGeneration() > max(1, f.generation(e)) && f.target == "flux":
			return fmt.Errorf("%s %s changed", e.Object.GetKind(), e.Object.GetName())
		}
	}
	return nil
}
