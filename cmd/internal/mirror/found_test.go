package mirror

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
)

// work runs a copy or a check with options, one artifact at a time.
func work(t testing.TB, artifacts []Artifact, options Options, do func(*Mirror, context.Context) ([]Result, error)) []Result {
	t.Helper()
	options.Client, options.Parallel = client(t, registry.Options{}), 1
	return must(do(must(New(artifacts, options)), t.Context()))
}

// A blob that the mirror lost is found where that is asked for, and copied again; one
// that is not whole is found, and named.
func TestLostBlobs(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	wantAll(t, run(t, registry.Options{}, all.artifacts(from, to), (*Mirror).Copy), Copied)
	var mu sync.Mutex
	lost, short, pushed := "", "", 0
	forgets := between(t, to, func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPut && lost != "" && strings.Contains(r.URL.RawQuery, lost[len("sha256:"):]) {
			lost = ""
			pushed++
		}
		if r.Method != http.MethodHead {
			return false
		}
		switch {
		case lost != "" && strings.HasSuffix(r.URL.Path, "/mirror/cloud/plain/blobs/"+lost):
			w.WriteHeader(http.StatusNotFound)
			return true
		case short != "" && strings.HasSuffix(r.URL.Path, "/mirror/cloud/plain/blobs/"+short):
			w.Header().Set("Content-Length", "7")
			return true
		}
		return false
	})
	artifacts := all.artifacts(from, forgets)
	layers := must(must(remote.Image(must(name.NewTag(from + "/cloud/plain:latest")))).Layers())
	lost = must(layers[1].Digest()).String()
	whole := lost
	wantAll(t, work(t, artifacts, Options{}, (*Mirror).Check), Present)
	results := work(t, artifacts, Options{Blobs: true}, (*Mirror).Check)
	if plain := results[2]; plain.State != Missing || !slices.Equal(plain.Lacks, []string{whole}) || plain.BytesMissing == 0 {
		t.Errorf("plain is %s and lacks %v (%d bytes), want %s", plain.State, plain.Lacks, plain.BytesMissing, whole)
	}
	results = work(t, artifacts, Options{Blobs: true}, (*Mirror).Copy)
	if plain := results[2]; plain.State != Copied || plain.BytesCopied != plain.BytesMissing || pushed != 1 {
		t.Errorf("plain is %s (%s), with %d of %d bytes, pushed %d times", plain.State, plain.Error, plain.BytesCopied, plain.BytesMissing, pushed)
	}
	wantAll(t, work(t, artifacts, Options{Blobs: true}, (*Mirror).Copy), Present)

	short = whole
	if plain := work(t, artifacts, Options{Blobs: true}, (*Mirror).Check)[2]; plain.State != Missing || !slices.Equal(plain.Lacks, []string{whole}) {
		t.Errorf("plain is %s and lacks %v, want %s", plain.State, plain.Lacks, whole)
	}
	if plain := work(t, artifacts, Options{Blobs: true}, (*Mirror).Copy)[2]; plain.State != Failed || !strings.Contains(plain.Error, "has a broken copy of "+whole+" in mirror/cloud/plain, of 7 bytes instead of ") {
		t.Errorf("plain is %s: %s", plain.State, plain.Error)
	}
}

// A conflict is found by a check, and fails a copy.
func TestConflictIsFound(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	artifacts := all.artifacts(from, to)[:1]
	wantAll(t, run(t, registry.Options{}, artifacts, (*Mirror).Copy), Copied)
	tag := "sha256-" + all.tags["cloud/server:1"].Hex + ".sig"
	writeOwnSignature(t, to+"/mirror/cloud/server:"+tag)
	checked := run(t, registry.Options{}, artifacts, (*Mirror).Check)[0]
	if checked.State != Differs || checked.Error != "" || !strings.Contains(checked.Conflict, "has signatures of its own under "+tag) || !slices.Equal(checked.Lacks, []string{tag}) {
		t.Errorf("Check = %+v", checked)
	}
	if copied := run(t, registry.Options{}, artifacts, (*Mirror).Copy)[0]; copied.State != Failed || copied.Error != checked.Conflict {
		t.Errorf("Copy = %+v", copied)
	}
}

