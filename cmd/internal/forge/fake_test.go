package forge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fake is a repository at a forge that cannot run here. Each of its handlers follows the
// page of the forge's documentation that it names, and refuses fields that the page does
// not have.
type fake struct {
	t        *testing.T
	mu       sync.Mutex
	pulls    []*fakePull
	requests []string
}

type fakePull struct {
	number      int
	title, body string
	head, base  string
	state       string // open, closed
	draft       bool
	merges      string // how it merges by itself
	labels      []string
	comments    []string
}

const fakeCommit = "0123456789012345678901234567890123456789"

// read reads a request's body, and fails the test for a field that is not documented.
func (f *fake) read(r *http.Request, into any) {
	f.t.Helper()
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		f.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func (f *fake) find(number string) *fakePull {
	n, _ := strconv.Atoi(number)
	i := slices.IndexFunc(f.pulls, func(p *fakePull) bool { return p.number == n })
	if i < 0 {
		return nil
	}
	return f.pulls[i]
}

// isOpen reports whether there is an open pull request of a branch.
func (f *fake) isOpen(head string) bool {
	return slices.ContainsFunc(f.pulls, func(p *fakePull) bool { return p.head == head && p.state == "open" })
}

// serve answers with a token's owner, and keeps which requests there were.
func (f *fake) serve(authorization string, handler http.Handler) (*httptest.Server, http.RoundTripper) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.requests = append(f.requests, r.Method+" "+r.URL.Path)
		if r.Header.Get("Authorization") != authorization {
			answer(w, http.StatusUnauthorized, map[string]string{"message": "Bad credentials"})
			return
		}
		handler.ServeHTTP(w, r)
	}))
	f.t.Cleanup(s.Close)
	return s, s.Client().Transport
}

