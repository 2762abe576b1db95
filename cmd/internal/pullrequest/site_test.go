package pullrequest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
	"github.com/pm-gitops/pm-gitops/cmd/internal/forge/forgetest"
	"github.com/pm-gitops/pm-gitops/cmd/internal/giteatest"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gittest"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// canary is the token of the servers that run in the test. No message has it.
const canary = "canary-3e81f7-token"

// site is a repository at a forge, and what a person does there.
type site struct {
	*testing.T
	git    *gittest.World // with the repository as the folder origin, for git to judge
	front  *front
	errand errand // what a run needs to know
	people people
}

// people does at a forge what a person does with a browser, and reads what is there. Numbers
// of pull requests begin with 1.
type people interface {
	pulls() []pull // the oldest first
	edit(number int, body string)
	setState(number int, state string) // open or closed
	label(number int, name string)
	comment(number int, body string)
	merge(number int)
}

// pull is a pull request as the forge's own interface shows it.
type pull struct {
	Title, Body, State string // State is open, closed or merged
	Draft, Merges      bool
	Labels, Comments   []string
	Commit             string
}

// sites runs a test at each forge.
func sites(t *testing.T, test func(*testing.T, *site)) {
	for name, open := range map[string]func(*testing.T) *site{"GitHub": atGitHub, "GitLab": atGitLab, "Gitea": atGitea} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// start makes the work tree of a person, with main.
func start(t *testing.T) *gittest.World {
	w := gittest.New(t)
	w.Repo("work", map[string]string{"prod.yaml": "server: 0\n", "other.yaml": "a: 1\n"})
	return w
}

func atGitHub(t *testing.T) *site { return atGitHubWith(t, forgetest.Options{}) }

func atGitHubWith(t *testing.T, o forgetest.Options) *site {
	w := start(t)
	o.Token, o.Tip = canary, tipOf(w)
	return atFake(t, w, forge.GitHub, forgetest.GitHubRepository, forgetest.GitHub(t, o))
}

func atGitLab(t *testing.T) *site {
	w := start(t)
	return atFake(t, w, forge.GitLab, forgetest.GitLabProject, forgetest.GitLab(t, forgetest.Options{Token: canary, Tip: tipOf(w)}))
}

// tipOf asks git for branches.
func tipOf(w *gittest.World) func(string) string {
	return func(branch string) string {
		out, err := w.Try("origin", "rev-parse", "--verify", "-q", "refs/heads/"+branch)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(out)
	}
}

// atFake puts a server of forgetest and git http-backend behind one front.
func atFake(t *testing.T, w *gittest.World, product forge.Product, path string, s *forgetest.Server) *site {
	w.Git(".", "clone", "-q", "--bare", "work", "origin")
	w.Write("origin/config", w.Read("origin/config")+"[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n[http]\n\treceivepack = true\n")
	if err := os.MkdirAll(filepath.Join(w.Home, filepath.Dir(path)), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(w.Home, "origin"), filepath.Join(w.Home, path+".git")); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	repository := &cgi.Handler{Path: program, Args: []string{"http-backend"}, Env: append(w.Environ(), "GIT_PROJECT_ROOT="+w.Home, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=bot")}
	api := proxy(t, s.URL, s.Client)
	f := newFront(t, http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if strings.HasPrefix(in.URL.Path, "/api/") {
			api.ServeHTTP(out, in)
			return
		}
		repository.ServeHTTP(out, in)
	}))
	return newSite(t, w, f, product, path, canary, fakePeople{w, s})
}

// proxy hands requests on to a server.
func proxy(t *testing.T, to string, by http.RoundTripper) http.Handler {
	at, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(at)
	p.Transport = by
	return p
}

func atGitea(t *testing.T) *site {
	s := server.Server(t)
	owner := s.NewUser(t)
	bot := s.NewUser(t)
	owner.NewRepository(t, "fleet")
	owner.Share(t, "fleet", bot, "write")
	w := start(t)
	w.Git("work", "-c", "http.sslCAInfo="+owner.CA(), "-c", "http.extraHeader="+owner.Header(), "push", "-q", owner.URL("fleet"), "main")
	for empty := true; empty; { // until its queue has come to the push
		var repository struct{ Empty bool }
		owner.Do(t, "GET", "/repos/"+owner.Name+"/fleet", nil, &repository)
		empty = repository.Empty
	}
	if err := os.Symlink(owner.Folder("fleet"), filepath.Join(w.Home, "origin")); err != nil {
		t.Fatal(err)
	}
	own := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool(t, s.CA)}}
	t.Cleanup(own.CloseIdleConnections)
	f := newFront(t, proxy(t, s.URL, own))
	token := bot.NewToken(t, "write:repository", "write:issue", "read:user").Secret
	return newSite(t, w, f, forge.Gitea, owner.Name+"/fleet", token, giteaPeople{t, w, owner, bot})
}

