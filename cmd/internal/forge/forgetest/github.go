package forgetest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// GitHubRepository is the path of the repository at [GitHub].
const GitHubRepository = "o/r"

// GitHub serves an Enterprise Server as https://docs.github.com/en/rest (version 2022-11-28)
// describes it.
func GitHub(t testing.TB, o Options) *Server {
	return serve(t, o, func(s *Server) http.Handler {
		g := github{s}
		mux := http.NewServeMux()
		// https://docs.github.com/en/rest/users/users#get-the-authenticated-user
		mux.HandleFunc("GET /api/v3/user", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, map[string]string{"login": Account}) })
		const repository = " /api/v3/repos/" + GitHubRepository
		// https://docs.github.com/en/rest/repos/repos#get-a-repository
		mux.HandleFunc("GET"+repository, func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, map[string]any{"allow_merge_commit": false, "allow_squash_merge": true, "allow_rebase_merge": true})
		})
		mux.HandleFunc("GET"+repository+"/pulls", g.list)
		mux.HandleFunc("POST"+repository+"/pulls", g.create)
		mux.HandleFunc("PATCH"+repository+"/pulls/{n}", g.update)
		mux.HandleFunc("POST"+repository+"/issues/{n}/labels", g.addLabels)
		mux.HandleFunc("DELETE"+repository+"/issues/{n}/labels/{name}", g.removeLabel)
		mux.HandleFunc("GET"+repository+"/issues/{n}/comments", g.comments)
		mux.HandleFunc("POST"+repository+"/issues/{n}/comments", g.comment)
		mux.HandleFunc("POST /api/graphql", g.mutate)
		if o.App != nil {
			o.App.serve(s, mux)
		}
		return mux
	})
}

type github struct{ *Server }

func (g github) pull(p *Pull, number int) map[string]any {
	labels := []map[string]string{}
	for _, name := range p.Labels {
		labels = append(labels, map[string]string{"name": name})
	}
	var merges any
	if p.Merges != "" {
		merges = map[string]string{"merge_method": strings.ToLower(p.Merges)}
	}
	return map[string]any{
		"number": number, "node_id": "PR_" + strconv.Itoa(number), "html_url": "https://github.example/o/r/pull/" + strconv.Itoa(number), "state": p.State, "title": p.Title,
		"body": p.Body, "draft": p.Draft, "labels": labels, "head": map[string]string{"ref": p.Head, "sha": g.commitOf(p)}, "base": map[string]string{"ref": p.Base},
		"user": map[string]string{"login": p.Author}, "merged_at": p.mergedAt(), "auto_merge": merges,
	}
}

// list follows https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
func (g github) list(w http.ResponseWriter, r *http.Request) {
	found := []map[string]any{}
	for i, p := range slices.Backward(g.pulls) {
		if state := r.URL.Query().Get("state"); r.URL.Query().Get("head") == "o:"+p.Head && (state == "all" || state == p.State) {
			found = append(found, g.pull(p, i+1))
		}
	}
	answer(w, 200, found)
}

// create follows https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request
func (g github) create(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Title, Head, Base, Body string
		Draft                   bool
		Maintainer              bool `json:"maintainer_can_modify"`
	}
	g.read(r, &sent)
	switch {
	case g.isOpen(sent.Head):
		answer(w, 422, map[string]any{"message": "Validation Failed", "errors": []map[string]string{{"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for o:" + sent.Head + "."}}})
		return
	case sent.Draft && g.o.NoDrafts:
		answer(w, 422, map[string]any{"message": "Draft pull requests are not supported in this repository."})
		return
	case g.refuseBody(w, sent.Body):
		return
	}
	p, number := g.add(Pull{Title: sent.Title, Body: sent.Body, Head: sent.Head, Base: sent.Base, Draft: sent.Draft})
	answer(w, 201, g.pull(p, number))
}

// refuseBody refuses a body of more than 65,536 characters.
func (g github) refuseBody(w http.ResponseWriter, body string) bool {
	if !tooLong(body, 65536) {
		return false
	}
	answer(w, 422, map[string]any{"message": "Validation Failed", "errors": []map[string]string{{"resource": "Issue", "code": "custom", "field": "body", "message": "body is too long (maximum is 65536 characters)"}}})
	return true
}