// Of an index in an index, too, only the platforms that were asked for are copied; one
// that has none of them is left out.
func TestPlatformsOfNestedIndexes(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	p := &pusher{t: t, host: from, set: set{manifests: map[string][]string{}, tags: map[string]v1.Hash{}, refers: map[string][]string{}}}
	index := func(architectures ...string) v1.ImageIndex {
		made := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
		for _, one := range architectures {
			made = mutate.AppendManifests(made, mutate.IndexAddendum{Add: p.runs(p.image(1), one, ""), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: one}}})
		}
		return made
	}
	both, arm := index("amd64", "arm64"), index("arm64")
	p.put("nested", "both", both)
	p.put("nested", "arm", arm)
	p.put("nested", "1", mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: both}, mutate.IndexAddendum{Add: arm}))
	artifacts := []Artifact{{Kind: Image, Source: from + "/nested:1", Target: to + "/mirror/nested:1"}}
	for platform, want := range map[string]int{"": 6, "linux/amd64": 3, "linux/arm64": 5} {
		var options Options
		if platform != "" {
			options.Platforms = []Platform{must(ParsePlatform(platform))}
		}
		if got := work(t, artifacts, options, (*Mirror).Check)[0]; got.Manifests != want {
			t.Errorf("%q: %d manifests, want %d: %s", platform, got.Manifests, want, got.Error)
		}
	}
	if got := work(t, artifacts, Options{Platforms: []Platform{{OS: "linux", Architecture: "s390x"}}}, (*Mirror).Check)[0]; !strings.Contains(got.Error, "none of the platforms asked for, but for linux/amd64, linux/arm64, linux/arm64") {
		t.Errorf("s390x: %s %s", got.State, got.Error)
	}
}

// The error names --platform where a registry refuses an index without all of its manifests.
func TestIncompleteIndexIsExplained(t *testing.T) {
	from := inProcess(t, true)
	artifacts := fill(t, from).artifacts(from, registrytest.Debian(t))[:1]
	one := work(t, artifacts, Options{Platforms: []Platform{{OS: "linux", Architecture: "amd64"}}}, (*Mirror).Copy)[0]
	if one.State != Failed || !strings.HasSuffix(one.Error, "this registry may want all of them: leave out --platform") {
		t.Errorf("%s: %s", one.State, one.Error)
	}
}

// Every target with two sources is named, before anything is asked.
func TestAllCollisionsAreNamed(t *testing.T) {
	var artifacts []Artifact
	for _, target := range []string{"a", "b", "c"} {
		for _, source := range []string{"x", "y"} {
			artifacts = append(artifacts, Artifact{Kind: Image, Source: "127.0.0.1:1/" + source + ":1", Target: "127.0.0.1:1/mirror/" + target + ":1", Environments: []string{source}})
		}
	}
	_, err := New(artifacts[:5], Options{Client: client(t, registry.Options{})})
	if got := strings.Split(errors.Join(err).Error(), "\n"); len(got) != 2 || !strings.Contains(got[0], "mirror/a:1 would be the copy of both") || !strings.Contains(got[1], "mirror/b:1 would be the copy of both") {
		t.Errorf("New = %q", got)
	}
}

// Where a copy is interrupted, its uploads are cancelled, with a login, and the results name
// what was not done.
func TestInterruptedUploadsAreCancelled(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	var mu sync.Mutex
	var cancelled []string
	target := watch(t, basic(targetCanary, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			mu.Lock()
			cancelled = append(cancelled, r.URL.Path)
			mu.Unlock()
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/uploads/") && strings.Contains(r.URL.Path, "/cloud/ui/") {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel(why)
			<-r.Context().Done()
			return
		}
		onward(to).ServeHTTP(w, r)
	})))
	logins := keys{target.host: authn.AuthConfig{Username: "u", Password: targetCanary}}
	m := must(New(all.artifacts(from, target.host), Options{Client: client(t, registry.Options{Keychain: logins}), Parallel: 1}))
	results, err := m.Copy(ctx)
	if !errors.Is(err, why) || len(results) != len(all.names) {
		t.Fatalf("Copy = %d results, %v", len(results), err)
	}
	if results[0].State != Copied || results[1].Error != "interrupted" || results[3].Error != "interrupted" {
		t.Errorf("results: %+v", results)
	}
	if len(cancelled) != 1 || !strings.Contains(cancelled[0], "/mirror/cloud/ui/blobs/uploads/") {
		t.Errorf("cancelled %v, want one upload", cancelled)
	}
}
