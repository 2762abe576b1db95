package registry

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// on answers requests whose path holds a text.
func on(part string, answer func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, part) {
			return false
		}
		answer(w, r)
		return true
	}
}

// with answers them with a registry's error.
func with(part string, status int, code, message string) func(http.ResponseWriter, *http.Request) bool {
	return on(part, func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code, message) })
}

// both lets the first of two answer that wants to.
func both(a, b func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool { return a(w, r) || b(w, r) }
}

// failure is a row of the table of what a user sees. HOST stands for the
// registry's host.
type failure struct {
	name   string
	before func(http.ResponseWriter, *http.Request) bool
	ref    Ref
	login  bool
	kind   Kind
	want   string
}

// TestEveryFailureIsASentence goes through the table.
func TestEveryFailureIsASentence(t *testing.T) {
	f := newFake(t)
	ref, _, archive := f.push(t, "app", "1.2.3")
	for _, version := range []string{"1.2.0", "1.3.0", "2.0.0"} {
		f.push(t, "app", version)
	}
	for _, test := range slices.Concat(refusals(f, ref, digestOf(archive)), badAnswers(ref, archive), badTurns(ref)) {
		t.Run(test.name, func(t *testing.T) {
			options := Options{Cache: t.TempDir(), Stall: 30 * time.Second}
			if test.kind == Stalled {
				options.Stall = 80 * time.Millisecond
			}
			f.interfere(test.before)
			if test.login {
				options.Keychain = login
				f.interfere(behindLogin(test.before))
			}
			c, _ := f.client(t, options)
			_, err := c.Chart(t.Context(), test.ref)
			checkError(t, err, test.kind, strings.ReplaceAll(test.want, "HOST", f.host))
		})
	}
}

// behindLogin wants a login before anything else.
func behindLogin(then func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if _, _, found := r.BasicAuth(); !found {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			return refuse(w, 401, "UNAUTHORIZED", "")
		}
		return then(w, r)
	}
}