func pool(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(content)
	return p
}

func newSite(t *testing.T, w *gittest.World, f *front, product forge.Product, path, token string, who people) *site {
	w.Write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})))
	env := append(w.Environ(), "GIT_SSL_CAINFO="+filepath.Join(w.Home, "ca.pem"), "GITEA_SERVER_URL="+f.URL, "GITEA_TOKEN="+token, // Git's login, whatever the forge
		"GIT_AUTHOR_NAME=Bot", "GIT_AUTHOR_EMAIL=bot@example.com", "GIT_COMMITTER_NAME=Bot", "GIT_COMMITTER_EMAIL=bot@example.com")
	return &site{T: t, git: w, front: f, people: who, errand: errand{Origin: f.URL, Product: product, Path: path, Token: token, Env: env, CA: filepath.Join(w.Home, "ca.pem")}}
}

// errand is a run, for this process or another one.
type errand struct {
	Origin, Path, Token, CA string
	Product                 forge.Product
	Env                     []string
	Version                 version
	Supersede               string
}

// version describes a proposal of an errand.
type version struct {
	Number int
	Plan   string   // if it is not the number's
	Labels []string // if they are not the usual ones
	Base   string
	Draft  bool
	Merge  bool
	Long   bool // the body is as long as it may be, and longer
	Text   string
}

const branch = "pm-gitops/prod/patch-1"

// proposal sets the version in prod.yaml.
func (v version) proposal() Proposal {
	n := fmt.Sprint(v.Number)
	p := Proposal{
		Branch: branch, Base: v.Base, Title: "fix(prod): server " + n, Draft: v.Draft, Plan: "sha256:" + n, Target: "server=" + n + " ui=1", Merge: v.Merge,
		Fingerprint: fmt.Sprint(v.Number, v.Plan, v.Labels, v.Draft, v.Long, v.Text), Labels: []string{"env/prod", "patch"},
		Body: func(limit int) string {
			if v.Long {
				return strings.Repeat("ä", limit+100)
			}
			return "Server " + n + ".\n" + v.Text
		},
		Commit: func(context.Context, *gitrepo.Base) ([]gitrepo.Draft, error) {
			changes := gitrepo.Changes{Write: tree.Tree{"prod.yaml": []byte("server: " + n + "\n")}}
			return []gitrepo.Draft{{Changes: changes, Message: gitrepo.Message{Text: "fix(prod): server " + n, Trailers: []gitrepo.Trailer{{Key: "Pm-Gitops-Version", Value: "v1"}}}}}, nil
		},
	}
	if v.Plan != "" {
		p.Plan = v.Plan
	}
	if v.Labels != nil {
		p.Labels = v.Labels
	}
	return p
}

