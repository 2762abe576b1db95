package forge

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge/forgetest"
)

// fakeOptions are those of a server that takes the token of the tests.
func fakeOptions() forgetest.Options { return forgetest.Options{Token: canary} }

// atFake gives the forge of a server in the test.
func atFake(t *testing.T, s *forgetest.Server, product Product, path string) Forge {
	t.Helper()
	f, err := Open(Place{product, s.URL, path}, options(s.Client, product.Authorization(canary)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestGitHub(t *testing.T) {
	s := forgetest.GitHub(t, fakeOptions())
	g := atFake(t, s, GitHub, forgetest.GitHubRepository)
	exercise(t, g, "pm-gitops/prod/patch-1")
	merges(t, s, g, "SQUASH")
}

func TestGitLab(t *testing.T) {
	s := forgetest.GitLab(t, fakeOptions())
	g := atFake(t, s, GitLab, forgetest.GitLabProject)
	exercise(t, g, "pm-gitops/prod/patch-1")
	merges(t, s, g, "auto")
}

// merges has the newest pull request merged by the forge, unless it has another commit. The
// forge says since when.
func merges(t *testing.T, s *forgetest.Server, g Forge, want string) {
	t.Helper()
	find := func() PullRequest {
		found, err := g.Find(t.Context(), "pm-gitops/prod/patch-1")
		if err != nil {
			t.Fatal(err)
		}
		return found[0]
	}
	pr := find()
	stale := pr
	stale.Commit = strings.Repeat("9", 40)
	if err := g.Merge(t.Context(), stale); !isKind(err, Refused) || s.Pulls()[1].Merges != "" || find().Merges {
		t.Errorf("merges another commit: %v", err)
	}
	if err := g.Merge(t.Context(), pr); err != nil || s.Pulls()[1].Merges != want {
		t.Errorf("merges = %q, %v, want %q", s.Pulls()[1].Merges, err, want)
	}
	now := find()
	if !now.Merges || now.State != Opened || !now.MergedAt.IsZero() {
		t.Errorf("about to be merged: %+v", now)
	}
	if err := errors.Join(g.CancelMerge(t.Context(), now), g.CancelMerge(t.Context(), find())); err != nil || find().Merges {
		t.Errorf("taken back: %+v, %v", find(), err)
	}
	at := time.Date(2025, 12, 1, 9, 15, 0, 0, time.UTC)
	s.Change(2, func(p *forgetest.Pull) { p.State, p.MergedAt = "closed", at })
	if now := find(); now.State != Merged || !now.MergedAt.Equal(at) {
		t.Errorf("merged: %+v", now)
	}
}

// Where a repository has no drafts, what is opened says that it is none.
func TestGitHubWithoutDrafts(t *testing.T) {
	g := atFake(t, forgetest.GitHub(t, forgetest.Options{Token: canary, NoDrafts: true}), GitHub, forgetest.GitHubRepository)
	pr, err := g.Open(t.Context(), Draft{Head: "b", Base: "main", Title: "t", Draft: true})
	if err != nil || pr.Draft {
		t.Errorf("Open = %+v, %v", pr, err)
	}
}

// A project that the token does not see.
func TestGitLabNotFound(t *testing.T) {
	s := forgetest.GitLab(t, fakeOptions())
	g := atFake(t, s, GitLab, "group/other")
	if _, err := g.Find(t.Context(), "b"); !isKind(err, NotFound) || strings.Contains(err.Error(), canary) {
		t.Errorf("%v after %v", err, s.Requests())
	}
}