// refusals is what registries answer instead of a chart.
func refusals(f *fake, ref Ref, archive string) []failure {
	missing := Ref{Repository: ref.Repository, Version: "1.2.9"}
	return []failure{
		{"401, nobody logged in", with("/v2/", 401, "UNAUTHORIZED", "who are you?"), ref, false, BadLogin,
			"app 1.2.3: HOST wants a login: docker login HOST (it says: who are you?)"},
		{"401, login refused", with("/manifests/", 401, "UNAUTHORIZED", ""), ref, true, BadLogin,
			"HOST refuses the login that it was given, which may have expired: docker login HOST"},
		{"403, nobody logged in", with("/manifests/", 403, "DENIED", "nope"), ref, false, Forbidden,
			"HOST wants a login to read charts/app, if it is there: docker login HOST (it says: nope)"},
		{"403, logged in", with("/manifests/", 403, "DENIED", "you "+canaryUser+":"+canaryPassword+" may not\nsecond line"), ref, true, Forbidden,
			"HOST does not let this login read charts/app, if it is there (it says: you puller:… may not)"},
		{"no version", nil, missing, false, NoVersion,
			"HOST has no version 1.2.9 of charts/app: the nearest is 1.2.3, the newest 2.0.0"},
		{"no version, list forbidden", with("/tags/list", 403, "DENIED", ""), missing, false, NotFound,
			"HOST has no 1.2.9 in charts/app, or no such repository: it does not say what it has"},
		{"no repository", nil, Ref{Repository: f.host + "/charts/ap", Version: "1.2.3"}, false, NoRepository,
			"HOST has no repository charts/ap"},
		{"no repository, said with the wrong code", both(with("/manifests/", 404, "MANIFEST_UNKNOWN", ""), with("/tags/list", 404, "NAME_UNKNOWN", "")), ref, false, NoRepository,
			"HOST has no repository charts/app"},
		{"no digest", nil, Ref{Repository: ref.Repository, Digest: digestOf(nil)}, false, NoVersion,
			"HOST has no " + digestOf(nil) + " in charts/app"},
		{"no blob", with("/blobs/"+archive, 404, "BLOB_UNKNOWN", ""), ref, false, NotFound,
			"HOST has the chart's manifest, but not its archive " + archive},
		{"no registry", on("/v2/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }), ref, false, NotRegistry,
			"HOST is no OCI registry: it has no /v2/"},
		{"429 for ever", with("/manifests/", 429, "TOOMANYREQUESTS", "pull rate limit"), ref, false, RateLimited,
			"HOST answers 429 Too Many Requests, 4 times: wait, or log in if it lets those who are do more (it says: pull rate limit)"},
		{"503 for ever", with("/manifests/", 503, "UNAVAILABLE", ""), ref, false, Unavailable,
			"HOST is out of order: it answers 503 Service Unavailable, again and again"},
		{"400", with("/manifests/", 400, "UNSUPPORTED", "no"), ref, false, Other,
			"HOST answers 400 Bad Request (it says: no)"},
	}
}

// badAnswers is charts that arrive otherwise than they were sent.
func badAnswers(ref Ref, archive []byte) []failure {
	blob := "/blobs/" + digestOf(archive)
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	return []failure{
		{"truncated archive", on(blob, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
			_, _ = w.Write(archive[:10])
		}), ref, false, Broken, fmt.Sprintf("the answer of HOST broke off after 10 of %d bytes, 4 times", len(archive))},
		{"truncated manifest", on("/manifests/", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("{"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}), ref, false, Broken, "the answer of HOST broke off after 1 bytes, 4 times"},
		{"connection closed", on("/manifests/", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), ref, false, Broken,
			"HOST closed the connection before it answered, 4 times"},
		{"shorter archive", on(blob, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive[:10]) }), ref, false, WrongDigest,
			"HOST sent another archive than " + digestOf(archive)},
		{"other archive", on(blob, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, len(archive))) }), ref, false, WrongDigest,
			"HOST sent another archive than " + digestOf(archive)},
		{"other manifest", on("/manifests/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }),
			Ref{Repository: ref.Repository, Digest: digestOf(nil)}, false, WrongDigest,
			"HOST sent another manifest than " + digestOf(nil) + ": its digest is " + digestOf([]byte("{}"))},
		{"login page", on("/manifests/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }), ref, false, NotChart,
			"the registry's answer is no OCI manifest: is a proxy or a login page in between?"},
		{"never answers", on("/manifests/", hang), ref, false, Stalled, "HOST sent nothing for 80ms"},
		{"stops in the middle", on(blob, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(archive[:10])
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		}), ref, false, Stalled, "HOST sent nothing for 80ms"},
		{"endless manifest", on("/manifests/", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write(make([]byte, 64<<10))
			}
		}), ref, false, TooLarge, "HOST sent more than 4194304 bytes"},
		{"announces too much", on(blob, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "99999999999") }), ref, false, TooLarge,
			"HOST sent more than 4194304 bytes"},
	}
}

