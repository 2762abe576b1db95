//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/node"
	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/world"
	standins "github.com/pm-gitops/pm-gitops/testdata/charts"
)

// A registry that wants a login, whose authority nothing in the cluster trusts but by
// the Secret that the environment names, and that has what pm-gitops mirror copied.
// First the certificate authority is missing there, then the login is wrong. Both times the
// controller names the reason, and once it is mended the release installs.
func TestPrivateRegistry(t *testing.T) {
	both(t, func(f *fixture) {
		known, source, right := f.CA, f.Registry, registryLogin
		f.moveRegistry()
		f.env.set("spec.registry", map[string]any{"source": source.Host + "/prefect", "mirror": f.Registry.Host + "/prefect", "caSecret": "registry-ca", "pullSecret": "prefect-registry"})
		f.env.set("spec.values.prefect-istiod.global", map[string]any{"imagePullSecrets": []any{"prefect-registry"}})
		f.env.set("spec.values.prefect-istiod.istioDiscovery.hub", f.Registry.Host+"/prefect") // of istiod and the proxies
		f.step("mirror", func() {
			f.lock(right)
			f.mirror(source, known, right)
			source.Stop() // from now on, everything comes from the mirror
		})
		f.lock(node.Login{Username: right.Username, Password: "another key"})
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
		f.check(os.WriteFile(filepath.Join(f.Dir, "pki/ca.crt"), slices.Concat(known.PEM, f.CA.PEM), 0o600))
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

// moveRegistry puts an empty registry with an authority of its own in the place of the
// world's, at an address of its own: Argo CD knows authorities by hosts, without ports.
func (f *fixture) moveRegistry() {
	f.Helper()
	own, err := world.NewAuthority("own")
	f.check(err)
	registry, err := world.ServeRegistry(own, "127.0.0.2")
	f.check(err)
	f.Cleanup(f.Registry.Stop)
	f.CA, f.Registry = own, registry
	f.untrusted()
}

// mirror puts images beside the charts of a source, and has pm-gitops copy all that the
// environment needs to the registry, first without a login.
func (f *fixture) mirror(source *world.Registry, known *world.Authority, login node.Login) {
	f.Helper()
	from := crane.WithTransport(known.Transport())
	images := []string{"/prefect/server:" + oldServer, "/prefect/ui:" + oldUI, "/prefect/pilot:1.27.900", "/prefect/proxyv2:1.27.900"}
	for _, at := range images {
		image, err := random.Image(1000, 2)
		f.check(err)
		f.check(crane.Push(image, source.Host+at, from))
	}
	wanted := map[string]string{}
	for _, at := range append([]string{"/prefect/charts/prefect-cloud:" + oldChart, "/prefect/charts/prefect-istiod:" + oldChart}, images...) {
		digest, err := crane.Digest(source.Host+at, from)
		f.check(err)
		wanted[at] = digest
	}
	f.write("environments/catalog.yaml", catalog)
	f.write(f.env.file, f.env.text(f))
	authority := filepath.Join(f.Dir, "own-ca.pem")
	f.check(os.WriteFile(authority, f.CA.PEM, 0o600))
	args := []string{"mirror", "-f", f.env.file, "--ca-file", authority}
	if out, code := f.try(f.ctx, "pm-gitops", args...); code != failed || !strings.Contains(f.stderr.String(), "login") {
		f.Fatalf("mirror without a login: exit code %d\n%s%s", code, out, f.stderr)
	}
	config := filepath.Join(f.Dir, "home/.docker/config.json")
	f.check(os.MkdirAll(filepath.Dir(config), 0o700))
	f.check(os.WriteFile(config, fmt.Appendf(nil, `{"auths":{%q:{"username":%q,"password":%q}}}`, f.Registry.Host, login.Username, login.Password), 0o600))
	f.run("pm-gitops", args...)
	f.run("pm-gitops", append(args, "--check")...)
	f.check(os.Remove(config))
	f.readMirror(wanted, images, login, authority)
}

// readMirror reads with crane's and helm's code what was mirrored.
func (f *fixture) readMirror(digests map[string]string, images []string, login node.Login, authority string) {
	f.Helper()
	transport := crane.WithTransport(f.CA.Transport())
	auth := crane.WithAuth(authn.FromConfig(authn.AuthConfig{Username: login.Username, Password: login.Password}))
	for at, want := range digests {
		if got, err := crane.Digest(f.Registry.Host+at, transport, auth); err != nil || got != want {
			f.Errorf("the mirror has %s as %s, want %s: %v", got, at, want, err)
		}
	}
	for _, at := range images {
		image, err := crane.Pull(f.Registry.Host+at, transport, auth)
		f.check(err)
		f.check(validate.Image(image))
	}
	f.run("helm", "pull", "oci://"+f.Registry.Host+"/prefect/charts/prefect-cloud", "--version", oldChart, "--destination", f.Dir,
		"--ca-file", authority, "--username", login.Username, "--password", login.Password)
	pulled, err := os.ReadFile(filepath.Join(f.Dir, "prefect-cloud-"+oldChart+".tgz"))
	f.check(err)
	if want, err := standins.Archive(standins.Cloud, oldChart); err != nil || !bytes.Equal(pulled, want) {
		f.Errorf("helm pulled another chart: %v", err)
	}
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
