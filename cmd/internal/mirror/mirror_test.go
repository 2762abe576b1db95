package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
)

// Everything is copied between all kinds of registries, with equal digests, and found
// there by another client; a second run has nothing to do.
func TestEverythingIsCopied(t *testing.T) {
	for source := range servers {
		for target := range servers {
			if source == debian && target == debian {
				continue // either side is enough for it
			}
			t.Run(source+" to "+target, func(t *testing.T) {
				t.Parallel()
				from, to := servers[source](t), servers[target](t)
				all := fill(t, from)
				artifacts := all.artifacts(from, to)
				checked := run(t, registry.Options{}, artifacts, (*Mirror).Check)
				wantAll(t, checked, Missing)
				copied := run(t, registry.Options{}, artifacts, (*Mirror).Copy)
				wantAll(t, copied, Copied)
				all.judge(t, to)
				if server := copied[0]; server.Manifests != 3 || server.Signatures != 4 || server.Referrers != 4 || server.BytesCopied != server.BytesMissing {
					t.Errorf("server: %+v", server)
				}
				wantAll(t, run(t, registry.Options{}, artifacts, (*Mirror).Check), Present)
				again := run(t, registry.Options{}, artifacts, (*Mirror).Copy)
				wantAll(t, again, Present)
			})
		}
	}
}

// What was lost at the target is found and copied again, and nothing else.
func TestCheckNamesWhatIsMissing(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	artifacts := all.artifacts(from, to)
	run(t, registry.Options{}, artifacts, (*Mirror).Copy)
	var tag string
	for one := range all.tags {
		if strings.HasSuffix(one, ".sbom") {
			tag = one
		}
	}
	lost := must(name.NewTag(to + "/mirror/" + tag))
	if err := remote.Delete(lost); err != nil {
		t.Fatal(err)
	}
	other := must(random.Image(100, 1))
	if err := remote.Write(must(name.NewTag(to+"/mirror/cloud/plain:latest")), other); err != nil {
		t.Fatal(err)
	}
	results := run(t, registry.Options{}, artifacts, (*Mirror).Check)
	if !slices.Equal(results[0].Lacks, []string{lost.TagStr()}) || results[0].State != Missing {
		t.Errorf("server lacks %v, is %s; want %s", results[0].Lacks, results[0].State, lost.TagStr())
	}
	if results[1].State != Present {
		t.Errorf("ui is %s", results[1].State)
	}
	if was := must(other.Digest()).String(); results[2].State != Differs || results[2].Replaced != was {
		t.Errorf("plain is %s, replaced %s; want %s", results[2].State, results[2].Replaced, was)
	}
	results = run(t, registry.Options{}, artifacts, (*Mirror).Copy)
	if results[0].State != Copied {
		t.Errorf("server is %s: %s", results[0].State, results[0].Error)
	}
	all.judge(t, to)
}