// update follows https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request
func (g github) update(w http.ResponseWriter, r *http.Request) {
	var sent struct{ Title, Body, State *string }
	g.read(r, &sent)
	p, number := g.find(r.PathValue("n"))
	if sent.Body != nil && g.refuseBody(w, *sent.Body) {
		return
	}
	for at, value := range map[*string]*string{&p.Title: sent.Title, &p.Body: sent.Body, &p.State: sent.State} {
		if value != nil {
			*at = *value
		}
	}
	answer(w, 200, g.pull(p, number))
}

// addLabels follows https://docs.github.com/en/rest/issues/labels#add-labels-to-an-issue
func (g github) addLabels(w http.ResponseWriter, r *http.Request) {
	var sent []string
	g.read(r, &sent)
	p, _ := g.find(r.PathValue("n"))
	p.Labels = append(p.Labels, sent...)
	answer(w, 200, []any{})
}

// removeLabel follows https://docs.github.com/en/rest/issues/labels#remove-a-label-from-an-issue
func (g github) removeLabel(w http.ResponseWriter, r *http.Request) {
	p, _ := g.find(r.PathValue("n"))
	at := slices.Index(p.Labels, r.PathValue("name"))
	if at < 0 {
		answer(w, 404, map[string]string{"message": "Label does not exist"})
		return
	}
	p.Labels = slices.Delete(p.Labels, at, at+1)
	answer(w, 200, []any{})
}

// comments follows https://docs.github.com/en/rest/issues/comments#list-issue-comments with pages
// of one comment, which are linked as in
// https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
func (g github) comments(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	p, _ := g.find(r.PathValue("n"))
	if page < len(p.Comments) {
		w.Header().Set("Link", fmt.Sprintf(`<https://%s%s?page=%d>; rel="next"`, r.Host, r.URL.Path, page+1))
	}
	found := []map[string]any{}
	if page <= len(p.Comments) {
		one := p.Comments[page-1]
		found = append(found, map[string]any{"body": one.Body, "user": map[string]string{"login": one.Author}})
	}
	answer(w, 200, found)
}

// comment follows https://docs.github.com/en/rest/issues/comments#create-an-issue-comment
func (g github) comment(w http.ResponseWriter, r *http.Request) {
	var sent struct{ Body string }
	g.read(r, &sent)
	p, _ := g.find(r.PathValue("n"))
	p.Comments = append(p.Comments, Comment{Account, sent.Body})
	answer(w, 201, map[string]any{})
}

// mutate follows https://docs.github.com/en/graphql/reference/mutations
func (g github) mutate(w http.ResponseWriter, r *http.Request) {
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
	g.read(r, &sent)
	p, _ := g.find(strings.TrimPrefix(sent.Variables.Input.PullRequestID, "PR_"))
	problem := ""
	switch sent.Query {
	case "mutation($input: MarkPullRequestReadyForReviewInput!) { markPullRequestReadyForReview(input: $input) { clientMutationId } }":
		p.Draft = false
	case "mutation($input: ConvertPullRequestToDraftInput!) { convertPullRequestToDraft(input: $input) { clientMutationId } }":
		if p.Draft = !g.o.NoDrafts; g.o.NoDrafts {
			problem = "Draft pull requests are not supported in this repository."
		}
	case "mutation($input: EnablePullRequestAutoMergeInput!) { enablePullRequestAutoMerge(input: $input) { clientMutationId } }":
		if sent.Variables.Input.ExpectedHead != g.commitOf(p) {
			problem = "Head sha does not match"
			break
		}
		p.Merges = sent.Variables.Input.MergeMethod
	case "mutation($input: DisablePullRequestAutoMergeInput!) { disablePullRequestAutoMerge(input: $input) { clientMutationId } }":
		p.Merges = ""
	default:
		g.t.Errorf("unknown query %s", sent.Query)
	}
	if problem != "" {
		answer(w, 200, map[string]any{"errors": []map[string]string{{"type": "UNPROCESSABLE", "message": problem}}})
		return
	}
	answer(w, 200, map[string]any{"data": map[string]any{}})
}
