package forge

import (
	"context"

	"code.gitea.io/sdk/gitea"
)

// Merge implements [Forge], in the way that is the repository's own. The server does not
// compare the commit of a merge that has to wait, so it is compared here.
// https://docs.gitea.com/usage/pull-request#automerge
func (g *giteaForge) Merge(ctx context.Context, pr PullRequest) error {
	const what = "have it merged"
	client, owner, name, err := g.library(ctx)
	if err != nil {
		return said(what, err)
	}
	now, _, err := client.GetPullRequest(owner, name, int64(pr.Number))
	if err != nil {
		return said(what, err)
	}
	if now.Head == nil || now.Head.Sha != pr.Commit {
		return said(what, errorf(Refused, "%s: the branch has another commit by now", g.at.Origin))
	}
	repository, _, err := client.GetRepo(owner, name)
	if err != nil {
		return said(what, err)
	}
	style := repository.DefaultMergeStyle
	if style == "" {
		style = gitea.MergeStyleMerge
	}
	_, resp, err := client.MergePullRequest(owner, name, int64(pr.Number), gitea.MergePullRequestOption{Style: style, HeadCommitId: pr.Commit, MergeWhenChecksSucceed: true})
	switch {
	case isKind(err, Exists): // asked for before
		return nil
	case err == nil && resp.StatusCode >= 300:
		err = errorf(Other, "%s answers %s", g.at.Origin, resp.Status)
	}
	return said(what, err)
}

// CancelMerge implements [Forge].
func (g *giteaForge) CancelMerge(ctx context.Context, pr PullRequest) error {
	const what = "not have it merged"
	client, owner, name, err := g.library(ctx)
	if err != nil {
		return said(what, err)
	}
	if _, err = client.CancelScheduledAutoMerge(owner, name, int64(pr.Number)); isKind(err, NotFound) {
		return nil
	}
	return said(what, err)
}
