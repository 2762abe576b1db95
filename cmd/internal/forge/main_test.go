package forge

import (
	"context"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/giteatest"
)

var server giteatest.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// canary is in no error, and at no host but the forge's.
const canary = "canary-7d2f0c"

// options are those of a test: nothing waits.
func options(client http.RoundTripper, authorization string) Options {
	return Options{
		Token:  func(context.Context, bool) (string, error) { return authorization, nil },
		Client: client, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }, UserAgent: "test",
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

// exercise does with a forge what can be done, from a branch that has a commit. The
// oracle is what the forge says afterwards.
func exercise(t *testing.T, f Forge, head string) {
	t.Helper()
	ctx := t.Context()
	me, err := f.Account(ctx)
	if err != nil || me == "" {
		t.Fatalf("Account = %q, %v", me, err)
	}
	if found, err := f.Find(ctx, head); err != nil || len(found) > 0 {
		t.Fatalf("Find before anything = %v, %v", found, err)
	}
	made, err := f.Open(ctx, Draft{Head: head, Base: "main", Title: "fix(a): b", Body: "first", Labels: []string{"env/prod", "patch"}, Draft: true})
	if err != nil {
		t.Fatal(err)
	}
	check := func(step string, want PullRequest) PullRequest {
		t.Helper()
		found, err := f.Find(ctx, head)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: Find = %v, %v", step, found, err)
		}
		got := found[0]
		if got.Title != want.Title || got.Body != want.Body || got.Draft != want.Draft || got.State != want.State || !slices.Equal(got.Labels, want.Labels) ||
			got.Head != head || got.Base != "main" || got.Author != me || got.Number != made.Number || len(got.Commit) != 40 || !strings.HasPrefix(got.URL, "http") {
			t.Fatalf("%s: found %+v, want %+v", step, got, want)
		}
		return got
	}
	pr := check("opened", PullRequest{Title: "fix(a): b", Body: "first", Draft: true, State: Opened, Labels: []string{"env/prod", "patch"}})
	if _, err := f.Open(ctx, Draft{Head: head, Base: "main", Title: "again", Body: "x"}); !isKind(err, Exists) {
		t.Errorf("a second pull request of a branch: %v", err)
	}
	if _, err = f.Edit(ctx, pr, Change{Title: new("fix(a): c"), Body: new("second\n\n- [ ] box"), Draft: new(false), Add: []string{"blocked", "patch"}, Remove: []string{"env/prod", "never"}}); err != nil {
		t.Fatal(err)
	}
	pr = check("edited", PullRequest{Title: "fix(a): c", Body: "second\n\n- [ ] box", State: Opened, Labels: []string{"blocked", "patch"}})
	if _, err = f.Edit(ctx, pr, Change{Draft: new(true)}); err != nil {
		t.Fatal(err)
	}
	pr = check("a draft again", PullRequest{Title: "fix(a): c", Body: "second\n\n- [ ] box", Draft: true, State: Opened, Labels: []string{"blocked", "patch"}})
	for _, text := range []string{"one", "two <!-- marker -->"} {
		if err := f.Comment(ctx, pr, text); err != nil {
			t.Fatal(err)
		}
	}
	said, err := f.Comments(ctx, pr)
	if err != nil || !slices.Equal(said, []Comment{{me, "one"}, {me, "two <!-- marker -->"}}) {
		t.Errorf("Comments = %v, %v", said, err)
	}
	if err := f.Close(ctx, pr); err != nil {
		t.Fatal(err)
	}
	check("closed", PullRequest{Title: "fix(a): c", Body: "second\n\n- [ ] box", Draft: true, State: Closed, Labels: []string{"blocked", "patch"}})
	reopened, err := f.Open(ctx, Draft{Head: head, Base: "main", Title: "fix(a): d", Body: "third"})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := f.Find(ctx, head); err != nil || len(found) != 2 || found[0].Number != reopened.Number || found[0].State != Opened {
		t.Errorf("Find after another = %v, %v", found, err)
	}
}
