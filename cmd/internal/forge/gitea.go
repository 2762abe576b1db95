package forge

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"code.gitea.io/sdk/gitea"
)

// giteaForge is a repository at Gitea or Forgejo.
type giteaForge struct {
	at     Place
	client *http.Client
	page   int // how many pull requests are asked for at a time; the server has its own limit

	mu     sync.Mutex
	all    []PullRequest // the pull requests of this repository's own branches, the newest first
	listed bool
}

// library gives a client for a call: a context is a client's there.
func (g *giteaForge) library(ctx context.Context) (client *gitea.Client, owner, name string, err error) {
	owner, name = g.at.owner()
	client, err = gitea.NewClient(g.at.Origin, gitea.SetContext(ctx), gitea.SetHTTPClient(g.client), gitea.SetGiteaVersion(""))
	return client, owner, name, err
}

// wipPrefix makes a pull request a draft: https://docs.gitea.com/usage/issues-prs/pull-request
const wipPrefix = "WIP: "

// Limits implements [Forge]. No limit of bodies is documented: a common server takes a
// million characters.
func (g *giteaForge) Limits() Limits { return Limits{Body: 1_000_000, DraftPrefix: wipPrefix} }

// Account implements [Forge].
func (g *giteaForge) Account(ctx context.Context) (string, error) {
	client, _, _, err := g.library(ctx)
	if err != nil {
		return "", said("ask for the account", err)
	}
	user, _, err := client.GetMyUserInfo()
	if err != nil {
		return "", said("ask for the account", err)
	}
	return user.UserName, nil
}

// Find implements [Forge]. The API has no filter for branches, so all pull requests are
// listed once, and kept: those that are opened here are added.
func (g *giteaForge) Find(ctx context.Context, head string) ([]PullRequest, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.listed {
		if err := g.list(ctx); err != nil {
			return nil, said("look for pull requests of "+head, err)
		}
	}
	var some []PullRequest
	for _, one := range g.all {
		if one.Head == head {
			some = append(some, one)
		}
	}
	return some, nil
}

func (g *giteaForge) list(ctx context.Context) error {
	client, owner, name, err := g.library(ctx)
	if err != nil {
		return err
	}
	var all []PullRequest
	for page := 1; page != 0; {
		found, resp, err := client.ListRepoPullRequests(owner, name, gitea.ListPullRequestsOptions{State: gitea.StateAll, ListOptions: gitea.ListOptions{Page: page, PageSize: g.page}})
		if err != nil {
			return err
		}
		for _, one := range found {
			if one.Head != nil && one.Base != nil && one.Head.RepoID == one.Base.RepoID {
				all = append(all, readGitea(one))
			}
		}
		page = resp.NextPage
	}
	slices.SortStableFunc(all, func(a, b PullRequest) int { return b.Number - a.Number })
	g.all, g.listed = all, true
	return nil
}

func readGitea(p *gitea.PullRequest) PullRequest {
	pr := PullRequest{Number: int(p.Index), URL: p.HTMLURL, State: State(p.State), Body: p.Body}
	pr.Title, pr.Draft = strings.CutPrefix(p.Title, wipPrefix)
	pr.Draft = pr.Draft || p.Draft
	if p.HasMerged {
		pr.State = Merged
	}
	if p.Merged != nil {
		pr.MergedAt = *p.Merged
	}
	if p.Head != nil && p.Base != nil { // a branch that is gone has a name, and another ref
		pr.Head, pr.Base, pr.Commit = p.Head.Name, p.Base.Name, p.Head.Sha
	}
	if p.Poster != nil {
		pr.Author = p.Poster.UserName
	}
	for _, label := range p.Labels {
		pr.Labels = append(pr.Labels, label.Name)
	}
	pr.Labels = sortLabels(pr.Labels)
	return pr
}

// remember puts a pull request as it is now among those that were listed.
func (g *giteaForge) remember(pr PullRequest) PullRequest {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := slices.IndexFunc(g.all, func(one PullRequest) bool { return one.Number == pr.Number })
	switch {
	case at >= 0:
		g.all[at] = pr
	case g.listed:
		g.all = append([]PullRequest{pr}, g.all...)
	}
	return pr
}

func wip(title string, draft bool) string {
	if draft {
		return wipPrefix + title
	}
	return title
}