// keeper gives that of one run.
func (e errand) keeper() (*Keeper, error) {
	content, err := os.ReadFile(e.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(content)
	f, err := forge.Open(forge.Place{Product: e.Product, Origin: e.Origin, Path: e.Path}, forge.Options{
		Token:  func(context.Context, bool) (string, error) { return e.Product.Authorization(e.Token), nil },
		Client: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, Now: time.Now, UserAgent: "test",
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		return nil, err
	}
	getenv := func(name string) string {
		for _, one := range slices.Backward(e.Env) {
			if value, found := strings.CutPrefix(one, name+"="); found {
				return value
			}
		}
		return ""
	}
	sys := gitrepo.NewSystem(getenv, e.Env, time.Now)
	return New(f, func(ctx context.Context, branch, from string) (*gitrepo.Remote, error) {
		return gitrepo.OpenRemote(ctx, sys, e.Origin+"/"+e.Path+".git", gitrepo.RemoteOptions{Branch: branch, From: from})
	}), nil
}

func (e errand) run(ctx context.Context) (Outcome, error) {
	k, err := e.keeper()
	if err != nil {
		return Outcome{}, err
	}
	if e.Supersede != "" {
		return k.Supersede(ctx, branch, e.Supersede)
	}
	return k.Keep(ctx, e.Version.proposal())
}

// keep runs with a version, and fails the test unless it ends with a result within a number
// of requests to the forge and in all.
func (s *site) keep(v version, want Result) Outcome {
	s.Helper()
	e := s.errand
	e.Version = v
	return s.do(e, want)
}

func (s *site) do(e errand, want Result) Outcome {
	s.Helper()
	s.front.begin(0, false, nil)
	out, err := e.run(s.Context())
	all, api := s.front.asked()
	if err != nil || out.Result != want {
		s.Fatalf("got %+v, %v, want %s, after\n%s", out, err, want, strings.Join(all, "\n"))
	}
	if quiet := want == Unchanged || want == Declined; quiet && (api > 2 || len(all) > 2) || len(all) > 12 {
		s.Errorf("%s took %d requests:\n%s", want, len(all), strings.Join(all, "\n"))
	}
	return out
}

// supersede closes the pull request.
func (s *site) supersede(why string, want Result) Outcome {
	s.Helper()
	e := s.errand
	e.Supersede = why
	return s.do(e, want)
}

// only gives the only pull request.
func (s *site) only() pull {
	s.Helper()
	all := s.people.pulls()
	if len(all) != 1 {
		s.Fatalf("there are %d pull requests: %+v", len(all), all)
	}
	return all[0]
}

// log gives the subjects of a branch, the newest first, and its tip.
func (s *site) log(branch string) (subjects, tip string) {
	s.Helper()
	return strings.ReplaceAll(strings.TrimSpace(s.git.Git("origin", "log", "--format=%s", branch)), "\n", " < "), strings.TrimSpace(s.git.Git("origin", "rev-parse", branch))
}

// onTop commits as a person on top of a branch, in the repository itself.
func (s *site) onTop(branch, file, content, subject string) {
	s.Helper()
	s.git.Git("work", "fetch", "-q", "../origin", branch)
	s.git.Git("work", "checkout", "-q", "--detach", "FETCH_HEAD")
	s.git.Write("work/"+file, content)
	s.git.Git("work", "add", file)
	s.git.Git("work", "commit", "-q", "-m", subject)
	s.push("HEAD:refs/heads/" + branch)
}

// push pushes from the person's work tree as the forge's own users do.
func (s *site) push(args ...string) {
	s.Helper()
	args = append([]string{"push", "-q"}, append([]string{s.remote()}, args...)...)
	if g, at := s.people.(giteaPeople); at {
		args = append([]string{"-c", "http.sslCAInfo=" + g.owner.CA(), "-c", "http.extraHeader=" + g.owner.Header()}, args...)
	}
	s.git.Git("work", args...)
}

func (s *site) remote() string {
	if g, at := s.people.(giteaPeople); at {
		return g.owner.URL("fleet")
	}
	return "../origin"
}

// fakePeople are those at a server of forgetest.
type fakePeople struct {
	w *gittest.World
	s *forgetest.Server
}

func (p fakePeople) pulls() (all []pull) {
	for _, one := range p.s.Pulls() {
		now := pull{Title: one.Title, Body: one.Body, State: one.State, Draft: one.Draft || strings.HasPrefix(one.Title, "Draft: "), Merges: one.Merges != "", Labels: one.Labels}
		if !one.MergedAt.IsZero() {
			now.State = "merged"
		}
		for _, c := range one.Comments {
			now.Comments = append(now.Comments, c.Body)
		}
		slices.Sort(now.Labels)
		all = append(all, now)
	}
	return all
}
func (p fakePeople) edit(n int, body string) {
	p.s.Change(n, func(one *forgetest.Pull) { one.Body = body })
}
func (p fakePeople) setState(n int, state string) {
	p.s.Change(n, func(one *forgetest.Pull) { one.State = state })
}
func (p fakePeople) label(n int, name string) {
	p.s.Change(n, func(one *forgetest.Pull) { one.Labels = append(one.Labels, name) })
}
func (p fakePeople) comment(n int, body string) {
	p.s.Change(n, func(one *forgetest.Pull) {
		one.Comments = append(one.Comments, forgetest.Comment{Author: "ada", Body: body})
	})
}
func (p fakePeople) merge(n int) {
	p.w.Git("origin", "update-ref", "refs/heads/main", "refs/heads/"+branch)
	p.s.Change(n, func(one *forgetest.Pull) { one.State, one.MergedAt = "closed", time.Unix(1_800_000_000, 0) })
}

// giteaPeople is the owner of a repository at Gitea.
type giteaPeople struct {
	t          *testing.T
	w          *gittest.World
	owner, bot *giteatest.User
}

func (p giteaPeople) do(method, path string, send, answer any) {
	p.t.Helper()
	p.owner.Do(p.t, method, "/repos/"+p.owner.Name+"/fleet/"+path, send, answer)
}

func (p giteaPeople) pulls() (all []pull) {
	var found []struct {
		Title, Body, State string
		Draft, Merged      bool
		Labels             []struct{ Name string }
	}
	p.do("GET", "pulls?state=all&sort=oldest", nil, &found)
	for i, one := range found {
		now := pull{Title: one.Title, Body: one.Body, State: one.State, Draft: one.Draft}
		if one.Merged {
			now.State = "merged"
		}
		for _, label := range one.Labels {
			now.Labels = append(now.Labels, label.Name)
		}
		slices.Sort(now.Labels)
		var said []struct{ Body string }
		p.do("GET", fmt.Sprintf("issues/%d/comments", i+1), nil, &said)
		for _, c := range said {
			now.Comments = append(now.Comments, c.Body)
		}
		all = append(all, now)
	}
	return all
}
func (p giteaPeople) edit(n int, body string) {
	p.do("PATCH", fmt.Sprintf("pulls/%d", n), map[string]string{"body": body}, nil)
}
func (p giteaPeople) setState(n int, state string) {
	p.do("PATCH", fmt.Sprintf("pulls/%d", n), map[string]string{"state": state}, nil)
}
func (p giteaPeople) label(n int, name string) {
	var made struct{ ID int64 }
	p.do("POST", "labels", map[string]string{"name": name, "color": "#ff0000"}, &made)
	p.do("POST", fmt.Sprintf("issues/%d/labels", n), map[string]any{"labels": []int64{made.ID}}, nil)
}
func (p giteaPeople) comment(n int, body string) {
	p.do("POST", fmt.Sprintf("issues/%d/comments", n), map[string]string{"body": body}, nil)
}
func (p giteaPeople) merge(n int) {
	p.do("POST", fmt.Sprintf("pulls/%d/merge", n), map[string]string{"Do": "merge"}, nil)
}