// badTurns is where registries send us.
func badTurns(ref Ref) []failure {
	return []failure{
		{"redirect to plain HTTP", on("/manifests/", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://storage.company.test/x?signature="+canaryToken, http.StatusTemporaryRedirect)
		}), ref, false, PlainHTTP, "storage.company.test would be asked without TLS, in plain HTTP: if that is right, allow it with --plain-http storage.company.test"},
		{"asks to come back tomorrow", on("/manifests/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}), ref, false, RateLimited, "HOST answers Too Many Requests and asks to come back in 1h0m0s"},
	}
}

func TestSlowDripEndsInTime(t *testing.T) {
	f := newFake(t)
	ref, _, _ := f.push(t, "app", "1.2.3")
	f.interfere(on("/manifests/", func(w http.ResponseWriter, r *http.Request) {
		// Faster than the stall, for ever: only the bound on the whole answer ends it.
		for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
			if _, err := w.Write([]byte(" ")); err != nil || r.Context().Err() != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	}))
	c, _ := f.client(t, Options{Timeout: 100 * time.Millisecond})
	_, err := c.Chart(t.Context(), ref)
	checkError(t, err, Stalled, f.host+" did not finish its answer within 100ms")
}

func TestSlowAnswerIsNoStalledOne(t *testing.T) {
	body := strings.Repeat("x", 100)
	resp := &http.Response{
		Body: io.NopCloser(iotest.OneByteReader(strings.NewReader(body))), ContentLength: -1,
		Request: httptest.NewRequest(http.MethodGet, "https://r.test/", nil),
	}
	steps := 0
	got, err := readBody(resp, maxManifest, func() { steps++ })
	if err != nil || string(got) != body || steps != len(body) {
		t.Errorf("readBody = %d bytes, %v, and %d signs of progress; want %d of each", len(got), err, steps, len(body))
	}
}

func TestRedirectsEnd(t *testing.T) {
	f := newFake(t)
	f.interfere(on("/manifests/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	}))
	c, _ := f.client(t, Options{})
	_, err := c.Chart(t.Context(), Ref{Repository: f.host + "/charts/app", Version: "1.0.0"})
	checkError(t, err, Broken, "redirects more than 10 times")
	if asked := f.asked("/manifests/"); asked != maxHops+1 {
		t.Errorf("%d requests, want %d", asked, maxHops+1)
	}
}

func TestCallerMayGiveUp(t *testing.T) {
	f := newFake(t)
	ref, _, _ := f.push(t, "app", "1.2.3")
	ctx, cancel := context.WithCancel(t.Context())
	f.interfere(on("/manifests/", func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	c, _ := f.client(t, Options{})
	if _, err := c.Chart(ctx, ref); !ended(err) {
		t.Errorf("Chart = %v, want the context's error", err)
	}
}

func TestListingForbidden(t *testing.T) {
	f := newFake(t)
	ref, _, _ := f.push(t, "app", "1.2.3")
	for name, before := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"403":            with("/tags/list", 403, "DENIED", ""),
		"405":            with("/tags/list", 405, "UNSUPPORTED", ""), // https://github.com/renovatebot/renovate/issues/15555
		"401, logged in": with("/tags/list", 401, "UNAUTHORIZED", ""),
	} {
		t.Run(name, func(t *testing.T) {
			f.interfere(before)
			c, _ := f.client(t, Options{Keychain: login})
			_, err := c.Tags(t.Context(), ref.Repository)
			checkError(t, err, TagsForbidden, fmt.Sprintf("versions of %s: %s does not let this login list the versions of charts/app, which says nothing about reading them: name the version", ref.Repository, f.host))
			if _, err := c.Chart(t.Context(), ref); err != nil {
				t.Errorf("the chart itself: %v", err)
			}
		})
	}
	f.interfere(nil)
	c, _ := f.client(t, Options{})
	_, err := c.Tags(t.Context(), f.host+"/charts/none")
	checkError(t, err, NoRepository, f.host+" has no repository charts/none")
}

func TestNoConnection(t *testing.T) {
	c, _ := newFake(t).client(t, Options{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = c.Chart(t.Context(), Ref{Repository: host + "/charts/app", Version: "1.0.0"})
	checkError(t, err, NoConnection, host+" refuses the connection: is its port right, and does it need a proxy?")

	c.exchange.base.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "registry.company.test", IsNotFound: true}
	}
	_, err = c.Chart(t.Context(), Ref{Repository: "registry.company.test/charts/app", Version: "1.0.0"})
	checkError(t, err, NoHost, "there is no host registry.company.test: is its name right, and does it need a VPN or a proxy?")

	c.exchange.base.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}
	}
	_, err = c.Chart(t.Context(), Ref{Repository: "registry.company.test/charts/app", Version: "1.0.0"})
	checkError(t, err, Stalled, "registry.company.test did not take the connection in time")
}
