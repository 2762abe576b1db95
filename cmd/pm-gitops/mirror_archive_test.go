package main

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pm-gitops/pm-gitops/cmd/internal/archive/archivetest"
	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
)

// gate stands before a registry, and can be closed: then every request is counted.
type gate struct {
	*httptest.Server
	closed atomic.Bool
	late   atomic.Int64
}

func newGate(t *testing.T, host string) *gate {
	g := &gate{}
	onward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: host})
		r.Out.Host = r.In.Host
	}}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.closed.Load() {
			g.late.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		onward.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// archived is an archive of the environment mirrored, and what has to come out of it.
type archived struct {
	source            string // HOST/PATH, behind the gate
	gate              *gate
	path              string
	digests           map[string]string
	subject, referrer string
}

// newArchived writes the archive with the program, and closes the gate.
func newArchived(t *testing.T, file string) archived {
	t.Helper()
	_, source := standIns(t)
	digests, subject, referrer := signedImages(t, source)
	host, path, _ := strings.Cut(source, "/")
	a := archived{gate: newGate(t, host), path: filepath.Join(t.TempDir(), file), digests: digests, subject: subject.String(), referrer: referrer.String()}
	a.source = a.gate.Listener.Addr().String() + "/" + path
	dir := t.TempDir()
	cmd := exec.Command(program(t), "mirror", "-f", a.environment(t, dir, "nowhere.invalid"), "--to", a.path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	a.gate.closed.Store(true)
	return a
}

// environment writes the environment mirrored, with its mirror at a host.
func (a archived) environment(t *testing.T, dir, host string) string {
	t.Helper()
	file := filepath.Join(dir, "environment.yaml")
	text := strings.NewReplacer("$REGISTRY/mirror", host+"/mirror", "$REGISTRY", a.source).Replace(mirrored)
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// Through an air gap, with another cache and without the source, everything gets its
// digest, with signatures and what refers to it, whichever registry is behind it.
func TestAirGap(t *testing.T) {
	a := newArchived(t, "all.tar.zst")
	for what, host := range map[string]func(*testing.T) string{
		"Debian's registry":                    func(t *testing.T) string { return registrytest.Debian(t) },
		"a registry without the referrers API": func(t *testing.T) string { return inMemory(t, false) },
	} {
		t.Run(what, func(t *testing.T) {
			to, home := host(t), t.TempDir()
			cmd := exec.Command(program(t), "mirror", "-f", a.environment(t, home, to), "--from", a.path)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
			if said, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			for at, want := range a.digests {
				if got, err := crane.Digest(to + "/mirror" + at); err != nil || got != want {
					t.Errorf("%s is %s, want %s: %v", at, got, want, err)
				}
			}
			list := valid(valid(remote.Referrers(valid(name.NewDigest(to + "/mirror/server@" + a.subject)))).IndexManifest())
			if len(list.Manifests) != 1 || list.Manifests[0].Digest.String() != a.referrer {
				t.Errorf("what refers to %s: %v, want %s", a.subject, list.Manifests, a.referrer)
			}
		})
	}
	if late := a.gate.late.Load(); late > 0 {
		t.Errorf("the source was asked %d times", late)
	}
}

// Of a damaged archive nothing is pushed, whatever is wrong with it.
func TestDamagedArchivesPushNothing(t *testing.T) {
	a := newArchived(t, "all.tar")
	dir, to := t.TempDir(), newDying(t, inMemory(t, false))
	t.Setenv("HOME", dir)
	file, path := a.environment(t, dir, to.host), filepath.Join(dir, "all.tar")
	run := func(content []byte) (int, string) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var out, said bytes.Buffer
		code := cli.Run(t.Context(), cli.System{
			In: strings.NewReader(""), Out: &out, Err: &said, Now: time.Now, Getenv: os.Getenv, Environ: os.Environ(), Targets: deliverySystems(),
		}, []string{"mirror", "-f", file, "--from", path})
		return code, out.String() + said.String()
	}
	whole := valid(os.ReadFile(a.path))
	all := archivetest.Damaged(t, whole)
	for _, what := range slices.Sorted(maps.Keys(all)) {
		code, said := run(all[what])
		if code != cli.ExitFailed || !strings.HasPrefix(said, "pm-gitops: read archive "+path+": ") || !strings.HasSuffix(said, "Nothing was copied.\n") {
			t.Errorf("%s: exit code %d: %s", what, code, said)
		}
		if to.writes > 0 {
			t.Fatalf("%s: %d requests wrote", what, to.writes)
		}
	}
	cmd := exec.Command(program(t), "mirror", "-f", file, "--from", a.path)
	if said, err := cmd.CombinedOutput(); err != nil || to.writes == 0 {
		t.Errorf("the whole archive: %v: %s", err, said)
	}
	t.Logf("%d damaged archives", len(all))
}

// Without an environment everything in an archive goes below a place, such as what
// another program wrote.
func TestArchiveWithoutAnEnvironment(t *testing.T) {
	dir, to := t.TempDir(), newDying(t, inMemory(t, false))
	path := filepath.Join(dir, "layout.tar")
	if err := os.WriteFile(path, archivetest.Layout(t, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t), "mirror", "--from", path, "--mirror", to.host+"/all")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if err := crane.Copy(to.host+"/all/quay.io/acme/app:1", to.host+"/all/copy:1"); err != nil {
		t.Error(err)
	}
}

// A run that is interrupted leaves the archive that was there, and nothing beside it.
func TestInterruptedArchiveIsNone(t *testing.T) {
	_, source := standIns(t)
	signedImages(t, source)
	host, path, _ := strings.Cut(source, "/")
	cmd := exec.Command(program(t))
	reached := make(chan struct{}, 100)
	stuck := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/ui/blobs/") {
			reached <- struct{}{}
			<-r.Context().Done()
			return
		}
		httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host}).ServeHTTP(w, r)
	}))
	defer stuck.Close()
	a := archived{source: stuck.Listener.Addr().String() + "/" + path}
	dir, home := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "all.tar")
	if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Args = append(cmd.Args, "mirror", "-f", a.environment(t, home, "nowhere.invalid"), "--to", file)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	half := valid(os.ReadDir(dir))
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(said.String(), "pm-gitops: interrupt") {
		t.Errorf("%v: %s", err, said.String())
	}
	content := valid(os.ReadFile(file))
	if left := valid(os.ReadDir(dir)); len(half) != 2 || len(left) != 1 || string(content) != "before" {
		t.Errorf("%v, then %v is left: %d bytes", half, left, len(content))
	}
}
