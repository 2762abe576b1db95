package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// gitlab is a project at GitLab. Its client library moves modules that Kubernetes' own
// libraries pin, and seven calls are needed.
type gitlab struct {
	at     Place
	base   *url.URL
	client *http.Client
}

// mergeRequest is what we read of one.
// https://docs.gitlab.com/api/merge_requests/
type mergeRequest struct {
	IID         int        `json:"iid"`
	WebURL      string     `json:"web_url"`
	State       string     `json:"state"` // opened, closed, locked (while it is merged), merged
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Draft       bool       `json:"draft"`
	Labels      []string   `json:"labels"`
	Source      string     `json:"source_branch"`
	Target      string     `json:"target_branch"`
	SHA         string     `json:"sha"`
	Author      account    `json:"author"`
	SourceID    int        `json:"source_project_id"`
	TargetID    int        `json:"target_project_id"`
	MergedAt    *time.Time `json:"merged_at"`
	Merges      bool       `json:"merge_when_pipeline_succeeds"` // auto-merge is set
}

type account struct {
	Username string `json:"username"`
}

const draftPrefix = "Draft: "

// do asks the API of the project, and reads the answer where there is one to read. It
// returns the number of the next page, or "".
func (g *gitlab) do(ctx context.Context, method, path string, query url.Values, send, answer any) (string, error) {
	at := g.base.String() + "projects/" + url.PathEscape(g.at.Path) + path
	if path == "/user" { // is not the project's
		at = g.base.String() + "user"
	}
	if query != nil {
		at += "?" + query.Encode()
	}
	var content io.Reader
	if send != nil {
		raw, err := json.Marshal(send)
		if err != nil {
			return "", err
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, at, content)
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := g.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return "", errorf(Other, "%s answers %s", g.base.Host, resp.Status)
	}
	if answer != nil {
		if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
			return "", errorf(Other, "%s sent something that is no answer of GitLab", g.base.Host)
		}
	}
	return resp.Header.Get("X-Next-Page"), nil
}

// Limits implements [Forge].
// https://docs.gitlab.com/administration/instance_limits/#size-of-comments-and-descriptions-of-issues-merge-requests-and-epics
// https://docs.gitlab.com/user/project/merge_requests/drafts/
func (g *gitlab) Limits() Limits { return Limits{Body: 1_000_000, DraftPrefix: draftPrefix} }

// Account implements [Forge].
func (g *gitlab) Account(ctx context.Context) (string, error) {
	var user account
	_, err := g.do(ctx, http.MethodGet, "/user", nil, nil, &user)
	return user.Username, said("ask for the account", err)
}

// Find implements [Forge]. Branches of forks with the same name are others.
func (g *gitlab) Find(ctx context.Context, head string) ([]PullRequest, error) {
	var found []mergeRequest
	query := url.Values{"source_branch": {head}, "order_by": {"created_at"}, "sort": {"desc"}, "per_page": {"100"}}
	if _, err := g.do(ctx, http.MethodGet, "/merge_requests", query, nil, &found); err != nil {
		return nil, said("look for merge requests of "+head, err)
	}
	var all []PullRequest
	for _, one := range found {
		if one.Source == head && one.SourceID == one.TargetID {
			all = append(all, one.read())
		}
	}
	return all, nil
}

func (m mergeRequest) read() PullRequest {
	pr := PullRequest{
		Number: m.IID, URL: m.WebURL, State: State(m.State), Title: strings.TrimPrefix(m.Title, draftPrefix), Body: m.Description, Draft: m.Draft,
		Labels: sortLabels(m.Labels), Head: m.Source, Base: m.Target, Commit: m.SHA, Author: m.Author.Username,
		Merges: m.Merges,
	}
	if m.MergedAt != nil {
		pr.MergedAt = *m.MergedAt
	}
	if pr.State == "opened" || pr.State == "locked" {
		pr.State = Opened
	}
	return pr
}

// Open implements [Forge]. A label that the project does not have is made.
func (g *gitlab) Open(ctx context.Context, d Draft) (PullRequest, error) {
	var made mergeRequest
	_, err := g.do(ctx, http.MethodPost, "/merge_requests", nil, map[string]any{
		"source_branch": d.Head, "target_branch": d.Base, "title": g.title(d.Title, d.Draft), "description": d.Body, "labels": strings.Join(d.Labels, ","),
	}, &made)
	return made.read(), said("open a merge request of "+d.Head, err)
}

