package gitrepo

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a server says to a push is what git shows of it, by both ways to push. Escape
// codes are written out, and no token is shown.
func TestWordsOfAServerAreKept(t *testing.T) {
	for kind, serve := range map[string]func(*world) string{
		"https": func(w *world) string { return w.serveHTTPS().URL },
		"ssh":   (*world).serveSSH,
		"file":  func(w *world) string { return "file://" + w.home },
	} {
		w := newWorld(t)
		url := serve(w) + "/origin"
		w.clone(url)
		w.git("r", "config", "color.ui", "always") // git colours "warning" then
		w.write("origin/words", "\nTo create a merge request for main, visit:\n  https://git.test/-/merge_requests/new?a%5Bb%5D=main\n====\n\nwarning: \x1b[31mred\x1b[m\n::error::x "+canary+"\nCounting 1/2\rCounting 2/2\r\n")
		w.script("origin/hooks/post-receive", "cat words >&2\nyes '' | head -c 200000 >&2\necho >> ended\n")
		want := []string{"To create a merge request for main, visit:", "  https://git.test/-/merge_requests/new?a%5Bb%5D=main", `warning: \x1b[31mred\x1b[m`, "::error::x " + map[bool]string{false: canary, true: "***"}[kind == "https"], "Counting 2/2"}
		pushed, err := w.push(PushOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, pushed.Said); diff != "" {
			t.Errorf("%s: Push: %s", kind, diff)
		}
		r := w.remote(url, RemoteOptions{})
		if _, err := r.Commit(context.Background(), always(map[string]string{"new": "x\n"}), said("ours")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, r.Said()); diff != "" {
			t.Errorf("%s: Remote: %s", kind, diff)
		}
		if got := w.read("origin/ended"); got != "\n\n" {
			t.Errorf("%s: the hook was ended: %q", kind, got)
		}
	}
	w := newWorld(t)
	w.clone(filepath.Join(w.home, "origin"))
	w.script("origin/hooks/pre-receive", "printf 'one\\n\\n  two\\n' >&2\n")
	pushed, err := w.push(PushOptions{})
	w.git("r", "commit", "-q", "--allow-empty", "-m", "x")
	var want []string
	for line := range strings.Lines(w.git("r", "push")) {
		if rest, is := strings.CutPrefix(line, "remote: "); is && strings.TrimSpace(rest) != "" {
			want = append(want, strings.TrimRight(rest, " \n"))
		}
	}
	if err != nil || len(want) != 2 || !slices.Equal(pushed.Said, want) {
		t.Errorf("Push = %q, %v, git shows %q", pushed.Said, err, want)
	}
}
