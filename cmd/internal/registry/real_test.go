package registry

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// helm runs the helm program without anybody's settings.
func helm(t *testing.T, dir string, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("helm")
	if err != nil {
		t.Skip("the helm program is not in PATH")
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+dir, "HELM_CONFIG_HOME="+dir, "HELM_DATA_HOME="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("helm %v: %v: %s", args, err, out)
	}
	return string(out)
}

// TestChartsOfTheHelmProgram pulls what helm push wrote, and compares with helm
// pull what both it and go-containerregistry wrote.
func TestChartsOfTheHelmProgram(t *testing.T) {
	f := newFake(t)
	dir := t.TempDir()
	helm(t, dir, "create", "app")
	helm(t, dir, "package", "app", "--version", "1.2.3+build.5")
	helm(t, dir, "push", "app-1.2.3+build.5.tgz", "oci://"+f.host+"/charts", "--plain-http")
	f.push(t, "app", "1.2.4")
	for _, version := range []string{"1.2.3+build.5", "1.2.4"} {
		c, _ := f.client(t, Options{Cache: t.TempDir()})
		chart, err := c.Chart(t.Context(), Ref{Repository: f.host + "/charts/app", Version: version})
		if err != nil {
			t.Fatal(err)
		}
		target := t.TempDir()
		said := helm(t, dir, "pull", "oci://"+f.host+"/charts/app", "--version", version, "--plain-http", "-d", target)
		pulled, err := os.ReadFile(filepath.Join(target, "app-"+version+".tgz"))
		if err != nil || !bytes.Equal(pulled, chart.Archive) {
			t.Errorf("%s: helm pulled %d bytes, we %d: %v", version, len(pulled), len(chart.Archive), err)
		}
		if !strings.Contains(said, "Digest: "+chart.Digest) {
			t.Errorf("%s: our digest is %s; helm said %s", version, chart.Digest, said)
		}
	}
	c, _ := f.client(t, Options{})
	if tags, err := c.Tags(t.Context(), f.host+"/charts/app"); err != nil || !slices.Equal(tags, []string{"1.2.3+build.5", "1.2.4"}) {
		t.Errorf("Tags = %v, %v", tags, err)
	}
}

// The password's hash is the only form in which docker-registry takes it.
const htpasswd = canaryUser + ":$2y$05$9A2UUEYW82ZPGeZpVLgNte0jp7jGocZ.CEO8o93ESGsNYm4E3wx0S\n"

// dockerRegistry runs Debian's docker-registry with TLS and a login.
func dockerRegistry(t *testing.T) (host, caFile string) {
	t.Helper()
	caFile, certificate := authority(t, "127.0.0.1")
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"key.pem":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		"htpasswd": htpasswd,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	host = registrytest.DebianWith(t, dir, fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s/htpasswd}}\n", dir),
		fmt.Sprintf(", tls: {certificate: %s, key: %s/key.pem}", caFile, dir))
	return host, caFile
}

func TestDebiansRegistryWithTLSAndALogin(t *testing.T) {
	host, caFile := dockerRegistry(t)
	client := func(options Options) *Client {
		options.Cache = t.TempDir()
		c, err := New(options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { checkFolder(t, options.Cache) })
		return c
	}
	c := client(Options{CAFile: caFile, Keychain: login})
	options := []remote.Option{remote.WithTransport(c.exchange.base), remote.WithAuth(authn.FromConfig(authn.AuthConfig(login)))}
	repository := host + "/prefect/charts/app"
	archives := map[string][]byte{}
	for _, version := range []string{"1.9.0", "1.10.0", "1.10.0+a.b"} {
		manifest, config, archive := chartParts(t, "app", version)
		registrytest.Put(t, repository+":"+ref.TagOf(version), ociManifest, manifest, options, config, archive)
		archives[version] = archive
	}
	for version, want := range archives {
		chart, err := c.Chart(t.Context(), Ref{Repository: repository, Version: version})
		if err != nil || !bytes.Equal(chart.Archive, want) {
			t.Errorf("Chart(%s) = %d bytes, %v", version, len(chart.Archive), err)
		}
		if digest, err := c.Digest(t.Context(), repository+":"+ref.TagOf(version)); err != nil || digest != chart.Digest {
			t.Errorf("Digest(%s) = %s, %v; want %s", version, digest, err, chart.Digest)
		}
	}
	if tags, err := c.Tags(t.Context(), repository); err != nil || !slices.Equal(tags, []string{"1.9.0", "1.10.0", "1.10.0+a.b"}) {
		t.Errorf("Tags = %v, %v", tags, err)
	}

	ref := Ref{Repository: repository, Version: "1.9.1"}
	_, err := c.Chart(t.Context(), ref)
	checkError(t, err, NoVersion, host+" has no version 1.9.1 of prefect/charts/app: the nearest is 1.9.0, the newest 1.10.0+a.b")
	_, err = c.Chart(t.Context(), Ref{Repository: host + "/prefect/charts/none", Version: "1.0.0"})
	checkError(t, err, NoRepository, host+" has no repository prefect/charts/none")
	_, err = client(Options{CAFile: caFile}).Chart(t.Context(), ref)
	checkError(t, err, BadLogin, host+" wants a login: docker login "+host+" (it says: authentication required)")
	_, err = client(Options{CAFile: caFile, Keychain: keys{Username: canaryUser, Password: "canary-wrong"}}).Chart(t.Context(), ref)
	checkError(t, err, BadLogin, host+" refuses the login that it was given, which may have expired")
	_, err = client(Options{Keychain: login}).Chart(t.Context(), ref)
	checkError(t, err, UnknownCA, "the certificate of "+host+" is signed by an authority that is not trusted here")
}
