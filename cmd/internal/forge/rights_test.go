package forge

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge/forgetest"
)

// stub answers requests without a server.
type stub func(*http.Request) *http.Response

func (s stub) RoundTrip(r *http.Request) (*http.Response, error) {
	resp := s(r)
	resp.Request = r
	return resp, nil
}

func reply(status int, body string, header ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Status: fmt.Sprint(status, " ", http.StatusText(status)), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

// What a forge refuses is a sentence with where the token is from and what it needs. The answers are
// those that the forges' documentation and source have.
func TestRefusalsAreSentences(t *testing.T) {
	const (
		github = `; it needs write access to "Contents" and "Pull requests" (classic tokens: repo)`
		gitlab = "; it needs the scope api and the role Developer"
		gitea  = "; it needs the scopes write:repository, write:issue and read:user"
		lost   = "there is no such repository or pull request, or the token from TOKEN may not see it: "
	)
	for _, c := range []struct {
		product Product
		status  int
		body    string
		kind    Kind
		want    string
	}{
		{GitHub, 401, `{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}`, NoLogin, "the token from TOKEN is not taken: it is wrong, expired or revoked: Bad credentials"},
		{GitHub, 403, `{"message":"Resource not accessible by integration"}`, Forbidden, "the token from TOKEN may not do that: Resource not accessible by integration" + github},
		{GitHub, 403, `{"message":"Resource not accessible by personal access token"}`, Forbidden, "the token from TOKEN may not do that: Resource not accessible by personal access token" + github},
		{GitHub, 404, `{"message":"Not Found"}`, NotFound, lost + "Not Found" + github},
		{GitHub, 422, `{"message":"Validation Failed","errors":[{"resource":"PullRequest","field":"base","code":"invalid"}]}`, Refused, "422 Unprocessable Entity: Validation Failed; base invalid"},
		{GitHub, 422, `{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"No commits between main and b"}]}`, Refused, "Validation Failed; No commits between main and b"},
		{GitHub, 422, `{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"A pull request already exists for o:b."}]}`, Exists, "it is there already: Validation Failed; A pull request already exists for o:b."},
		{GitLab, 401, `{"message":"401 Unauthorized"}`, NoLogin, "the token from TOKEN is not taken: it is wrong, expired or revoked: 401 Unauthorized"},
		{GitLab, 401, `{"error":"invalid_token","error_description":"Token is expired. You can either do re-authorization or token refresh."}`, NoLogin, "invalid_token; Token is expired. You can either do re-authorization or token refresh."},
		{GitLab, 403, `{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by the access token.","scope":"api"}`, Forbidden,
			"the token from TOKEN may not do that: insufficient_scope; The request requires higher privileges than provided by the access token." + gitlab},
		{GitLab, 404, `{"message":"404 Project Not Found"}`, NotFound, lost + "404 Project Not Found" + gitlab},
		{GitLab, 409, `{"message":["Another open merge request already exists for this source branch: !1"]}`, Exists, "it is there already: Another open merge request already exists for this source branch: !1"},
		{GitLab, 400, `{"message":{"title":["can't be blank"],"base":["is missing","is invalid"]}}`, Refused, "400 Bad Request: base is missing, is invalid; title can't be blank"},
		{Gitea, 401, `{"message":"user does not exist [uid: 0, name: ]"}`, NoLogin, "the token from TOKEN is not taken"},
		{Gitea, 403, `{"message":"token does not have at least one of required scope(s), required=[write:repository], token scope=read:repository"}`, Forbidden, "required=[write:repository], token scope=read:repository" + gitea},
		{Gitea, 404, `{"errors":null,"message":"The target couldn't be found."}`, NotFound, lost + "The target couldn't be found." + gitea},
	} {
		o := options(stub(func(*http.Request) *http.Response { return reply(c.status, c.body) }), "x "+canary)
		o.From = "TOKEN"
		f, err := Open(Place{c.product, "https://git.corp", "a/b"}, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Open(t.Context(), Draft{Head: "b", Base: "main", Title: "t"}); !isKind(err, c.kind) || !strings.HasPrefix(err.Error(), "open a ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %d: %v, want %q", c.product, c.status, err, c.want)
		}
	}
}

// limits answers every other request as a forge does that has too many.
type limits struct {
	inner   http.RoundTripper
	refused func() *http.Response
	spares  string // a method
	turn    bool
}

func (l *limits) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.turn = !l.turn; l.turn && r.Method != l.spares {
		resp := l.refused()
		resp.Request = r
		return resp, nil
	}
	return l.inner.RoundTrip(r)
}

// Where each request is refused once, all that is done is the same as without, and done once.
func TestLimitsChangeNothing(t *testing.T) {
	reset := fmt.Sprint(1_800_000_000 + 1)
	for name, c := range map[string]struct {
		refused func() *http.Response
		spares  string
	}{
		"primary": {func() *http.Response {
			return reply(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset)
		}, ""},
		"secondary": {func() *http.Response {
			return reply(403, `{"message":"You have exceeded a secondary rate limit."}`, "Retry-After", "1")
		}, ""},
		"secondary, mute": {func() *http.Response { return reply(403, `{"message":"You have exceeded a secondary rate limit."}`) }, ""},
		"GitLab's": {func() *http.Response {
			return reply(429, "Retry later\n", "Retry-After", "1", "RateLimit-Remaining", "0")
		}, ""},
		"not there": {func() *http.Response { return reply(503, "") }, http.MethodPost},
	} {
		for product, s := range map[Product]*forgetest.Server{GitHub: forgetest.GitHub(t, fakeOptions()), GitLab: forgetest.GitLab(t, fakeOptions())} {
			t.Run(name+" "+string(product), func(t *testing.T) {
				path := map[Product]string{GitHub: forgetest.GitHubRepository, GitLab: forgetest.GitLabProject}[product]
				f, err := Open(Place{product, s.URL, path}, options(&limits{s.Client, c.refused, c.spares, false}, product.Authorization(canary)))
				if err != nil {
					t.Fatal(err)
				}
				exercise(t, f, "b")
				if pulls := s.Pulls(); len(pulls) != 2 || len(pulls[0].Comments) != 2 {
					t.Errorf("%+v", pulls)
				}
			})
		}
	}
}