// Open implements [Forge].
func (g *giteaForge) Open(ctx context.Context, d Draft) (PullRequest, error) {
	what := "open a pull request of " + d.Head
	client, owner, name, err := g.library(ctx)
	if err != nil {
		return PullRequest{}, said(what, err)
	}
	labels, err := g.labels(client, d.Labels, true)
	if err != nil {
		return PullRequest{}, said(what, err)
	}
	made, _, err := client.CreatePullRequest(owner, name, gitea.CreatePullRequestOption{Head: d.Head, Base: d.Base, Title: wip(d.Title, d.Draft), Body: d.Body, Labels: labels})
	if err != nil {
		return PullRequest{}, said(what, err)
	}
	return g.remember(readGitea(made)), nil
}

// labels gives the numbers of labels, and makes those that are not there.
func (g *giteaForge) labels(client *gitea.Client, wanted []string, make bool) ([]int64, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	owner, name := g.at.owner()
	known := map[string]int64{}
	for page := 1; page != 0; {
		found, resp, err := client.ListRepoLabels(owner, name, gitea.ListLabelsOptions{ListOptions: gitea.ListOptions{Page: page, PageSize: 50}})
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			known[one.Name] = one.ID
		}
		page = resp.NextPage
	}
	var numbers []int64
	for _, label := range wanted {
		number, there := known[label]
		if !there && !make {
			continue
		}
		if !there {
			made, _, err := client.CreateLabel(owner, name, gitea.CreateLabelOption{Name: label, Color: "#6f7b8b"})
			if err != nil {
				return nil, err
			}
			number = made.ID
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

// Edit implements [Forge].
func (g *giteaForge) Edit(ctx context.Context, pr PullRequest, change Change) (PullRequest, error) {
	const what = "edit the pull request"
	client, owner, name, err := g.library(ctx)
	if err != nil {
		return pr, said(what, err)
	}
	title, draft := pr.Title, pr.Draft
	if change.Title != nil {
		title = *change.Title
	}
	if change.Draft != nil {
		draft = *change.Draft
	}
	if title != pr.Title || draft != pr.Draft || change.Body != nil {
		edited, _, err := client.EditPullRequest(owner, name, int64(pr.Number), gitea.EditPullRequestOption{Title: wip(title, draft), Body: change.Body})
		if err != nil {
			return pr, said(what, err)
		}
		pr = readGitea(edited)
	}
	if add := missing(pr.Labels, change.Add); len(add) > 0 {
		numbers, err := g.labels(client, add, true)
		if err == nil {
			_, _, err = client.AddIssueLabels(owner, name, int64(pr.Number), gitea.IssueLabelsOption{Labels: numbers})
		}
		if err != nil {
			return pr, said("add labels", err)
		}
	}
	if remove := missing(change.Add, change.Remove); len(remove) > 0 {
		numbers, err := g.labels(client, slices.DeleteFunc(remove, func(label string) bool { return !slices.Contains(pr.Labels, label) }), false)
		for _, number := range numbers {
			if _, failed := client.DeleteIssueLabel(owner, name, int64(pr.Number), number); failed != nil && !isKind(failed, NotFound) {
				err = failed
			}
		}
		if err != nil {
			return pr, said("remove labels", err)
		}
	}
	pr.Labels = relabel(pr.Labels, change)
	return g.remember(pr), nil
}

// Close implements [Forge].
func (g *giteaForge) Close(ctx context.Context, pr PullRequest) error {
	client, owner, name, err := g.library(ctx)
	if err != nil {
		return said("close the pull request", err)
	}
	closed := gitea.StateClosed
	edited, _, err := client.EditPullRequest(owner, name, int64(pr.Number), gitea.EditPullRequestOption{State: &closed})
	if err != nil {
		return said("close the pull request", err)
	}
	g.remember(readGitea(edited))
	return nil
}

// Comments implements [Forge].
func (g *giteaForge) Comments(ctx context.Context, pr PullRequest) ([]Comment, error) {
	client, owner, name, err := g.library(ctx)
	if err != nil {
		return nil, said("read comments", err)
	}
	found, _, err := client.ListIssueComments(owner, name, int64(pr.Number), gitea.ListIssueCommentOptions{}) // all: this list has no pages
	if err != nil {
		return nil, said("read comments", err)
	}
	var all []Comment
	for _, one := range found {
		comment := Comment{Body: one.Body}
		if one.Poster != nil {
			comment.Author = one.Poster.UserName
		}
		all = append(all, comment)
	}
	return all, nil
}

// Comment implements [Forge].
func (g *giteaForge) Comment(ctx context.Context, pr PullRequest, body string) error {
	client, owner, name, err := g.library(ctx)
	if err != nil {
		return said("comment", err)
	}
	_, _, err = client.CreateIssueComment(owner, name, int64(pr.Number), gitea.CreateIssueCommentOption{Body: body})
	return said("comment", err)
}