// A blob that the target's registry has in another repository is mounted: that of the
// source, on the same registry, or that of another copy.
func TestBlobsAreMounted(t *testing.T) {
	host := registrytest.Debian(t)
	all := fill(t, host)
	for _, one := range run(t, registry.Options{}, all.artifacts(host, host), (*Mirror).Copy) {
		if one.State != Copied || one.BytesMounted == 0 || one.BytesMounted != one.BytesMissing {
			t.Errorf("%s: %+v", one.Target, one)
		}
	}
	all.judge(t, host)

	from := inProcess(t, true)
	fill(t, from)
	twice := []Artifact{
		{Kind: Image, Source: from + "/cloud/plain:latest", Target: host + "/a/plain:1"},
		{Kind: Image, Source: from + "/cloud/plain:latest", Target: host + "/b/plain:1"},
	}
	m, err := New(twice, Options{Client: client(t, registry.Options{}), Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	results, err := m.Copy(t.Context())
	if err != nil || results[0].BytesCopied != results[0].BytesMissing || results[1].BytesMounted != results[1].BytesMissing {
		t.Errorf("%+v %v", results, err)
	}
}

// Of an index only the platforms that were asked for are copied, with what belongs to
// them, and the index stays as it is.
func TestPlatforms(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	artifacts := fill(t, from).artifacts(from, to)[:1]
	m, err := New(artifacts, Options{Client: client(t, registry.Options{}), Parallel: 1, Platforms: []Platform{{OS: "linux", Architecture: "amd64"}}})
	if err != nil {
		t.Fatal(err)
	}
	checked, err := m.Check(t.Context())
	if err != nil || checked[0].Manifests != 2 || checked[0].Signatures != 3 || checked[0].Referrers != 4 {
		t.Errorf("Check = %+v, %v", checked, err)
	}
	m = must(New(artifacts, Options{Client: client(t, registry.Options{}), Parallel: 1, Platforms: []Platform{{OS: "windows", Architecture: "amd64"}}}))
	results, err := m.Check(t.Context())
	if err != nil || !strings.Contains(results[0].Error, "none of the platforms asked for, but for linux/amd64, linux/arm64/v8") {
		t.Errorf("Check = %+v, %v", results, err)
	}
	for _, text := range []string{"", "amd64", "linux/", "/amd64", "linux/arm/v7/x", "linux/amd64,linux/arm64", "linux/amd64 "} {
		if _, err := ParsePlatform(text); err == nil || !strings.Contains(err.Error(), "OS/ARCHITECTURE") {
			t.Errorf("ParsePlatform(%q) = %v", text, err)
		}
	}
}

// One without a platform stays with the manifest that it belongs to.
func TestChoose(t *testing.T) {
	entry := func(digest, os, of string) descriptor {
		d := descriptor{Digest: digest, Platform: &Platform{OS: os, Architecture: "amd64", Variant: "v1"}}
		if of != "" {
			d.Annotations = map[string]string{belongsTo: of}
		}
		return d
	}
	all := []descriptor{entry("a", "linux", ""), entry("b", "windows", ""), entry("of-a", "unknown", "a"), entry("of-b", "unknown", "b"), {Digest: "bare"}}
	for wanted, want := range map[string]string{
		"": "a b of-a of-b bare; ", "linux/amd64": "a of-a bare; windows/amd64/v1", "windows/amd64/v1": "b of-b bare; linux/amd64/v1",
		"linux/amd64/v2": "bare; linux/amd64/v1 windows/amd64/v1",
	} {
		var platforms []Platform
		if wanted != "" {
			platforms = append(platforms, must(ParsePlatform(wanted)))
		}
		chosen, others := choose(all, platforms)
		var got []string
		for _, d := range chosen {
			got = append(got, d.Digest)
		}
		if got := strings.Join(got, " ") + "; " + strings.Join(others, " "); got != want {
			t.Errorf("choose(%q) = %s, want %s", wanted, got, want)
		}
	}
}

// Different sources for one target are refused before anything is asked, and digests
// that differ before anything is copied.
func TestCollisions(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	target := to + "/mirror/x:1"
	artifact := func(source, environment string) Artifact {
		return Artifact{Kind: Image, Source: source, Target: target, Environments: []string{environment}}
	}
	digest := "@" + all.tags["cloud/ui:2.0_b"].String()
	for _, tt := range []struct {
		a, b string
		want string
	}{
		{"127.0.0.1:1/cloud/ui:1", "127.0.0.1:1/cloud/plain:1", "environment one) and "}, // nothing is there to be asked
		{from + "/cloud/ui:2.0_b", from + "/cloud/ui" + digest, ""},
		{from + "/cloud/server:1", from + "/cloud/server@" + all.manifests["cloud/server"][0], ", which are sha256:"},
	} {
		m, err := New([]Artifact{artifact(tt.a, "one"), artifact(tt.b, "two")}, Options{Client: client(t, registry.Options{}), Parallel: 2})
		if err == nil {
			_, err = m.Copy(t.Context())
		}
		if text := fmt.Sprint(err); tt.want == "" && err != nil || tt.want != "" && !(strings.Contains(text, tt.want) && strings.Contains(text, "nothing is copied")) {
			t.Errorf("%s and %s: %v, want %q", tt.a, tt.b, err, tt.want)
		}
	}
	if got, err := remote.Head(must(name.NewTag(to + "/mirror/x:1"))); err == nil && got.Digest != all.tags["cloud/ui:2.0_b"] {
		t.Errorf("%s was copied", got.Digest)
	}
}

// Signatures that a user added under the source's tag are not lost.
func TestOwnSignaturesStay(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	artifacts := all.artifacts(from, to)[:1]
	wantAll(t, run(t, registry.Options{}, artifacts, (*Mirror).Copy), Copied)
	path := "/mirror/cloud/server:sha256-" + all.tags["cloud/server:1"].Hex + ".sig"
	theirs := must(remote.Image(must(name.NewTag(to + path))))
	own := must(mutate.AppendLayers(theirs, static.NewLayer([]byte("own"), types.OCILayer)))
	tag := must(name.NewTag(to + path))
	if err := remote.Write(tag, own); err != nil {
		t.Fatal(err)
	}
	wantAll(t, run(t, registry.Options{}, artifacts, (*Mirror).Copy), Present)
	if got := must(remote.Head(tag)).Digest; got != must(own.Digest()) {
		t.Errorf("the signatures are %s now", got)
	}
	altered := mutate.Annotations(theirs, map[string]string{"not": "the source's"}).(v1.Image)
	if err := remote.Write(tag, altered); err != nil {
		t.Fatal(err)
	}
	wantAll(t, run(t, registry.Options{}, artifacts, (*Mirror).Copy), Copied)
	if got := must(remote.Head(tag)).Digest; got != must(theirs.Digest()) {
		t.Errorf("the signatures are %s still", got)
	}
	writeOwnSignature(t, to+path)
	if results := run(t, registry.Options{}, artifacts, (*Mirror).Copy); !strings.Contains(results[0].Error, "has signatures of its own") {
		t.Errorf("%+v", results[0])
	}
}

// writeOwnSignature puts something else where a signature of the source was.
func writeOwnSignature(t testing.TB, ref string) {
	t.Helper()
	alone := must(mutate.AppendLayers(empty.Image, static.NewLayer([]byte("own"), types.OCILayer)))
	if err := remote.Write(must(name.NewTag(ref)), alone); err != nil {
		t.Fatal(err)
	}
}

// A copy that waits ends when the context does.
func TestInterrupted(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	stuck := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			cancel(why)
			<-r.Context().Done()
		}
		onward(to).ServeHTTP(w, r)
	}))
	defer stuck.Close()
	m := must(New(all.artifacts(from, stuck.Listener.Addr().String()), Options{Client: client(t, registry.Options{}), Parallel: 2}))
	if _, err := m.Copy(ctx); !errors.Is(err, why) {
		t.Errorf("Copy = %v, want %v", err, why)
	}
}

// A source that has another digest than the lock, also if it showed the right one before,
// is not copied.
func TestOnlyWhatIsLockedIsCopied(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	artifacts := all.artifacts(from, to)
	for i, one := range run(t, registry.Options{}, artifacts, (*Mirror).Check) {
		artifacts[i].Locked = one.Digest
	}
	moved := &pusher{t: t, host: from, set: set{tags: map[string]v1.Hash{}, manifests: map[string][]string{}}, n: 1000}
	moved.put("cloud/plain", "latest", moved.image(1))
	results := run(t, registry.Options{}, artifacts, (*Mirror).Copy)
	for i, one := range results {
		switch {
		case i != 2 && one.State != Copied:
			t.Errorf("%s: %s %s", one.Target, one.State, one.Error)
		case i == 2 && (one.State != Failed || !strings.Contains(one.Error, "and the lock has "+artifacts[2].Locked)):
			t.Errorf("%s: %s %s", one.Target, one.State, one.Error)
		}
	}
	if _, err := remote.Head(must(name.ParseReference(artifacts[2].Target))); err == nil {
		t.Errorf("%s is there", artifacts[2].Target)
	}
}