// fakeGitHub follows https://docs.github.com/en/rest (version 2022-11-28).
func fakeGitHub(t *testing.T, drafts bool) (*fake, Forge) {
	f := &fake{t: t}
	mux := http.NewServeMux()
	pull := func(p *fakePull) map[string]any {
		labels := []map[string]string{}
		for _, name := range p.labels {
			labels = append(labels, map[string]string{"name": name})
		}
		return map[string]any{
			"number": p.number, "node_id": "PR_" + strconv.Itoa(p.number), "html_url": "https://github.example/o/r/pull/" + strconv.Itoa(p.number), "state": p.state, "title": p.title,
			"body": p.body, "draft": p.draft, "labels": labels, "head": map[string]string{"ref": p.head, "sha": fakeCommit}, "base": map[string]string{"ref": p.base}, "user": map[string]string{"login": "bot"},
		}
	}
	// https://docs.github.com/en/rest/users/users#get-the-authenticated-user
	mux.HandleFunc("GET /api/v3/user", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, map[string]string{"login": "bot"}) })
	// https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
	mux.HandleFunc("GET /api/v3/repos/o/r/pulls", func(w http.ResponseWriter, r *http.Request) {
		found := []map[string]any{}
		for _, p := range slices.Backward(f.pulls) {
			if state := r.URL.Query().Get("state"); r.URL.Query().Get("head") == "o:"+p.head && (state == "all" || state == p.state) {
				found = append(found, pull(p))
			}
		}
		answer(w, 200, found)
	})
	// https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request
	mux.HandleFunc("POST /api/v3/repos/o/r/pulls", func(w http.ResponseWriter, r *http.Request) {
		var sent struct {
			Title, Head, Base, Body string
			Draft                   bool
			Maintainer              bool `json:"maintainer_can_modify"`
		}
		f.read(r, &sent)
		switch {
		case f.isOpen(sent.Head):
			answer(w, 422, map[string]any{"message": "Validation Failed", "errors": []map[string]string{{"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for o:" + sent.Head + "."}}})
			return
		case sent.Draft && !drafts:
			answer(w, 422, map[string]any{"message": "Draft pull requests are not supported in this repository."})
			return
		}
		p := &fakePull{number: len(f.pulls) + 1, title: sent.Title, body: sent.Body, head: sent.Head, base: sent.Base, draft: sent.Draft, state: "open"}
		f.pulls = append(f.pulls, p)
		answer(w, 201, pull(p))
	})
	// https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request
	mux.HandleFunc("PATCH /api/v3/repos/o/r/pulls/{n}", func(w http.ResponseWriter, r *http.Request) {
		var sent struct{ Title, Body, State *string }
		f.read(r, &sent)
		p := f.find(r.PathValue("n"))
		for at, value := range map[*string]*string{&p.title: sent.Title, &p.body: sent.Body, &p.state: sent.State} {
			if value != nil {
				*at = *value
			}
		}
		answer(w, 200, pull(p))
	})
	// https://docs.github.com/en/rest/issues/labels
	mux.HandleFunc("POST /api/v3/repos/o/r/issues/{n}/labels", func(w http.ResponseWriter, r *http.Request) {
		var sent []string
		f.read(r, &sent)
		p := f.find(r.PathValue("n"))
		p.labels = append(p.labels, sent...)
		answer(w, 200, []any{})
	})
	mux.HandleFunc("DELETE /api/v3/repos/o/r/issues/{n}/labels/{name}", func(w http.ResponseWriter, r *http.Request) {
		p := f.find(r.PathValue("n"))
		at := slices.Index(p.labels, r.PathValue("name"))
		if at < 0 {
			answer(w, 404, map[string]string{"message": "Label does not exist"})
			return
		}
		p.labels = slices.Delete(p.labels, at, at+1)
		answer(w, 200, []any{})
	})
	// https://docs.github.com/en/rest/issues/comments; its pages are linked:
	// https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
	mux.HandleFunc("GET /api/v3/repos/o/r/issues/{n}/comments", func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		all := f.find(r.PathValue("n")).comments
		if page < len(all) {
			w.Header().Set("Link", fmt.Sprintf(`<https://%s%s?page=%d>; rel="next"`, r.Host, r.URL.Path, page+1))
		}
		answer(w, 200, []map[string]any{{"body": all[page-1], "user": map[string]string{"login": "bot"}}})
	})
	mux.HandleFunc("POST /api/v3/repos/o/r/issues/{n}/comments", func(w http.ResponseWriter, r *http.Request) {
		var sent struct{ Body string }
		f.read(r, &sent)
		p := f.find(r.PathValue("n"))
		p.comments = append(p.comments, sent.Body)
		answer(w, 201, map[string]any{})
	})
	// https://docs.github.com/en/rest/repos/repos#get-a-repository
	mux.HandleFunc("GET /api/v3/repos/o/r", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, map[string]any{"allow_merge_commit": false, "allow_squash_merge": true, "allow_rebase_merge": true})
	})
	// https://docs.github.com/en/graphql/reference/mutations
	mux.HandleFunc("POST /api/graphql", func(w http.ResponseWriter, r *http.Request) {
		var sent struct {
			Query     string
			Variables struct {
				Input struct {
					PullRequestID string `json:"pullRequestId"`
					MergeMethod   string `json:"mergeMethod"`
					ExpectedHead  string `json:"expectedHeadOid"`
				}
			}
		}
		f.read(r, &sent)
		p := f.find(strings.TrimPrefix(sent.Variables.Input.PullRequestID, "PR_"))
		switch sent.Query {
		case "mutation($input: MarkPullRequestReadyForReviewInput!) { markPullRequestReadyForReview(input: $input) { clientMutationId } }":
			p.draft = false
		case "mutation($input: ConvertPullRequestToDraftInput!) { convertPullRequestToDraft(input: $input) { clientMutationId } }":
			p.draft = true
		case "mutation($input: EnablePullRequestAutoMergeInput!) { enablePullRequestAutoMerge(input: $input) { clientMutationId } }":
			if sent.Variables.Input.ExpectedHead != fakeCommit {
				answer(w, 200, map[string]any{"errors": []map[string]string{{"type": "UNPROCESSABLE", "message": "Head sha does not match"}}})
				return
			}
			p.merges = sent.Variables.Input.MergeMethod
		default:
			f.t.Errorf("unknown query %s", sent.Query)
		}
		answer(w, 200, map[string]any{"data": map[string]any{}})
	})
	s, client := f.serve("Bearer "+canary, mux)
	g, err := Open(Place{GitHub, s.URL, "o/r"}, options(client, GitHub.Authorization(canary)))
	if err != nil {
		t.Fatal(err)
	}
	return f, g
}

