package mirror

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
)

// deny answers a request as the distribution specification says.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
func deny(w http.ResponseWriter, r *http.Request, status int, code, message string) bool {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
	return true
}

// visits are the requests that a registry got, and how often each.
type visits struct {
	mu   sync.Mutex
	seen map[string]int
}

func (v *visits) count(r *http.Request) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := r.Method + " " + r.URL.Path
	if upload := strings.Index(key, "/uploads/"); upload >= 0 {
		key = key[:upload] + "/uploads/" + r.URL.Query().Get("digest")
	}
	v.seen[key]++
	return v.seen[key]
}

func (v *visits) has(text string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key := range v.seen {
		if strings.Contains(key, text) {
			return true
		}
	}
	return false
}

// registryAnswers are answers in which registries differ from each other, where they say
// so, and what mirror makes of them: it copies, or fails with a sentence.
var registryAnswers = []struct {
	name, source string
	answer       func(w http.ResponseWriter, r *http.Request, times int) bool
	fails        string // the sentence; empty where all is copied
	never, once  string // requests that must not, and must, be made
}{
	{
		"deletes are forbidden", "https://github.com/opencontainers/distribution-spec/blob/main/spec.md#content-management",
		func(w http.ResponseWriter, r *http.Request, times int) bool {
			switch {
			case r.Method == http.MethodDelete:
				return deny(w, r, 405, "UNSUPPORTED", "the operation is unsupported")
			case r.Method == http.MethodPatch || r.Method == http.MethodPut && times == 1:
				return deny(w, r, 400, "DIGEST_INVALID", "provided digest did not match uploaded content")
			}
			return false
		}, "", "", "DELETE ",
	},
	{
		"mounts are ignored", "https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository",
		func(_ http.ResponseWriter, r *http.Request, _ int) bool {
			r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "mount=", "not=")
			return false
		}, "", "", "POST ",
	},
	{
		"blobs of other repositories are refused", "https://distribution.github.io/distribution/spec/auth/scope/",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return r.URL.Query().Has("mount") && deny(w, r, 403, "DENIED", "requested access to the resource is denied")
		}, "", "", "POST ",
	},
	{
		"tags are not listed", "https://github.com/renovatebot/renovate/issues/15555",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return strings.HasSuffix(r.URL.Path, "/tags/list") && deny(w, r, 405, "UNSUPPORTED", "the operation is unsupported")
		}, "", "/tags/list", "PUT ",
	},
	{
		"no chunked uploads", "https://github.com/jozu-ai/kitops/pull/777",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return r.Method == http.MethodPatch && deny(w, r, 405, "UNSUPPORTED", "the operation is unsupported")
		}, "", "PATCH ", "PUT ",
	},
	{
		"chunked uploads alone", "https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-a-blob-in-chunks",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return r.Method == http.MethodPut && r.URL.Query().Has("digest") && r.ContentLength > 0 && deny(w, r, 413, "SIZE_INVALID", "")
		}, "", "", "PATCH ",
	},
	{
		"no upload of that size", "https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return r.ContentLength > 1 && deny(w, r, 413, "SIZE_INVALID", "")
		}, `, or a proxy before it, does not take an upload of that size for mirror/cloud/\S+ \(413 Request Entity Too Large\): raise its limit$`, "", "PUT ",
	},
	{
		"an upload's address is relative", "https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-a-blob-monolithically",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			w.Header().Set("X-Relative", "") // see relative
			return false
		}, "", "", "PUT ",
	},
	{
		"manifests come without their digest", "https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests",
		func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("X-No-Digest", "") // see relative
			return false
		}, "", "", "PUT ",
	},
	{
		"repositories must exist first", "https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return deny(w, r, 404, "NAME_UNKNOWN", "The repository with name 'x' does not exist in the registry with id '1'")
		}, `has no repository mirror/cloud/\S+ and does not make it: create it there, and run the same again \(it says: The repository with name 'x' does not exist`, "PUT ", "POST ",
	},
	{
		"a path is too deep", "https://gitlab.com/gitlab-org/gitlab/-/issues/438563",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.Method == http.MethodGet || r.Method == http.MethodHead {
				return false
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="x",error="insufficient_scope"`)
			return deny(w, r, 401, "UNAUTHORIZED", "authentication required")
		}, `wants a login to write mirror/cloud/\S+: docker login \S+ \(it says: authentication required\)$`, "PUT ", "POST ",
	},
	{
		"tags do not change", "https://github.com/moby/buildkit/issues/3776",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return strings.HasPrefix(r.URL.Path, "/v2/mirror/") && strings.Contains(r.URL.Path, "/manifests/") && r.Method == http.MethodPut &&
				deny(w, r, 400, "TAG_INVALID", "The image tag '1' already exists in the 'x' repository and cannot be overwritten because the repository is immutable.")
		}, `answers 400 Bad Request to PUT of \S+ \(it says: The image tag '1' already exists`, "", "PUT ",
	},
	{
		"read-only", "https://distribution.github.io/distribution/about/configuration/#readonly",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return r.Method == http.MethodPost && deny(w, r, 405, "UNSUPPORTED", "The operation is unsupported.")
		}, `takes no uploads for mirror/cloud/\S+ \(405 Method Not Allowed\): it may be read-only, or the cache of another registry \(it says: The operation is unsupported`, "PUT ", "POST ",
	},
	{
		"read-only for a while", "https://goharbor.io/docs/2.9.0/administration/general-settings/",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return r.Method == http.MethodPost && deny(w, r, 403, "DENIED", "The system is in read only mode. Any modification is prohibited.")
		}, `\(it says: The system is in read only mode. Any modification is prohibited.\)$`, "PUT ", "POST ",
	},
	{
		"the storage is full", "https://www.rfc-editor.org/rfc/rfc4918#section-11.5",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return r.Method == http.MethodPut && deny(w, r, 507, "UNKNOWN", "")
		}, `is its storage full\?|writing to \S+ is given up: it failed time and again, at last with 507 Insufficient Storage`, "", "PUT ",
	},
	{
		"an upload is lost", "https://github.com/distribution/distribution/blob/v2.8.3/registry/api/v2/errors.go",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return r.Method != http.MethodPost && strings.Contains(r.URL.Path, "/blobs/uploads/") && deny(w, r, 404, "BLOB_UPLOAD_INVALID", "blob upload invalid")
		}, `has lost an upload to mirror/cloud/\S+: is its storage full, .* \(it says: blob upload invalid\)$`, "", "PUT ",
	},
	{
		"the disk is full", "https://github.com/distribution/distribution/blob/v2.8.3/registry/api/errcode/register.go",
		func(w http.ResponseWriter, r *http.Request, _ int) bool {
			return r.Method == http.MethodPut && deny(w, r, 500, "UNKNOWN", "unknown error")
		}, `is out of order: it answers 500 Internal Server Error to PUT of mirror/cloud/\S+, again and again: is its storage full\? \(it says: unknown error\)|writing to \S+ is given up`, "", "PUT ",
	},
	{
		"requests are limited", "https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors.html",
		func(w http.ResponseWriter, r *http.Request, times int) bool {
			w.Header().Set("Retry-After", "2")
			return times == 1 && r.Method == http.MethodHead && deny(w, r, 429, "TOOMANYREQUESTS", "Rate exceeded")
		}, "", "", "PUT ",
	},
}

// relative lets an answer differ where the header says so: the address of an upload is
// relative to the request, or the digest is left out.
func relative(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		inner.ServeHTTP(answer, r)
		header := answer.Header()
		if _, asked := header["X-Relative"]; asked && header.Get("Location") != "" {
			at := header.Get("Location")
			header.Set("Location", at[strings.Index(at, "/v2/"):])
		}
		if _, asked := header["X-No-Digest"]; asked {
			header.Del("Docker-Content-Digest")
		}
		for key, values := range header {
			w.Header()[key] = values
		}
		w.WriteHeader(answer.Code)
		if r.Method != http.MethodHead {
			_, _ = w.Write(answer.Body.Bytes())
		}
	})
}

// Whatever a registry does not do is done without it, or named in one sentence.
func TestRegistriesDiffer(t *testing.T) {
	for _, tt := range registryAnswers {
		t.Run(tt.name, func(t *testing.T) {
			from, to := inProcess(t, true), inProcess(t, true)
			all := fill(t, from)
			seen := &visits{seen: map[string]int{}}
			server := httptest.NewServer(relative(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v2/" || !tt.answer(w, r, seen.count(r)) {
					onward(to).ServeHTTP(w, r)
				}
			})))
			t.Cleanup(server.Close)
			var mu sync.Mutex
			var waits []time.Duration
			options := registry.Options{Sleep: func(ctx context.Context, d time.Duration) error {
				mu.Lock()
				defer mu.Unlock()
				waits = append(waits, d)
				return ctx.Err()
			}}
			results := run(t, options, all.artifacts(from, server.Listener.Addr().String()), (*Mirror).Copy)
			if tt.fails == "" {
				wantAll(t, results, Copied)
				all.judge(t, to)
			}
			for _, one := range results {
				if tt.fails != "" && (one.State != Failed || !regexp.MustCompile(tt.fails).MatchString(one.Error) || strings.Contains(one.Error, "\n")) {
					t.Errorf("%s is %s: %s, want %s", one.Target, one.State, one.Error, tt.fails)
				}
			}
			if tt.never != "" && seen.has(tt.never) || !seen.has(tt.once) {
				t.Errorf("asked %v, want none with %q and one with %q (%s)", seen.seen, tt.never, tt.once, tt.source)
			}
			if tt.name == "requests are limited" && (len(waits) == 0 || slices.ContainsFunc(waits, func(d time.Duration) bool { return d != 2*time.Second })) {
				t.Errorf("waited %v, want 2 s each", waits)
			}
		})
	}
}

// A registry that does not work is given up after some requests, with one sentence for
// all artifacts, and one that works again is not.
func TestDeadRegistryIsGivenUp(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	var artifacts []Artifact
	for i := range 50 {
		for _, one := range all.artifacts(from, "HOST") {
			one.Target = strings.Replace(one.Target, "/mirror/", fmt.Sprintf("/mirror-%d/", i), 1)
			artifacts = append(artifacts, one)
		}
	}
	var mu sync.Mutex
	asked := 0
	dead := between(t, to, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/" {
			return false
		}
		mu.Lock()
		asked++
		mu.Unlock()
		return deny(w, r, 500, "UNKNOWN", "")
	})
	for i := range artifacts {
		artifacts[i].Target = strings.Replace(artifacts[i].Target, "HOST", dead, 1)
	}
	given := 0
	for _, one := range run(t, registry.Options{}, artifacts, (*Mirror).Copy) {
		if one.State != Failed {
			t.Errorf("%s is %s", one.Target, one.State)
		}
		if one.Error == "reading from "+dead+" is given up: it failed time and again, at last with 500 Internal Server Error" {
			given++
		}
	}
	if asked > 40 || given < len(artifacts)-12 {
		t.Errorf("asked %d times, given up for %d of %d artifacts", asked, given, len(artifacts))
	}
}
