package forge

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-github/v89/github"
)

// githubForge is a repository at github.com, ghe.com or an Enterprise Server.
type githubForge struct {
	owner, name string
	client      *github.Client
	graphql     string
	account     func(context.Context) (string, error) // of an App; else nil
}

func newGitHub(at Place, base *url.URL, client *http.Client, account func(context.Context) (string, error)) (*githubForge, error) {
	library, err := gitHubClient(base, client)
	if err != nil {
		return nil, err
	}
	g := &githubForge{client: library, graphql: strings.TrimSuffix(base.String(), "v3/") + "graphql", account: account}
	g.owner, g.name = at.owner()
	return g, nil
}

// gitHubClient gives the library for an API. Limits are the transport's.
func gitHubClient(base *url.URL, client *http.Client) (*github.Client, error) {
	api := base.String()
	library, err := github.NewClient(github.WithHTTPClient(client), github.WithURLs(&api, &api), github.WithDisableRateLimitCheck())
	if err != nil {
		return nil, errorf(Other, "%s: %s", base.Host, err)
	}
	return library, nil
}

// Limits implements [Forge]. GitHub refuses longer bodies with "body is too long (maximum
// is 65536 characters)".
func (g *githubForge) Limits() Limits { return Limits{Body: 65536} }

// Account implements [Forge]. The token of an App's installation has no user.
func (g *githubForge) Account(ctx context.Context) (string, error) {
	if g.account != nil {
		return g.account(ctx)
	}
	user, _, err := g.client.Users.Get(ctx, "")
	return user.GetLogin(), said("ask for the account", err)
}

// Find implements [Forge].
func (g *githubForge) Find(ctx context.Context, head string) ([]PullRequest, error) {
	found, _, err := g.client.PullRequests.List(ctx, g.owner, g.name, &github.PullRequestListOptions{
		State: "all", Head: g.owner + ":" + head, Sort: "created", Direction: "desc", ListOptions: github.ListOptions{PerPage: 100},
	})
	if err != nil {
		return nil, said("look for pull requests of "+head, err)
	}
	var all []PullRequest
	for _, one := range found {
		if one.GetHead().GetRef() == head { // an empty filter is none at all
			all = append(all, readGitHub(one))
		}
	}
	return all, nil
}

func readGitHub(p *github.PullRequest) PullRequest {
	pr := PullRequest{
		Number: p.GetNumber(), URL: p.GetHTMLURL(), State: State(p.GetState()), Title: p.GetTitle(), Body: p.GetBody(), Draft: p.GetDraft(),
		Head: p.GetHead().GetRef(), Base: p.GetBase().GetRef(), Commit: p.GetHead().GetSHA(), Author: p.GetUser().GetLogin(), node: p.GetNodeID(),
		MergedAt: p.GetMergedAt().Time, Merges: p.AutoMerge != nil,
	}
	if p.MergedAt != nil {
		pr.State = Merged
	}
	for _, label := range p.Labels {
		pr.Labels = append(pr.Labels, label.GetName())
	}
	pr.Labels = sortLabels(pr.Labels)
	return pr
}

// Open implements [Forge]. Where the repository's plan has no drafts, the pull request
// is none.
// https://docs.github.com/rest/pulls/pulls#create-a-pull-request
func (g *githubForge) Open(ctx context.Context, d Draft) (PullRequest, error) {
	what := "open a pull request of " + d.Head
	made, _, err := g.client.PullRequests.Create(ctx, g.owner, g.name, &github.NewPullRequest{
		Title: &d.Title, Head: &d.Head, Base: &d.Base, Body: &d.Body, Draft: &d.Draft, MaintainerCanModify: new(false),
	})
	if err != nil && d.Draft && strings.Contains(err.Error(), "raft pull requests are not supported") {
		d.Draft = false
		return g.Open(ctx, d)
	}
	if err != nil {
		return PullRequest{}, said(what, err)
	}
	return g.label(ctx, readGitHub(made), Change{Add: d.Labels})
}

// label adds and removes labels. A label that the repository does not have is made by
// adding it.
func (g *githubForge) label(ctx context.Context, pr PullRequest, change Change) (PullRequest, error) {
	if wanted := missing(pr.Labels, change.Add); len(wanted) > 0 {
		if _, _, err := g.client.Issues.AddLabelsToIssue(ctx, g.owner, g.name, pr.Number, wanted); err != nil {
			return pr, said("add labels", err)
		}
	}
	for _, name := range change.Remove {
		if !slices.Contains(pr.Labels, name) {
			continue
		}
		_, err := g.client.Issues.RemoveLabelForIssue(ctx, g.owner, g.name, pr.Number, url.PathEscape(name))
		if err != nil && !isKind(err, NotFound) {
			return pr, said("remove a label", err)
		}
	}
	pr.Labels = relabel(pr.Labels, change)
	return pr, nil
}

