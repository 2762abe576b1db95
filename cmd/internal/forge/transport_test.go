package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Each answer of a row is given once, the last again and again.
func TestLimitsAndFaults(t *testing.T) {
	type reply struct {
		status int
		header map[string]string
		body   string
	}
	fine := reply{200, nil, `{"username":"bot"}`}
	reset := fmt.Sprint(1_800_000_000 + 90)
	for name, c := range map[string]struct {
		replies []reply
		waits   []time.Duration
		kind    Kind // of the error, where want is one
		want    string
	}{
		"429 with seconds":                   {[]reply{{429, map[string]string{"Retry-After": "7"}, ""}, fine}, []time.Duration{7 * time.Second}, 0, ""},
		"429 with a date":                    {[]reply{{429, map[string]string{"Retry-After": time.Unix(1_800_000_020, 0).UTC().Format(http.TimeFormat)}, ""}, fine}, []time.Duration{20 * time.Second}, 0, ""},
		"429 without a hint":                 {[]reply{{429, nil, ""}, {429, nil, ""}, fine}, []time.Duration{time.Second, 2 * time.Second}, 0, ""},
		"GitHub's secondary limit":           {[]reply{{403, map[string]string{"Retry-After": "60"}, `{"message":"You have exceeded a secondary rate limit"}`}, fine}, []time.Duration{time.Minute}, 0, ""},
		"GitHub's primary limit":             {[]reply{{403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}, ""}, fine}, []time.Duration{90 * time.Second}, 0, ""},
		"GitLab's limit":                     {[]reply{{429, map[string]string{"RateLimit-Reset": reset}, ""}, fine}, []time.Duration{90 * time.Second}, 0, ""},
		"a limit that ends too late":         {[]reply{{429, map[string]string{"Retry-After": "3600"}, `{"message":"slow down"}`}}, nil, Limited, "too many requests, and it asks to wait longer than 2m0s: slow down"},
		"5xx":                                {[]reply{{502, nil, "<html>"}, {503, nil, ""}, fine}, []time.Duration{time.Second, 2 * time.Second}, 0, ""},
		"always 5xx":                         {[]reply{{500, nil, ""}}, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, Unavailable, "500 Internal Server Error"},
		"an expired token":                   {[]reply{{401, nil, ""}, fine}, []time.Duration{time.Second}, 0, ""},
		"a wrong token":                      {[]reply{{401, nil, `{"message":"401 Unauthorized"}`}}, []time.Duration{time.Second}, NoLogin, "the token is not taken: it is wrong, expired or revoked: 401 Unauthorized"},
		"403 is not a limit by itself":       {[]reply{{403, nil, `{"message":"Resource not accessible by integration"}`}}, nil, Forbidden, "the token may not do that: Resource not accessible by integration"},
		"errors of several lines and escape": {[]reply{{400, nil, `{"message":"one\u001b[31m\ntwo"}`}}, nil, Refused, `one`},
		"a token that is repeated":           {[]reply{{400, nil, `{"message":"bad header: Bearer ` + canary + `"}`}}, nil, Refused, "bad header: Bearer ***"},
		"Gitea's lost race":                  {[]reply{{400, nil, `{"message":"the issue is already changed"}`}}, nil, Changed, "at the same moment"},
		"a page that is no JSON":             {[]reply{{404, nil, "<html>" + canary}}, nil, NotFound, "there is no such repository"},
		"an answer without end":              {[]reply{{200, nil, strings.Repeat("x", maxAnswer+1)}}, nil, Other, "sent more than"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				now := c.replies[min(asked, len(c.replies)-1)]
				asked++
				for key, value := range now.header {
					w.Header().Set(key, value)
				}
				w.WriteHeader(now.status)
				_, _ = w.Write([]byte(now.body))
			}))
			defer s.Close()
			o := options(s.Client().Transport, "Bearer "+canary)
			var waits []time.Duration
			o.Sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
			g, err := Open(Place{GitLab, s.URL, "a/b"}, o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := g.Account(t.Context())
			if fmt.Sprint(waits) != fmt.Sprint(c.waits) {
				t.Errorf("waited %v, want %v", waits, c.waits)
			}
			if c.want == "" && (err != nil || got != "bot") {
				t.Errorf("Account = %q, %v", got, err)
			}
			if c.want != "" && (!isKind(err, c.kind) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), canary) || strings.ContainsAny(err.Error(), "\n\x1b")) {
				t.Errorf("error %q", err)
			}
		})
	}
}

// What may have been done is not done again: a pull request would be opened twice.
func TestNothingIsDoneTwice(t *testing.T) {
	asked := 0
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked++; w.WriteHeader(502) }))
	defer s.Close()
	for _, product := range []Product{GitHub, GitLab, Gitea} {
		asked = 0
		f, err := Open(Place{product, s.URL, "a/b"}, options(s.Client().Transport, "x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Open(t.Context(), Draft{Head: "h", Base: "b", Title: "t"}); !isKind(err, Unavailable) || asked != 1 {
			t.Errorf("%s: asked %d times: %v", product, asked, err)
		}
	}
}

// A token goes to the forge alone, whatever it answers.
func TestTokenStaysAtItsOrigin(t *testing.T) {
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("another host got %s %s with %v", r.Method, r.URL, r.Header)
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 307, 308} {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, status)
		}))
		for _, product := range []Product{GitHub, GitLab, Gitea} {
			f, err := Open(Place{product, s.URL, "a/b"}, options(s.Client().Transport, "Bearer "+canary))
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.Account(t.Context())
			_, err2 := f.Open(t.Context(), Draft{Head: "h", Base: "b", Title: "t"})
			for _, err := range []error{err, err2} {
				if err == nil || strings.Contains(err.Error(), canary) {
					t.Errorf("%s, %d: %v", product, status, err)
				}
			}
		}
		s.Close()
	}
}

// A connection that breaks is tried again, and the user's own end is no error of the forge.
func TestBrokenConnections(t *testing.T) {
	asked := 0
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte(`{"username":"bot"}`))
	}))
	defer s.Close()
	f, err := Open(Place{GitLab, s.URL, "a/b"}, options(s.Client().Transport, "x"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Account(t.Context()); err != nil || got != "bot" {
		t.Errorf("Account = %q, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Account(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// Only a token that was not taken is asked for again: a limit says nothing of it.
func TestTokensAreKept(t *testing.T) {
	for status, want := range map[int]string{401: "[false true]", 429: "[false false]", 503: "[false false]"} {
		asked := 0
		o := options(stub(func(*http.Request) *http.Response {
			if asked++; asked == 1 {
				return reply(status, "")
			}
			return reply(200, `{"username":"bot"}`)
		}), "")
		var fresh []bool
		o.Token = func(_ context.Context, again bool) (string, error) {
			fresh = append(fresh, again)
			return "Bearer x", nil
		}
		f, err := Open(Place{GitLab, "https://git.corp", "a/b"}, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Account(t.Context()); err != nil || fmt.Sprint(fresh) != want {
			t.Errorf("%d: asked for a fresh token %v, %v, want %s", status, fresh, err, want)
		}
	}
}
