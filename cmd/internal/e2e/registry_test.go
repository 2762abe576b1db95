//go:build e2e

package e2e

import (
	"fmt"
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

// A registry that wants a login, and whose authority nothing in the cluster
// trusts but by the Secret that the environment names. First the authority is not
// handed on, then the login is wrong: both are said clearly, and heal.
func TestPrivateRegistry(t *testing.T) {
	both(t, func(f *fixture) {
		known := f.CA.PEM
		f.moveRegistry()
		right := registryLogin
		f.lock(node.Login{Username: right.Username, Password: "another key"})
		f.env.set("spec.registry", map[string]any{"mirror": f.Registry.Host + "/prefect", "caSecret": "registry-ca", "pullSecret": "prefect-registry"})
		f.env.set("spec.values.prefect-istiod.global", map[string]any{"imagePullSecrets": []any{"prefect-registry"}})
		f.env.set("spec.values.prefect-istiod.istioDiscovery.hub", f.Registry.Host+"/prefect") // of istiod and the proxies
		f.step("unknown authority", func() {
			if f.target == "flux" {
				f.deliverAs("install", edit("prefect/overlays/prod/*/ocirepository.yaml", `^  certSecretRef:\n    name: registry-ca\n`, ""))
			} else {
				f.deliver() // what Argo CD trusts is not in its files: trust, below
			}
			f.bootstrap()
			f.keepSecrets()
			f.until("the authority is refused", 2*time.Minute, func() bool {
				fetching := f.fetching()
				return fetching != nil && strings.Contains(fmt.Sprint(fetching.Object["status"]), "unknown authority")
			})
		})
		f.step("wrong login", func() {
			if f.target == "flux" {
				f.deliver()
				// It waits for what it applied before, and would for 25 minutes.
				f.until("status says how to end that", 2*time.Minute, func() bool {
					out, _ := f.status()
					return strings.Contains(out, "wait until what Flux applied before")
				})
				f.check(f.Stop("kustomize-controller"))
				f.check(f.Restart(f.ctx, "kustomize-controller"))
			} else {
				f.trust()
				f.retry()
			}
			f.until("status says that the login is wrong", 2*time.Minute, func() bool {
				out, code := f.status()
				return code == failed && (strings.Contains(out, "401") || strings.Contains(strings.ToLower(out), "unauthorized"))
			})
		})
		f.step("install", func() {
			f.lock(right)
			f.retry()
			f.awaitReady()
			f.check(f.checkInstall())
		})
		// pm-gitops preview, which comes next, runs where a person trusts both
		// authorities, and has no login.
		f.check(os.WriteFile(filepath.Join(f.Dir, "pki/ca.crt"), slices.Concat(known, f.CA.PEM), 0o600))
		f.Registry.Lock(nil)
	})
}

// fetching is what fetches istiod's chart; nil before it is there.
func (f *fixture) fetching() *unstructured.Unstructured {
	f.Helper()
	if f.target == "flux" {
		return f.get("source.toolkit.fluxcd.io/v1 OCIRepository", istioNamespace, "prefect-istiod-"+oldChart)
	}
	return f.delivering("prefect-istiod")
}

// retry has the delivery system look again now, not at its next interval.
func (f *fixture) retry() {
	f.Helper()
	again := map[string][2]string{"flux": {"reconcile.fluxcd.io/requestedAt", "now"}, "argo": {refresh, "hard"}}[f.target]
	f.annotate(f.fetching(), again[0], again[1])
}

// moveRegistry moves the charts to a registry with an authority of its own, at
// an address of its own: Argo CD knows authorities by hosts, without ports.
func (f *fixture) moveRegistry() {
	f.Helper()
	own, err := world.NewAuthority("own")
	f.check(err)
	registry, err := world.ServeRegistry(own, "127.0.0.2")
	f.check(err)
	f.Cleanup(f.Registry.Stop)
	f.CA, f.Registry = own, registry
	f.pushCharts(registry)
	f.untrusted()
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
func (f *fixture) trust() {
	f.Helper()
	config := f.get("v1 ConfigMap", "argocd", "argocd-tls-certs-cm")
	hosts, _, err := unstructured.NestedStringMap(config.Object, "data")
	f.check(err)
	if len(hosts) != 1 {
		f.Fatalf("argocd-tls-certs-cm has %q, want the registry", hosts)
	}
	for host := range hosts {
		f.check(f.TrustForArgo(host, f.CA))
	}
}