// Edit implements [Forge].
func (g *githubForge) Edit(ctx context.Context, pr PullRequest, change Change) (PullRequest, error) {
	if change.Title != nil || change.Body != nil {
		edited, _, err := g.client.PullRequests.Edit(ctx, g.owner, g.name, pr.Number, &github.PullRequest{Title: change.Title, Body: change.Body})
		if err != nil {
			return pr, said("edit the pull request", err)
		}
		pr = readGitHub(edited)
	}
	if change.Draft != nil && *change.Draft != pr.Draft {
		mutation := "markPullRequestReadyForReview"
		if *change.Draft {
			mutation = "convertPullRequestToDraft"
		}
		if err := g.mutate(ctx, mutation, map[string]any{"pullRequestId": pr.node}); err != nil {
			return pr, said("make it a draft, or ready", err)
		}
		pr.Draft = *change.Draft
	}
	return g.label(ctx, pr, change)
}

// mutate does what only GraphQL can.
// https://docs.github.com/graphql/reference/mutations
func (g *githubForge) mutate(ctx context.Context, name string, input map[string]any) error {
	kind := strings.ToUpper(name[:1]) + name[1:] + "Input!"
	req, err := g.client.NewRequest(ctx, http.MethodPost, g.graphql, map[string]any{
		"query":     "mutation($input: " + kind + ") { " + name + "(input: $input) { clientMutationId } }",
		"variables": map[string]any{"input": input},
	})
	if err != nil {
		return err
	}
	var answer struct {
		Errors []struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if _, err := g.client.Do(req, &answer); err != nil {
		return err
	}
	if len(answer.Errors) > 0 { // with status 200
		kind := Refused
		switch answer.Errors[0].Type {
		case "NOT_FOUND":
			kind = NotFound
		case "FORBIDDEN":
			kind = Forbidden
		}
		return errorf(kind, "%s", answer.Errors[0].Message)
	}
	return nil
}

// Close implements [Forge].
func (g *githubForge) Close(ctx context.Context, pr PullRequest) error {
	_, _, err := g.client.PullRequests.Edit(ctx, g.owner, g.name, pr.Number, &github.PullRequest{State: new("closed")})
	return said("close the pull request", err)
}

// Comments implements [Forge].
func (g *githubForge) Comments(ctx context.Context, pr PullRequest) ([]Comment, error) {
	var all []Comment
	for page := 1; page != 0; {
		found, resp, err := g.client.Issues.ListComments(ctx, g.owner, g.name, pr.Number, &github.IssueListCommentsOptions{ListOptions: github.ListOptions{Page: page, PerPage: 100}})
		if err != nil {
			return nil, said("read comments", err)
		}
		for _, one := range found {
			all = append(all, Comment{one.GetUser().GetLogin(), one.GetBody()})
		}
		page = resp.NextPage
	}
	return all, nil
}

// Comment implements [Forge].
func (g *githubForge) Comment(ctx context.Context, pr PullRequest, body string) error {
	_, _, err := g.client.Issues.CreateComment(ctx, g.owner, g.name, pr.Number, &github.IssueComment{Body: &body})
	return said("comment", err)
}

// Merge implements [Forge], in the first way that the repository allows: with a merge
// commit, squashed, rebased.
// https://docs.github.com/graphql/reference/mutations#enablepullrequestautomerge
func (g *githubForge) Merge(ctx context.Context, pr PullRequest) error {
	repository, _, err := g.client.Repositories.Get(ctx, g.owner, g.name)
	if err != nil {
		return said("ask how the repository merges", err)
	}
	method := "REBASE"
	switch {
	case repository.GetAllowMergeCommit():
		method = "MERGE"
	case repository.GetAllowSquashMerge():
		method = "SQUASH"
	}
	return said("have it merged", g.mutate(ctx, "enablePullRequestAutoMerge", map[string]any{
		"pullRequestId": pr.node, "mergeMethod": method, "expectedHeadOid": pr.Commit,
	}))
}

// CancelMerge implements [Forge].
// https://docs.github.com/graphql/reference/mutations#disablepullrequestautomerge
func (g *githubForge) CancelMerge(ctx context.Context, pr PullRequest) error {
	if !pr.Merges {
		return nil
	}
	return said("not have it merged", g.mutate(ctx, "disablePullRequestAutoMerge", map[string]any{"pullRequestId": pr.node}))
}

// missing gives the labels that are wanted and not there.
func missing(there, wanted []string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return slices.Contains(there, name) })
}
