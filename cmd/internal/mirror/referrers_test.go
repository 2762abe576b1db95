package mirror

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
)

// Only "not found" means that something has no signature: every other answer fails.
func TestErrorsAreNoAbsence(t *testing.T) {
	from := inProcess(t, true)
	all := fill(t, from)
	for _, part := range []string{".sig", ".att", ".sbom", "/referrers/"} {
		for _, status := range []int{401, 403, 405, 429, 500, 502, 503} {
			t.Run(fmt.Sprint(part, status), func(t *testing.T) {
				to := inProcess(t, true)
				sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, part) {
						w.WriteHeader(status)
						return
					}
					httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: from}).ServeHTTP(w, r)
				}))
				defer sick.Close()
				for _, one := range run(t, registry.Options{}, all.artifacts(sick.Listener.Addr().String(), to), (*Mirror).Copy) {
					if one.State != Failed || one.Error == "" {
						t.Errorf("%s is %s", one.Target, one.State)
					}
				}
			})
		}
	}
}

// Registries without the API say so in several ways, and GitLab answers with the subject
// where the fallback tag is asked for.
func TestNoReferrersAPI(t *testing.T) {
	for _, status := range []int{400, 404, 406} {
		from, to := inProcess(t, false), inProcess(t, true)
		all := fill(t, from)
		source := between(t, from, func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/referrers/") {
				w.WriteHeader(status)
			}
			return strings.Contains(r.URL.Path, "/referrers/")
		})
		wantAll(t, run(t, registry.Options{}, all.artifacts(source, to), (*Mirror).Copy), Copied)
		all.judge(t, to)
	}
	from, to := inProcess(t, false), inProcess(t, true)
	all := fill(t, from)
	tag := "/manifests/sha256-" + all.tags["cloud/ui:2.0_b"].Hex
	gitlab := between(t, from, func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, tag) {
			r.URL.Path = strings.Replace(r.URL.Path, "sha256-", "sha256:", 1)
		}
		return false
	})
	results := run(t, registry.Options{}, all.artifacts(gitlab, to)[1:2], (*Mirror).Copy)
	wantAll(t, results, Copied)
	if results[0].Referrers != 0 || results[0].Manifests != 3 {
		t.Errorf("%+v", results[0])
	}
}

// Cosign attaches nothing to signatures and attestations: nothing is asked about them.
func TestNothingBelongsToSignatures(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	source := between(t, from, func(w http.ResponseWriter, r *http.Request) bool {
		for tag, digest := range all.tags {
			about := strings.Contains(r.URL.Path, "sha256-"+digest.Hex) || strings.Contains(r.URL.Path, "/referrers/"+digest.String())
			if about && !strings.HasSuffix(tag, ".sbom") && strings.Contains(tag, ":sha256-") {
				w.WriteHeader(http.StatusInternalServerError)
				return true
			}
		}
		return false
	})
	wantAll(t, run(t, registry.Options{}, all.artifacts(source, to), (*Mirror).Copy), Copied)
	all.judge(t, to)
}

// What may belong to a manifest is asked for at once: each answer here waits for all of
// the requests.
func TestAllThatBelongsIsAskedForAtOnce(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	arrived, everything := make(chan struct{}, 4), make(chan struct{})
	go func() {
		for range cap(arrived) {
			select {
			case <-arrived:
			case <-t.Context().Done():
				return
			}
		}
		close(everything)
	}()
	source := between(t, from, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/manifests/sha256-") || strings.Contains(r.URL.Path, "/referrers/") {
			arrived <- struct{}{}
			select {
			case <-everything:
			case <-r.Context().Done():
			}
		}
		return false
	})
	plain := all.artifacts(source, to)[2:3]
	wantAll(t, run(t, registry.Options{Stall: 20 * time.Second}, plain, (*Mirror).Check), Missing)
}

// A list of referrers that is none, or not whole, is an error.
func TestBrokenListsAreErrors(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	for _, body := range []string{"", "{}", `{"schemaVersion":2}`, `{"schemaVersion":2,"manifests":[{"digest":"sha256:1"}]}`, `{"schemaVersion":2,"manifests":[`, "<html>"} {
		source := between(t, from, func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/referrers/") {
				return false
			}
			w.Header().Set("Content-Type", ociIndex)
			fmt.Fprint(w, body)
			return true
		})
		for _, one := range run(t, registry.Options{}, all.artifacts(source, to), (*Mirror).Check) {
			if one.State != Failed {
				t.Errorf("%q: %s is %s", body, one.Target, one.State)
			}
		}
	}
}

// A referrer whose manifest is there, but not in the list of its subject, is written
// again: a run may end between the two.
func TestUnlistedReferrerIsListed(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, false)
	all := fill(t, from)
	artifacts := all.artifacts(from, to)[:1]
	wantAll(t, run(t, registry.Options{}, artifacts, (*Mirror).Copy), Copied)
	tag := "sha256-" + all.tags["cloud/server:1"].Hex
	if err := remote.Delete(must(name.NewTag(to + "/mirror/cloud/server:" + tag))); err != nil {
		t.Fatal(err)
	}
	results := run(t, registry.Options{}, artifacts, (*Mirror).Check)
	if results[0].State != Missing || len(results[0].Lacks) != 2 {
		t.Errorf("Check: %s %v, want both referrers of the index", results[0].State, results[0].Lacks)
	}
	wantAll(t, run(t, registry.Options{}, artifacts, (*Mirror).Copy), Copied)
	all.judge(t, to, Result{Target: to + "/mirror/cloud/server:1"}, failedResult(to, "ui"), failedResult(to, "plain"), failedResult(to, "charts/app"))
}

// failedResult is the result of an artifact that was not copied.
func failedResult(host, path string) Result {
	return Result{Target: host + "/mirror/cloud/" + path + ":1", Error: "not asked for"}
}

// A source that makes up referrers of referrers without end, or lists without end, is
// given up.
func TestEndlessReferrersEnd(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	var mu sync.Mutex
	made := map[string]string{}
	for _, many := range []bool{false, true} {
		source := between(t, from, func(w http.ResponseWriter, r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			kind, digest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/cloud/plain/"), "/")
			switch content, known := made[digest]; {
			case kind == "manifests" && strings.HasPrefix(digest, "sha256-"):
				w.WriteHeader(http.StatusNotFound)
			case kind == "manifests" && known:
				w.Header().Set("Content-Type", ociManifest)
				fmt.Fprint(w, content)
			case kind == "referrers":
				content := fmt.Sprintf(`{"schemaVersion":2,"subject":{"digest":%q,"size":1},"annotations":{"a":"%s"}}`, digest, strings.Repeat("a", 3<<20))
				next := digestOf([]byte(content))
				made[next] = content
				w.Header().Set("Content-Type", ociIndex)
				entry := fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, ociManifest, next, len(content))
				if many {
					w.Header().Set("Link", "<"+r.URL.Path+">; rel=next")
					entry += strings.Repeat(","+entry, 1000)
				}
				fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[%s]}`, entry)
			default:
				return false
			}
			return true
		})
		results := run(t, registry.Options{}, all.artifacts(source, to)[2:3], (*Mirror).Check)
		if want := fmt.Sprintf("more than %d", maxPieces); results[0].State != Failed || !strings.Contains(results[0].Error, want) {
			t.Errorf("%s %s, want %s", results[0].State, results[0].Error, want)
		}
	}
}
