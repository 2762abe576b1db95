package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pm-gitops/pm-gitops/cmd/internal/killtest"
)

// valid gives a value, and ends a test for an error that only a broken test has.
func valid[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// signedImages puts the images of the environment mirrored into a registry: a signed
// index with a signed platform, an SBOM that refers to the other, and an image. It
// gives what must be equal at a mirror, by reference, and what refers to what.
func signedImages(t *testing.T, source string) (digests map[string]string, subject, referrer v1.Hash) {
	t.Helper()
	digests = map[string]string{}
	put := func(at string, image v1.Image) v1.Hash {
		digest := valid(image.Digest())
		if err := crane.Push(image, source+at); err != nil {
			t.Fatal(err)
		}
		digests[at] = digest.String()
		return digest
	}
	amd, arm := valid(random.Image(5000, 3)), valid(random.Image(5000, 2))
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
	if err := remote.WriteIndex(valid(name.ParseReference(source+"/server:2025.10.1")), index); err != nil {
		t.Fatal(err)
	}
	top, signed := valid(index.Digest()), valid(amd.Digest())
	digests["/server:2025.10.1"] = top.String()
	digests["/server@"+signed.String()] = signed.String()
	subject = valid(arm.Digest())
	digests["/server@"+subject.String()] = subject.String()
	put("/ui:2025.10.2", valid(random.Image(5000, 2)))
	put("/server:sha256-"+top.Hex+".sig", valid(random.Image(500, 1)))
	put("/server:sha256-"+signed.Hex+".sig", valid(random.Image(500, 1)))
	sbom := mutate.Subject(mutate.MediaType(valid(random.Image(500, 1)), types.OCIManifestSchema1), v1.Descriptor{MediaType: types.DockerManifestSchema2, Digest: subject, Size: 1}).(v1.Image)
	referrer = valid(sbom.Digest())
	put("/server@"+referrer.String(), sbom)
	digests["/charts/prefect-cloud:1.2.900"] = valid(crane.Digest(source + "/charts/prefect-cloud:1.2.900"))
	return digests, subject, referrer
}

// dying is a registry that ends a process at a request that writes.
type dying struct {
	*httptest.Server
	host string

	mu     sync.Mutex
	writes int
	stored map[string]int // how often a blob was stored, by repository and digest
	at     int            // the number of the request, or 0
	late   bool           // the request is done first
	kill   func()
}

func newDying(t *testing.T) *dying {
	t.Helper()
	inner := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(false)))
	t.Cleanup(inner.Close)
	d := &dying{stored: map[string]int{}}
	onward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(valid(url.Parse(inner.URL)))
		r.Out.Host = r.In.Host
	}, ErrorLog: log.New(io.Discard, "", 0)}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.serve(w, r, onward) }))
	t.Cleanup(d.Close)
	d.host = d.Listener.Addr().String()
	return d
}

func (d *dying) serve(w http.ResponseWriter, r *http.Request, onward http.Handler) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		onward.ServeHTTP(w, r)
		return
	}
	d.mu.Lock()
	d.writes++
	dies, late, kill := d.writes == d.at, d.late, d.kill
	d.mu.Unlock()
	if dies && !late {
		kill()
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	onward.ServeHTTP(answer, r)
	if digest := r.URL.Query().Get("digest"); digest != "" && answer.Code == http.StatusCreated {
		repository, _, _ := strings.Cut(r.URL.Path, "/blobs/")
		d.mu.Lock()
		d.stored[repository+"@"+digest]++
		d.mu.Unlock()
	}
	if dies {
		kill()
		panic(http.ErrAbortHandler)
	}
	for key, values := range answer.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// ends runs a process and kills it at one of its requests, if it makes so many.
func (d *dying) ends(cmd *exec.Cmd, at int, late bool) bool {
	dead := make(chan struct{})
	kill := func() {
		_ = cmd.Process.Kill()
		<-dead
	}
	if err := cmd.Start(); err != nil {
		return false
	}
	d.mu.Lock()
	d.at, d.late, d.kill = at, late, kill
	d.mu.Unlock()
	err := cmd.Wait()
	d.mu.Lock()
	d.at = 0
	d.mu.Unlock()
	close(dead)
	return err != nil
}

// Killed at any request, a run leaves nothing wrong, and the next one copies what is
// missing, and nothing else.
func TestKilledMirrorIsFinishedByTheNext(t *testing.T) {
	_, source := standIns(t)
	digests, subject, referrer := signedImages(t, source)
	home, own := t.TempDir(), program(t)
	run := func(d *dying) (*exec.Cmd, *bytes.Buffer) {
		file := filepath.Join(home, "environment.yaml")
		text := strings.NewReplacer("$REGISTRY/mirror", d.host+"/mirror", "$REGISTRY", source).Replace(mirrored)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		cmd := exec.Command(own, "mirror", "-f", file)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
		cmd.Stdout, cmd.Stderr = &said, &said
		return cmd, &said
	}
	judge := func(d *dying) {
		t.Helper()
		for at, want := range digests {
			if got, err := crane.Digest(d.host + "/mirror" + at); err != nil || got != want {
				t.Errorf("%s is %s, want %s: %v", at, got, want, err)
			}
		}
		list := valid(valid(remote.Referrers(valid(name.NewDigest(d.host + "/mirror/server@" + subject.String())))).IndexManifest())
		if len(list.Manifests) != 1 || list.Manifests[0].Digest != referrer {
			t.Errorf("what refers to %s: %v, want %s", subject, list.Manifests, referrer)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		for blob, times := range d.stored {
			if times > 1 {
				t.Errorf("%s was stored %d times", blob, times)
			}
		}
	}
	whole := newDying(t)
	cmd, said := run(whole)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	judge(whole)

	const rounds = 100
	hits := 0
	for n := range killtest.Rounds(rounds, func() bool { return hits >= rounds/10 }) {
		d, at := newDying(t), 1+n*37%rounds*whole.writes/rounds
		cmd, _ := run(d)
		if d.ends(cmd, at, n%2 == 1) {
			hits++
		}
		cmd, said := run(d)
		if err := cmd.Run(); err != nil {
			t.Fatalf("round %d, after a kill: %v: %s", n, err, said)
		}
		judge(d)
		if t.Failed() {
			t.Fatalf("round %d, killed at write %d of %d", n, at, whole.writes)
		}
	}
	t.Logf("%d runs were killed, at %d writes", hits, whole.writes)
}
