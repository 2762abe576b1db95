// Package forgetest serves, for tests, a repository at a forge that cannot run here: GitHub
// or GitLab. Each handler follows the page of the forge's documentation that it cites, and
// fails the test for a field or a request that the page does not have.
//
// A test is a person there with [Server.Change].
package forgetest

import (
	"cmp"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Account is the account that the token belongs to.
const Account = "bot"

// Commit is the commit of every branch of a server without [Options.Tip].
const Commit = "0123456789012345678901234567890123456789"

// Options say how a server is set up. The zero value is a common repository.
type Options struct {
	Token    string                     // the only one that is taken, as Authorization: Bearer
	App      *App                       // in place of Token, at GitHub
	Folder   string                     // the path of the server's URL, such as /gitlab; empty: none
	NoDrafts bool                       // the repository's plan has no drafts (GitHub)
	Tip      func(branch string) string // gives the commit of a branch, "" where there is none; [Commit] if nil
}

// Pull is a pull request as the server has it. Each has a number that is its place, from 1.
type Pull struct {
	Title, Body string // GitLab's title of a draft begins with "Draft: "
	Head, Base  string
	Author      string
	State       string // open, closed
	Draft       bool   // GitHub's
	Merges      string // how the forge merges it by itself; empty if it does not
	MergedAt    time.Time
	Labels      []string
	Comments    []Comment

	commit string // that was given last
}

// Comment holds the words of an account.
type Comment struct{ Author, Body string }

// Server is a repository at a forge.
type Server struct {
	URL    string            // the origin, and the folder
	Client http.RoundTripper // trusts the server's certificate
	CA     []byte            // that certificate, in PEM form

	t        testing.TB
	o        Options
	mu       sync.Mutex
	pulls    []*Pull
	requests []string
	logins   []string
	issued   []issued
}

// Change has a person change a pull request.
func (s *Server) Change(number int, change func(*Pull)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.pulls[number-1])
}

// Pulls gives all pull requests, the oldest first, as they are now.
func (s *Server) Pulls() []Pull {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Pull
	for _, p := range s.pulls {
		one := *p
		one.Labels, one.Comments = slices.Clone(p.Labels), slices.Clone(p.Comments)
		all = append(all, one)
	}
	return all
}

// Requests gives the requests since the last call, as "METHOD path".
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.requests
	s.requests = nil
	return asked
}

// Logins gives the headers Authorization of all requests.
func (s *Server) Logins() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logins)
}

// serve answers the owner of the token, one request at a time.
func serve(t testing.TB, o Options, handlers func(*Server) http.Handler) *Server {
	f := &Server{t: t, o: o}
	handler := handlers(f)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.requests = append(f.requests, r.Method+" "+r.URL.Path)
		f.logins = append(f.logins, r.Header.Get("Authorization"))
		if problem := f.refuse(r); problem != "" {
			answer(w, http.StatusUnauthorized, map[string]string{"message": problem})
			return
		}
		http.StripPrefix(o.Folder, handler).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	f.URL, f.Client = s.URL+o.Folder, s.Client().Transport
	f.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return f
}

// refuse says what is wrong with the login of a request.
func (s *Server) refuse(r *http.Request) string {
	login, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !bearer:
		return "Requires authentication"
	case s.o.App != nil:
		return s.o.App.refuse(s, r, login)
	case login != s.o.Token:
		return "Bad credentials"
	}
	return ""
}

// read reads a request's body, and fails the test for a field that is not documented.
func (s *Server) read(r *http.Request, into any) {
	s.t.Helper()
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		s.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

// find gives a pull request and its number, or nil.
func (s *Server) find(number string) (*Pull, int) {
	n, _ := strconv.Atoi(number)
	if n < 1 || n > len(s.pulls) {
		return nil, n
	}
	return s.pulls[n-1], n
}

// add opens a pull request of the token's account.
func (s *Server) add(p Pull) (*Pull, int) {
	p.Author, p.State = Account, "open"
	s.pulls = append(s.pulls, &p)
	return &p, len(s.pulls)
}

// isOpen reports whether there is an open pull request of a branch.
func (s *Server) isOpen(head string) bool {
	return slices.ContainsFunc(s.pulls, func(p *Pull) bool { return p.Head == head && p.State == "open" })
}

// commitOf gives the head's commit. That of a pull request that is closed, or whose branch is
// gone, stays what it was.
func (s *Server) commitOf(p *Pull) string {
	switch {
	case s.o.Tip == nil:
		return Commit
	case p.State == "open" || p.commit == "":
		p.commit = cmp.Or(s.o.Tip(p.Head), p.commit)
	}
	return p.commit
}

// mergedAt gives the time of a merge as APIs do, null where there was none.
func (p *Pull) mergedAt() *string {
	if p.MergedAt.IsZero() {
		return nil
	}
	return new(p.MergedAt.Format(time.RFC3339))
}

// tooLong reports whether a body has more characters than a forge takes.
func tooLong(body string, limit int) bool { return strings.Count(body, "")-1 > limit }
