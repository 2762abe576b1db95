//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/node"
	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/world"
)

// A registry that wants a login, with credentials that are wrong at first: it is
// said clearly, and heals when they are right.
func TestPrivateRegistry(t *testing.T) {
	both(t, func(f *fixture) {
		f.env.set("spec.registry.pullSecret", "prefect-registry")
		f.env.set("spec.values.prefect-istiod.global", map[string]any{"imagePullSecrets": []any{"prefect-registry"}})
		f.env.set("spec.values.prefect-istiod.istioDiscovery.hub", f.Registry.Host+"/prefect") // of istiod and the proxies
		right := registryLogin
		f.lock(node.Login{Username: right.Username, Password: "another key"})
		f.deliver()
		f.bootstrap()
		f.keepSecrets(secretValue)
		f.until("status says that the login is wrong", 2*time.Minute, func() bool {
			out, code := f.status()
			return code == failed && (strings.Contains(out, "401") || strings.Contains(strings.ToLower(out), "unauthorized"))
		})
		f.lock(right)
		f.retry()
		f.awaitReady()
		f.check(f.checkInstall())
		f.Registry.Lock(nil) // pm-gitops itself has no login
	})
}

// retry has the delivery system look again now, not at its next interval.
func (f *fixture) retry() {
	f.Helper()
	if f.target == "argo" {
		f.annotate(f.get("argoproj.io/v1alpha1 Application", "argocd", f.env.name+"-prefect-istiod"), "argocd.argoproj.io/refresh", "hard")
		return
	}
	source := f.get("source.toolkit.fluxcd.io/v1 OCIRepository", istioNamespace, "prefect-istiod-"+oldChart)
	f.annotate(source, "reconcile.fluxcd.io/requestedAt", "now")
}

// A registry whose authority nothing in the cluster trusts but by the Secret
// that the environment names.
func TestOwnAuthority(t *testing.T) {
	both(t, func(f *fixture) {
		own, err := world.NewAuthority("own")
		f.check(err)
		registry, err := world.ServeRegistry(own, "127.0.0.2") // Argo CD knows authorities by hosts, without ports
		f.check(err)
		f.Cleanup(f.Registry.Stop)
		known := f.CA.PEM
		f.CA, f.Registry = own, registry
		f.pushCharts(registry)
		f.untrusted()
		f.env.set("spec.registry", map[string]any{"mirror": registry.Host + "/prefect", "caSecret": "registry-ca"})
		f.deliver()
		f.bootstrap()
		f.keepSecrets(secretValue)
		if f.target == "argo" {
			f.trust(own)
		}
		f.awaitReady()
		f.check(f.checkInstall())
		// pm-gitops preview, which comes next, runs where a person trusts both.
		f.check(os.WriteFile(filepath.Join(f.Dir, "pki/ca.crt"), slices.Concat(known, own.PEM), 0o600))
	})
}

// untrusted is that programs refuse the registry as they are: that is what the
// Secret is for.
func (f *fixture) untrusted() {
	f.Helper()
	_, code := f.try(f.ctx, "helm", "show", "chart", "oci://"+f.Registry.Host+"/prefect/charts/prefect-cloud", "--version", oldChart)
	if code == 0 || !strings.Contains(f.stderr.String(), "unknown authority") {
		f.Fatalf("helm trusts the registry: exit code %d\n%s", code, f.stderr)
	}
}

// trust fills in the certificates that pm-gitops says Argo CD must have, and
// mounts them, as a kubelet does.
func (f *fixture) trust(own *world.Authority) {
	f.Helper()
	config := f.get("v1 ConfigMap", "argocd", "argocd-tls-certs-cm")
	hosts, _, err := unstructured.NestedStringMap(config.Object, "data")
	f.check(err)
	if len(hosts) != 1 {
		f.Fatalf("argocd-tls-certs-cm has %q, want the registry", hosts)
	}
	for host := range hosts {
		f.check(f.TrustForArgo(host, own))
	}
}
