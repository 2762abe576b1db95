package forge

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/giteatest"
)

// trusting is a connection to the server of the tests.
func trusting(t *testing.T, ca string) *http.Transport {
	t.Helper()
	content, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(content)
	own := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(own.CloseIdleConnections)
	return own
}

// atGitea gives a repository with a commit on main, and one more on each branch.
func atGitea(t *testing.T, branches ...string) (*giteatest.User, Forge) {
	t.Helper()
	s := server.Server(t)
	user := s.NewUser(t)
	user.NewRepository(t, "fleet")
	for _, branch := range append([]string{""}, branches...) {
		put := map[string]any{"content": base64.StdEncoding.EncodeToString([]byte(branch)), "message": "m"}
		if branch != "" {
			put["branch"], put["new_branch"] = "main", branch
		}
		user.Do(t, "POST", "/repos/"+user.Name+"/fleet/contents/at-"+strings.ReplaceAll(branch, "/", "-"), put, nil)
	}
	return user, openGitea(t, s, user, user.NewToken(t, "write:repository", "write:issue", "read:user").Secret)
}

func openGitea(t *testing.T, s *giteatest.Server, user *giteatest.User, token string) Forge {
	t.Helper()
	place, err := Locate(user.URL("fleet"), "", func(name string) string { return map[string]string{"GITEA_SERVER_URL": s.URL}[name] })
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(place, options(trusting(t, s.CA), Gitea.Authorization(token)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestGitea(t *testing.T) {
	_, f := atGitea(t, "pm-gitops/prod/patch-1")
	exercise(t, f, "pm-gitops/prod/patch-1")
}

// The forge merges a pull request now, or waits for what it still computes. The server
// says which: a merge that waits can be called off.
func TestGiteaMerges(t *testing.T) {
	_, f := atGitea(t, "b")
	pr, err := f.Open(t.Context(), Draft{Head: "b", Base: "main", Title: "t", Body: "x"})
	if err != nil {
		t.Fatal(err)
	}
	client, owner, name, err := f.(*giteaForge).library(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	merged := func() bool {
		now, _, err := client.GetPullRequest(owner, name, int64(pr.Number))
		if err != nil {
			t.Fatal(err)
		}
		return now.HasMerged
	}
	stale := pr
	stale.Commit = strings.Repeat("1", 40)
	if err := f.Merge(t.Context(), stale); !isKind(err, Refused) || merged() {
		t.Errorf("with another commit than the one that was meant: %v", err)
	}
	if err := f.Merge(t.Context(), pr); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CancelScheduledAutoMerge(owner, name, int64(pr.Number)); err != nil && !merged() {
		t.Errorf("neither merged nor about to be: %v", err)
	}
	if err := f.CancelMerge(t.Context(), pr); err != nil && !merged() {
		t.Errorf("what was not asked for is taken back: %v", err)
	}
	if now, _, err := client.GetPullRequest(owner, name, int64(pr.Number)); err != nil || readGitea(now).MergedAt.IsZero() != !now.HasMerged {
		t.Errorf("merged at %v, %v", now.Merged, err)
	}
}

// More pull requests than a page has are all found, and those of a fork are not ours.
func TestGiteaListsAll(t *testing.T) {
	var branches []string
	for _, name := range "abcdefg" {
		branches = append(branches, "b/"+string(name)+"x")
	}
	_, f := atGitea(t, branches...)
	f.(*giteaForge).page = 3
	for _, branch := range branches {
		if _, err := f.Open(t.Context(), Draft{Head: branch, Base: "main", Title: branch}); err != nil {
			t.Fatal(err)
		}
	}
	f.(*giteaForge).listed = false
	for _, branch := range branches {
		if found, err := f.Find(t.Context(), branch); err != nil || len(found) != 1 {
			t.Fatalf("Find(%s) = %v, %v", branch, found, err)
		}
	}
}

// What goes wrong is a sentence of its kind, without the token.
func TestGiteaRefuses(t *testing.T) {
	user, f := atGitea(t, "b")
	s := server.Server(t)
	stranger := s.NewUser(t)
	open := func(f Forge) error {
		_, err := f.Open(t.Context(), Draft{Head: "b", Base: "main", Title: "t"})
		return err
	}
	find := func(f Forge) error { _, err := f.Find(t.Context(), "b"); return err }
	for name, c := range map[string]struct {
		err  error
		kind Kind
		want string
	}{
		"a wrong token":           {find(openGitea(t, s, user, canary)), NoLogin, "the token is not taken"},
		"a token that reads":      {open(openGitea(t, s, user, user.NewToken(t, "read:repository").Secret)), Forbidden, "may not do that"},
		"a token of someone else": {find(openGitea(t, s, user, stranger.NewToken(t, "write:repository").Secret)), NotFound, "no such repository"},
		"a base that is not there": {func() error {
			_, err := f.Open(t.Context(), Draft{Head: "b", Base: "nowhere", Title: "t"})
			return err
		}(), NotFound, "no such repository"},
	} {
		if !isKind(c.err, c.kind) || !strings.Contains(c.err.Error(), c.want) || strings.Contains(c.err.Error(), canary) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
}

// A pull request is found by its branch when that is gone as well.
func TestGiteaFindsWhatHasNoBranch(t *testing.T) {
	user, f := atGitea(t, "pm-gitops/prod/gone")
	pr, err := f.Open(t.Context(), Draft{Head: "pm-gitops/prod/gone", Base: "main", Title: "t"})
	if err != nil {
		t.Fatal(err)
	}
	user.Do(t, "DELETE", "/repos/"+user.Name+"/fleet/branches/pm-gitops%2Fprod%2Fgone", nil, nil)
	f.(*giteaForge).listed = false
	found, err := f.Find(t.Context(), "pm-gitops/prod/gone")
	if err != nil || len(found) != 1 || found[0].Commit != pr.Commit || found[0].Base != "main" {
		t.Errorf("Find = %+v, %v", found, err)
	}
}