// A body is taken up to the limit, and what is longer is refused with the forge's sentence.
func TestBodiesHaveLimits(t *testing.T) {
	for product, s := range map[Product]*forgetest.Server{GitHub: forgetest.GitHub(t, fakeOptions()), GitLab: forgetest.GitLab(t, fakeOptions())} {
		f := atFake(t, s, product, map[Product]string{GitHub: forgetest.GitHubRepository, GitLab: forgetest.GitLabProject}[product])
		most := strings.Repeat("ä", f.Limits().Body)
		if _, err := f.Open(t.Context(), Draft{Head: "a", Base: "main", Title: "t", Body: most}); err != nil {
			t.Errorf("%s: %v", product, err)
		}
		if _, err := f.Open(t.Context(), Draft{Head: "b", Base: "main", Title: "t", Body: most + "ä"}); !isKind(err, Refused) || !strings.Contains(err.Error(), "too long (maximum is ") {
			t.Errorf("%s: %v", product, err)
		}
	}
}

// A repository that was renamed is found where the forge sends us on its own host. What would
// become a request to read is refused.
func TestRenamedRepositories(t *testing.T) {
	for _, c := range []struct {
		status int
		method string
		fails  bool
	}{{301, "GET", false}, {302, "GET", false}, {307, "GET", false}, {307, "POST", false}, {308, "POST", false}, {301, "POST", true}, {302, "POST", true}, {303, "POST", true}} {
		s := forgetest.GitHub(t, fakeOptions())
		moved := stub(func(r *http.Request) *http.Response {
			if old := "/repos/" + forgetest.GitHubRepository + "/"; r.Method == c.method && strings.Contains(r.URL.Path, "/repos/old/x/") {
				return reply(c.status, "", "Location", s.URL+strings.Replace(r.URL.Path, "/repos/old/x/", old, 1)+"?"+strings.ReplaceAll(r.URL.RawQuery, "old", "o"))
			}
			r = r.Clone(r.Context())
			r.URL.Path = strings.Replace(r.URL.Path, "/repos/old/x", "/repos/"+forgetest.GitHubRepository, 1)
			r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "old", "o")
			resp, err := s.Client.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			return resp
		})
		f, err := Open(Place{GitHub, s.URL, "old/x"}, options(moved, GitHub.Authorization(canary)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Open(t.Context(), Draft{Head: "b", Base: "main", Title: "t", Body: "x"})
		if (err != nil) != c.fails || c.fails && (!isKind(err, Refused) || !strings.Contains(err.Error(), "use its new URL")) {
			t.Errorf("%s %d: %v", c.method, c.status, err)
		}
		if pulls := s.Pulls(); !c.fails && (len(pulls) != 1 || pulls[0].Body != "x") {
			t.Errorf("%s %d: %+v", c.method, c.status, pulls)
		}
		if c.fails {
			continue
		}
		if _, err := f.Comments(t.Context(), PullRequest{Number: 1}); err != nil {
			t.Errorf("%s %d: %v", c.method, c.status, err)
		}
	}
}

// A secondary limit comes with the headers of the primary one, which has nothing to do with it.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
func TestSecondaryLimitsTakeAMinute(t *testing.T) {
	for _, status := range []int{403, 429} {
		asked := 0
		o := options(stub(func(*http.Request) *http.Response {
			if asked++; asked == 1 {
				return reply(status, `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}`, "X-RateLimit-Remaining", "4900", "X-RateLimit-Reset", fmt.Sprint(1_800_000_000+3000))
			}
			return reply(200, `{"login":"bot"}`)
		}), "Bearer x")
		var waits []time.Duration
		o.Sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
		f, err := Open(Place{GitHub, "https://git.corp", "o/r"}, o)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Account(t.Context()); err != nil || got != "bot" || len(waits) != 1 || waits[0] != time.Minute {
			t.Errorf("Account = %q, %v after %v", got, err, waits)
		}
	}
}

// GraphQL has a status of 200 for what it refuses.
// https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
func TestGraphQLRefuses(t *testing.T) {
	for kind, want := range map[string]Kind{"NOT_FOUND": NotFound, "FORBIDDEN": Forbidden, "RATE_LIMITED": Limited, "UNPROCESSABLE": Refused} {
		at := ""
		o := options(stub(func(r *http.Request) *http.Response {
			at = r.URL.String()
			return reply(200, `{"data":null,"errors":[{"type":"`+kind+`","message":"one\ntwo"}]}`)
		}), "Bearer x")
		f, err := Open(Place{GitHub, "https://github.com", "o/r"}, o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Edit(t.Context(), PullRequest{Draft: true}, Change{Draft: new(bool)})
		if !isKind(err, want) || !strings.HasSuffix(err.Error(), ": one") || at != "https://api.github.com/graphql" {
			t.Errorf("%s: %q at %s", kind, err, at)
		}
	}
}

// docs/git.md names what a token needs, and every variable of a GitHub App.
func TestLoginsAreDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "git.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{GitHub.needs(), GitLab.needs(), Gitea.needs(), "`" + appID + "`", "`" + appKey + "`", "`" + appKeyFile + "`", "`" + appInstallation + "`"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/git.md does not have %s", want)
		}
	}
}