func (g *gitlab) title(title string, draft bool) string {
	if draft {
		return draftPrefix + title
	}
	return title
}

// Edit implements [Forge].
func (g *gitlab) Edit(ctx context.Context, pr PullRequest, change Change) (PullRequest, error) {
	send := map[string]any{}
	title, draft := pr.Title, pr.Draft
	if change.Title != nil {
		title = *change.Title
	}
	if change.Draft != nil {
		draft = *change.Draft
	}
	if title != pr.Title || draft != pr.Draft {
		send["title"] = g.title(title, draft)
	}
	if change.Body != nil {
		send["description"] = *change.Body
	}
	if add := missing(pr.Labels, change.Add); len(add) > 0 {
		send["add_labels"] = strings.Join(add, ",")
	}
	if len(change.Remove) > 0 {
		send["remove_labels"] = strings.Join(change.Remove, ",")
	}
	if len(send) == 0 {
		return pr, nil
	}
	return g.put(ctx, pr, "edit the merge request", send)
}

func (g *gitlab) put(ctx context.Context, pr PullRequest, what string, send map[string]any) (PullRequest, error) {
	var edited mergeRequest
	if _, err := g.do(ctx, http.MethodPut, "/merge_requests/"+strconv.Itoa(pr.Number), nil, send, &edited); err != nil {
		return pr, said(what, err)
	}
	return edited.read(), nil
}

// Close implements [Forge].
func (g *gitlab) Close(ctx context.Context, pr PullRequest) error {
	_, err := g.put(ctx, pr, "close the merge request", map[string]any{"state_event": "close"})
	return err
}

// Comments implements [Forge]. What GitLab itself notes of a merge request is left out.
// https://docs.gitlab.com/api/notes/#list-all-merge-request-notes
func (g *gitlab) Comments(ctx context.Context, pr PullRequest) ([]Comment, error) {
	var all []Comment
	for page := "1"; page != ""; {
		var found []struct {
			Author account `json:"author"`
			Body   string  `json:"body"`
			System bool    `json:"system"`
		}
		var err error
		query := url.Values{"sort": {"asc"}, "order_by": {"created_at"}, "per_page": {"100"}, "page": {page}}
		page, err = g.do(ctx, http.MethodGet, "/merge_requests/"+strconv.Itoa(pr.Number)+"/notes", query, nil, &found)
		if err != nil {
			return nil, said("read comments", err)
		}
		for _, one := range found {
			if !one.System {
				all = append(all, Comment{one.Author.Username, one.Body})
			}
		}
	}
	return all, nil
}

// Comment implements [Forge].
func (g *gitlab) Comment(ctx context.Context, pr PullRequest, body string) error {
	_, err := g.do(ctx, http.MethodPost, "/merge_requests/"+strconv.Itoa(pr.Number)+"/notes", nil, map[string]string{"body": body}, nil)
	return said("comment", err)
}

// Merge implements [Forge]. GitLab before 17.11 knows only the older of the two names.
// https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request
func (g *gitlab) Merge(ctx context.Context, pr PullRequest) error {
	_, err := g.do(ctx, http.MethodPut, "/merge_requests/"+strconv.Itoa(pr.Number)+"/merge", nil, map[string]any{
		"sha": pr.Commit, "auto_merge": true, "merge_when_pipeline_succeeds": true,
	}, nil)
	var known *Error
	if errors.As(err, &known) && known.Kind == Exists { // 409: sha is not that of the branch any more
		err = errorf(Refused, "%s: the branch has another commit by now", g.base.Host)
	}
	return said("have it merged", err)
}

// CancelMerge implements [Forge].
// https://docs.gitlab.com/api/merge_requests/#cancel-merge-when-pipeline-succeeds
func (g *gitlab) CancelMerge(ctx context.Context, pr PullRequest) error {
	if !pr.Merges {
		return nil
	}
	_, err := g.do(ctx, http.MethodPost, "/merge_requests/"+strconv.Itoa(pr.Number)+"/cancel_merge_when_pipeline_succeeds", nil, nil, nil)
	return said("not have it merged", err)
}