// fakeGitLab follows https://docs.gitlab.com/api/.
func fakeGitLab(t *testing.T) (*fake, Forge) {
	f := &fake{t: t}
	mux := http.NewServeMux()
	const project = "/api/v4/projects/group%2Fsub%2Ffleet"
	request := func(p *fakePull) map[string]any {
		state := p.state
		if state == "open" {
			state = "opened"
		}
		return map[string]any{
			"iid": p.number, "web_url": "https://gitlab.example/-/merge_requests/1", "state": state, "title": p.title, "description": p.body, "draft": strings.HasPrefix(p.title, "Draft: "),
			"labels": p.labels, "source_branch": p.head, "target_branch": p.base, "sha": fakeCommit, "author": map[string]string{"username": "bot"}, "source_project_id": 1, "target_project_id": 1,
		}
	}
	list := func(text string) []string {
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
	}
	// https://docs.gitlab.com/api/users/#retrieve-the-current-user
	mux.HandleFunc("GET /api/v4/user", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, map[string]string{"username": "bot"})
	})
	// https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests
	list1 := func(w http.ResponseWriter, r *http.Request) {
		found := []map[string]any{}
		for _, p := range slices.Backward(f.pulls) {
			if p.head == r.URL.Query().Get("source_branch") {
				found = append(found, request(p))
			}
		}
		answer(w, 200, found)
	}
	// https://docs.gitlab.com/api/merge_requests/#create-mr
	create := func(w http.ResponseWriter, r *http.Request) {
		var sent struct {
			Source      string `json:"source_branch"`
			Target      string `json:"target_branch"`
			Title       string `json:"title"`
			Description string `json:"description"`
			Labels      string `json:"labels"`
		}
		f.read(r, &sent)
		if f.isOpen(sent.Source) {
			answer(w, 409, map[string][]string{"message": {"Another open merge request already exists for this source branch: !1"}})
			return
		}
		p := &fakePull{number: len(f.pulls) + 1, title: sent.Title, body: sent.Description, head: sent.Source, base: sent.Target, labels: list(sent.Labels), state: "open"}
		f.pulls = append(f.pulls, p)
		answer(w, 201, request(p))
	}
	// https://docs.gitlab.com/api/merge_requests/#update-mr
	update := func(w http.ResponseWriter, r *http.Request, p *fakePull) {
		var sent struct {
			Title       *string
			Description *string
			Add         string `json:"add_labels"`
			Remove      string `json:"remove_labels"`
			Event       string `json:"state_event"`
		}
		f.read(r, &sent)
		if sent.Title != nil {
			p.title = *sent.Title
		}
		if sent.Description != nil {
			p.body = *sent.Description
		}
		p.labels = slices.DeleteFunc(append(p.labels, list(sent.Add)...), func(name string) bool { return slices.Contains(list(sent.Remove), name) })
		if sent.Event == "close" {
			p.state = "closed"
		}
		answer(w, 200, request(p))
	}
	// https://docs.gitlab.com/api/notes/#list-all-merge-request-notes, with pages as in
	// https://docs.gitlab.com/api/rest/#pagination
	notes := func(w http.ResponseWriter, r *http.Request, p *fakePull) {
		if r.Method == http.MethodPost {
			var sent struct{ Body string }
			f.read(r, &sent)
			p.comments = append(p.comments, sent.Body)
			answer(w, 201, map[string]any{})
			return
		}
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		w.Header().Set("X-Next-Page", "")
		if page < len(p.comments) {
			w.Header().Set("X-Next-Page", strconv.Itoa(page+1))
		}
		answer(w, 200, []map[string]any{
			{"body": "changed the description", "system": true, "author": map[string]string{"username": "bot"}},
			{"body": p.comments[page-1], "system": false, "author": map[string]string{"username": "bot"}},
		})
	}
	// https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request
	merge := func(w http.ResponseWriter, r *http.Request, p *fakePull) {
		var sent struct {
			SHA   string
			Auto  bool `json:"auto_merge"`
			Older bool `json:"merge_when_pipeline_succeeds"`
		}
		f.read(r, &sent)
		if sent.SHA != fakeCommit {
			answer(w, 409, map[string]string{"message": "SHA does not match HEAD of source branch"})
			return
		}
		p.merges = "auto"
		answer(w, 200, request(p))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		rest, found := strings.CutPrefix(r.URL.EscapedPath(), project+"/merge_requests")
		parts := strings.Split(strings.TrimPrefix(rest, "/"), "/")
		p := f.find(parts[0])
		switch {
		case !found:
			answer(w, 404, map[string]string{"message": "404 Project Not Found"})
		case rest == "" && r.Method == http.MethodGet:
			list1(w, r)
		case rest == "" && r.Method == http.MethodPost:
			create(w, r)
		case p == nil:
			answer(w, 404, map[string]string{"message": "404 Not found"})
		case len(parts) == 1 && r.Method == http.MethodPut:
			update(w, r, p)
		case len(parts) == 2 && parts[1] == "notes":
			notes(w, r, p)
		case len(parts) == 2 && parts[1] == "merge" && r.Method == http.MethodPut:
			merge(w, r, p)
		default:
			f.t.Errorf("%s %s is not documented", r.Method, r.URL)
		}
	})
	s, client := f.serve("Bearer "+canary, mux)
	remote, _ := url.JoinPath(s.URL, "group/sub/fleet.git")
	place, err := Locate(remote, GitLab, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	g, err := Open(place, options(client, GitLab.Authorization(canary)))
	if err != nil {
		t.Fatal(err)
	}
	return f, g
}
