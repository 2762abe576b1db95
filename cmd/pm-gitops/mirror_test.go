package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
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
	when   moment
	kill   func()
}

// moment is when in a request a process ends.
type moment int

const (
	before  moment = iota // anything of it is read
	halfway               // through its body, if it has one
	behind                // it, before the answer
	moments               // their number
)

// inMemory is a registry of go-containerregistry.
func inMemory(t *testing.T, referrers bool) string {
	t.Helper()
	inner := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(referrers)))
	t.Cleanup(inner.Close)
	return inner.Listener.Addr().String()
}

func newDying(t *testing.T, inner string) *dying {
	t.Helper()
	d := &dying{stored: map[string]int{}}
	onward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: inner})
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
	dies, when, kill := d.writes == d.at, d.when, d.kill
	d.mu.Unlock()
	if dies && when != behind {
		if when == halfway {
			_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		}
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
func (d *dying) ends(cmd *exec.Cmd, at int, when moment) bool {
	dead := make(chan struct{})
	kill := func() {
		_ = cmd.Process.Kill()
		<-dead
	}
	if err := cmd.Start(); err != nil {
		return false
	}
	d.mu.Lock()
	d.at, d.when, d.kill = at, when, kill
	d.mu.Unlock()
	err := cmd.Wait()
	d.mu.Lock()
	d.at = 0
	d.mu.Unlock()
	close(dead)
	return err != nil
}

// Killed at any request, a run leaves nothing wrong, and the next one copies what is
// missing, and nothing else: at registries with the API for referrers and without it.
func TestKilledMirrorIsFinishedByTheNext(t *testing.T) {
	_, source := standIns(t)
	digests, subject, referrer := signedImages(t, source)
	home, own := t.TempDir(), program(t)
	run := func(t *testing.T, d *dying) (*exec.Cmd, *bytes.Buffer) {
		file := filepath.Join(home, "environment.yaml")
		writeFile(t, file, strings.NewReplacer("$REGISTRY/mirror", d.host+"/mirror", "$REGISTRY", source).Replace(mirrored))
		var said bytes.Buffer
		cmd := exec.Command(own, "mirror", "-f", file)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
		cmd.Stdout, cmd.Stderr = &said, &said
		return cmd, &said
	}
	judge := func(t *testing.T, d *dying) {
		t.Helper()
		for at, want := range digests {
			ref := valid(name.ParseReference(d.host + "/mirror" + at))
			got, err := remote.Get(ref)
			if err != nil || got.Digest.String() != want {
				t.Errorf("%s is not %s: %v", at, want, err)
				continue
			}
			if err := validateImage(got); err != nil {
				t.Errorf("%s: %v", at, err)
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
	whole := newDying(t, inMemory(t, false))
	cmd, said := run(t, whole)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	judge(t, whole)

	const rounds = 100
	hits := 0
	for n := range killtest.Rounds(rounds, func() bool { return hits >= rounds/10 }) {
		at := 1 + n*37%rounds*whole.writes/rounds
		if !t.Run(fmt.Sprintf("round %d, killed at write %d of %d", n, at, whole.writes), func(t *testing.T) {
			inner := inMemory(t, n%2 == 0)
			if n%5 == 4 {
				inner = registrytest.Debian(t)
			}
			d := newDying(t, inner)
			cmd, _ := run(t, d)
			if d.ends(cmd, at, moment(n)%moments) {
				hits++
			}
			cmd, said := run(t, d)
			if err := cmd.Run(); err != nil {
				t.Fatalf("after a kill: %v: %s", err, said)
			}
			judge(t, d)
		}) {
			return
		}
	}
	t.Logf("%d runs were killed, at %d writes", hits, whole.writes)
}

// validateImage reads all blobs of an image. The manifests of an index have references
// of their own here.
func validateImage(got *remote.Descriptor) error {
	if got.MediaType.IsIndex() {
		return nil
	}
	image, err := got.Image()
	if err != nil {
		return err
	}
	return registrytest.ReadBlobs(image)
}

// Interrupted, the program cancels the upload, says what it did and what not, and ends
// like every command that is interrupted.
func TestInterruptedMirrorReports(t *testing.T) {
	_, source := standIns(t)
	signedImages(t, source)
	inner, home := inMemory(t, true), t.TempDir()
	var process *os.Process
	started := make(chan struct{})
	var cancelled atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodDelete:
			cancelled.Add(1)
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/charts/"):
			_, _ = io.Copy(io.Discard, r.Body)
			<-started
			_ = process.Signal(os.Interrupt)
			<-r.Context().Done()
		default:
			pass(inner)(w, r)
		}
	}))
	defer target.Close()
	file := filepath.Join(home, "environment.yaml")
	writeFile(t, file, strings.NewReplacer("$REGISTRY/mirror", target.Listener.Addr().String()+"/mirror", "$REGISTRY", source).Replace(mirrored))
	cmd := exec.Command(program(t), "mirror", "-f", file, "-o", "json", "--parallel", "1")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	process = cmd.Process
	close(started)
	_ = cmd.Wait()
	var report struct {
		Artifacts []struct{ Target, State, Error string }
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v: %s%s", err, &out, &said)
	}
	states := map[string]int{}
	for _, one := range report.Artifacts {
		states[one.State+" "+one.Error]++
	}
	if want := map[string]int{"copied ": 2, "failed interrupted": 1}; !maps.Equal(states, want) {
		t.Errorf("the report has %v, want %v", states, want)
	}
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.HasSuffix(said.String(), "\npm-gitops: interrupted\n") {
		t.Errorf("exit code %d: %s", code, &said)
	}
	if cancelled.Load() != 1 {
		t.Errorf("%d uploads were cancelled, want 1", cancelled.Load())
	}
}
