package forge

import (
	"strings"
	"testing"
)

func TestGitHub(t *testing.T) {
	f, g := fakeGitHub(t, true)
	exercise(t, g, "pm-gitops/prod/patch-1")
	merges(t, f, g, "SQUASH")
}

func TestGitLab(t *testing.T) {
	f, g := fakeGitLab(t)
	exercise(t, g, "pm-gitops/prod/patch-1")
	merges(t, f, g, "auto")
}

// merges has the newest pull request merged by the forge, unless it has another commit.
func merges(t *testing.T, f *fake, g Forge, want string) {
	t.Helper()
	found, err := g.Find(t.Context(), "pm-gitops/prod/patch-1")
	if err != nil {
		t.Fatal(err)
	}
	stale := found[0]
	stale.Commit = strings.Repeat("9", 40)
	if err := g.Merge(t.Context(), stale); !isKind(err, Refused) || f.pulls[1].merges != "" {
		t.Errorf("merges another commit: %v", err)
	}
	if err := g.Merge(t.Context(), found[0]); err != nil || f.pulls[1].merges != want {
		t.Errorf("merges = %q, %v, want %q", f.pulls[1].merges, err, want)
	}
}

// Where a repository has no drafts, what is opened says that it is none.
func TestGitHubWithoutDrafts(t *testing.T) {
	_, g := fakeGitHub(t, false)
	pr, err := g.Open(t.Context(), Draft{Head: "b", Base: "main", Title: "t", Draft: true})
	if err != nil || pr.Draft {
		t.Errorf("Open = %+v, %v", pr, err)
	}
}

// A project that the token does not see.
func TestGitLabNotFound(t *testing.T) {
	f, g := fakeGitLab(t)
	g.(*gitlab).at.Path = "group/other"
	if _, err := g.Find(t.Context(), "b"); !isKind(err, NotFound) || strings.Contains(err.Error(), canary) {
		t.Errorf("%v after %v", err, f.requests)
	}
}
