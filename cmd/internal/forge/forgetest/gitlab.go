package forgetest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// GitLabProject is the path of the project at [GitLab].
const GitLabProject = "group/sub/fleet"

// GitLab serves a project as https://docs.gitlab.com/api/ describes it.
func GitLab(t testing.TB, o Options) *Server {
	return serve(t, o, func(s *Server) http.Handler {
		g := gitlab{s}
		mux := http.NewServeMux()
		// https://docs.gitlab.com/api/users/#retrieve-the-current-user
		mux.HandleFunc("GET /api/v4/user", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, map[string]string{"username": Account})
		})
		mux.HandleFunc("/", g.route)
		return mux
	})
}

type gitlab struct{ *Server }

// route finds the handler for a path, in which the project's slashes are escaped.
func (g gitlab) route(w http.ResponseWriter, r *http.Request) {
	rest, found := strings.CutPrefix(r.URL.EscapedPath(), "/api/v4/projects/"+strings.ReplaceAll(GitLabProject, "/", "%2F")+"/merge_requests")
	parts := strings.Split(strings.TrimPrefix(rest, "/"), "/")
	p, number := g.find(parts[0])
	switch {
	case !found:
		answer(w, 404, map[string]string{"message": "404 Project Not Found"})
	case rest == "" && r.Method == http.MethodGet:
		g.list(w, r)
	case rest == "" && r.Method == http.MethodPost:
		g.create(w, r)
	case p == nil:
		answer(w, 404, map[string]string{"message": "404 Not found"})
	case len(parts) == 1 && r.Method == http.MethodPut:
		g.update(w, r, p, number)
	case len(parts) == 2 && parts[1] == "notes" && r.Method == http.MethodGet:
		g.notes(w, r, p)
	case len(parts) == 2 && parts[1] == "notes" && r.Method == http.MethodPost:
		g.note(w, r, p)
	case len(parts) == 2 && parts[1] == "merge" && r.Method == http.MethodPut:
		g.merge(w, r, p, number)
	case len(parts) == 2 && parts[1] == "cancel_merge_when_pipeline_succeeds" && r.Method == http.MethodPost:
		// https://docs.gitlab.com/api/merge_requests/#cancel-merge-when-pipeline-succeeds
		p.Merges = ""
		answer(w, 201, map[string]string{"status": "success"})
	default:
		g.t.Errorf("%s %s is not documented", r.Method, r.URL)
	}
}

func (g gitlab) request(p *Pull, number int) map[string]any {
	state := p.State
	switch {
	case !p.MergedAt.IsZero():
		state = "merged"
	case state == "open":
		state = "opened"
	}
	return map[string]any{
		"iid": number, "web_url": "https://gitlab.example/-/merge_requests/" + strconv.Itoa(number), "state": state, "title": p.Title, "description": p.Body,
		"draft": strings.HasPrefix(p.Title, "Draft: "), "labels": append([]string{}, p.Labels...), "source_branch": p.Head, "target_branch": p.Base, "sha": g.commitOf(p),
		"author": map[string]string{"username": p.Author}, "source_project_id": 1, "target_project_id": 1, "merged_at": p.mergedAt(), "merge_when_pipeline_succeeds": p.Merges != "",
	}
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

// list follows https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests
func (g gitlab) list(w http.ResponseWriter, r *http.Request) {
	found := []map[string]any{}
	for i, p := range slices.Backward(g.pulls) {
		if p.Head == r.URL.Query().Get("source_branch") {
			found = append(found, g.request(p, i+1))
		}
	}
	answer(w, 200, found)
}

// create follows https://docs.gitlab.com/api/merge_requests/#create-mr
func (g gitlab) create(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Source      string `json:"source_branch"`
		Target      string `json:"target_branch"`
		Title       string `json:"title"`
		Description string `json:"description"`
		Labels      string `json:"labels"`
	}
	g.read(r, &sent)
	switch {
	case g.isOpen(sent.Source):
		answer(w, 409, map[string][]string{"message": {"Another open merge request already exists for this source branch: !1"}})
		return
	case g.refuseBody(w, sent.Description):
		return
	}
	p, number := g.add(Pull{Title: sent.Title, Body: sent.Description, Head: sent.Source, Base: sent.Target, Labels: list(sent.Labels)})
	answer(w, 201, g.request(p, number))
}

// refuseBody refuses a body of more characters than
// https://docs.gitlab.com/administration/instance_limits/ says.
func (g gitlab) refuseBody(w http.ResponseWriter, body string) bool {
	if !tooLong(body, 1_000_000) {
		return false
	}
	answer(w, 400, map[string]any{"message": []string{"Description is too long (maximum is 1000000 characters)"}})
	return true
}

// update follows https://docs.gitlab.com/api/merge_requests/#update-mr
func (g gitlab) update(w http.ResponseWriter, r *http.Request, p *Pull, number int) {
	var sent struct {
		Title       *string
		Description *string
		Add         string `json:"add_labels"`
		Remove      string `json:"remove_labels"`
		Event       string `json:"state_event"`
	}
	g.read(r, &sent)
	if sent.Description != nil && g.refuseBody(w, *sent.Description) {
		return
	}
	for at, value := range map[*string]*string{&p.Title: sent.Title, &p.Body: sent.Description} {
		if value != nil {
			*at = *value
		}
	}
	p.Labels = slices.DeleteFunc(append(p.Labels, list(sent.Add)...), func(name string) bool { return slices.Contains(list(sent.Remove), name) })
	if sent.Event == "close" {
		p.State = "closed"
	}
	answer(w, 200, g.request(p, number))
}

// notes follows https://docs.gitlab.com/api/notes/#list-all-merge-request-notes with pages of
// one comment as in https://docs.gitlab.com/api/rest/#pagination
func (g gitlab) notes(w http.ResponseWriter, r *http.Request, p *Pull) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	w.Header().Set("X-Next-Page", "")
	if page < len(p.Comments) {
		w.Header().Set("X-Next-Page", strconv.Itoa(page+1))
	}
	found := []map[string]any{{"body": "changed the description", "system": true, "author": map[string]string{"username": Account}}}
	if page <= len(p.Comments) {
		one := p.Comments[page-1]
		found = append(found, map[string]any{"body": one.Body, "system": false, "author": map[string]string{"username": one.Author}})
	}
	answer(w, 200, found)
}

// note follows https://docs.gitlab.com/api/notes/#create-a-merge-request-note
func (g gitlab) note(w http.ResponseWriter, r *http.Request, p *Pull) {
	var sent struct{ Body string }
	g.read(r, &sent)
	p.Comments = append(p.Comments, Comment{Account, sent.Body})
	answer(w, 201, map[string]any{})
}

// merge follows https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request
func (g gitlab) merge(w http.ResponseWriter, r *http.Request, p *Pull, number int) {
	var sent struct {
		SHA   string
		Auto  bool `json:"auto_merge"`
		Older bool `json:"merge_when_pipeline_succeeds"`
	}
	g.read(r, &sent)
	if sent.SHA != g.commitOf(p) {
		answer(w, 409, map[string]string{"message": "SHA does not match HEAD of source branch"})
		return
	}
	p.Merges = "auto"
	answer(w, 200, g.request(p, number))
}
