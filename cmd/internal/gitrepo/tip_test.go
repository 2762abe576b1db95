package gitrepo

import (
	"context"
	"strings"
	"testing"
)

// The oracle is git's own log.
func TestTip(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", base)
		r := w.remote(url, RemoteOptions{Branch: "pm-gitops/prod"})
		if tip, err := r.Tip(context.Background()); err != nil || tip.Hash != "" || r.Default() != "main" {
			t.Fatalf("Tip of no branch = %+v, %v, from %q", tip, err, r.Default())
		}
		if _, err := r.replace("", always(map[string]string{"a": "1\n"}), CommitOptions{Message: Message{Text: "feat: a", Trailers: []Trailer{{"Key", "value"}}}}); err != nil {
			t.Fatal(err)
		}
		tip, err := r.Tip(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join([]string{tip.Hash, strings.Join(tip.Parents, " "), tip.Author.Name, tip.Committer.Email, tip.Committer.When.UTC().Format("2006-01-02T15:04:05Z"), tip.Message}, "|")
		if want := strings.TrimSuffix(w.git("origin", "log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%H|%P|%an|%ce|%cd|%B", "pm-gitops/prod"), "\n"); got != want {
			t.Errorf("Tip = %q, want %q", got, want)
		}
		author, committer, err := r.Identity()
		if err != nil || author.Name != tip.Author.Name || committer.Email != tip.Committer.Email {
			t.Errorf("Identity = %v, %v, %v", author, committer, err)
		}
	})
}
