package gitrepo

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

func draft(message string, write map[string]string, remove ...string) Draft {
	tree := tree.Tree{}
	for name, content := range write {
		tree[name] = []byte(content)
	}
	return Draft{Changes{Write: tree, Remove: remove}, Message{Text: message}}
}

// A draft may have the content of a file that it changes itself.
func TestCommitEachReadsWhatItMakes(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", map[string]string{".gitattributes": "* text=auto\n", "a/z": "same\n"})
	remote, err := OpenRemote(context.Background(), w.sys(), filepath.Join(w.home, "origin"), RemoteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = remote.CommitEach(context.Background(), func(context.Context, *Base) ([]Draft, error) {
		return []Draft{draft("one", map[string]string{"b/n": "1\n"}), draft("two", map[string]string{"a/a": "same\n", "a/z": "other\r\n"})}, nil
	}, CommitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.sound("origin")
	if got := w.git("origin", "show", "main:a/z") + w.git("origin", "show", "main:a/a"); got != "other\nsame\n" {
		t.Errorf("files = %q", got)
	}
}

// Several commits go on top of each other, and arrive together, also if
// somebody else is faster at first.
func TestCommitEach(t *testing.T) {
	drafts := []Draft{
		draft("one", map[string]string{"dev/a": "1", "shared/x": "1"}),
		draft("same", map[string]string{"shared/x": "1"}),
		draft("two", map[string]string{"dev/b": "2", "shared/x": "2"}, "dev/a"),
		draft("three", nil, "shared/x"),
	}
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", map[string]string{"README.md": "hello"})
		remote, err := OpenRemote(context.Background(), w.sys(), url, RemoteOptions{})
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		results, err := remote.CommitEach(context.Background(), func(context.Context, *Base) ([]Draft, error) {
			if calls++; calls == 1 {
				w.write("origin.work/theirs", "faster")
				w.git("origin.work", "add", "-A")
				w.git("origin.work", "commit", "-q", "-m", "theirs")
				w.git("origin.work", "push", "-q", "../origin", "main")
			}
			return drafts, nil
		}, CommitOptions{})
		if err != nil || calls != 2 {
			t.Fatalf("CommitEach: %v after %d calls", err, calls)
		}
		w.sound("origin")
		if diff := cmp.Diff("base\ntheirs\none\ntwo\nthree\n", w.git("origin", "log", "--reverse", "--format=%s", "main")); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
		if got := w.git("origin", "ls-tree", "-r", "--name-only", "main"); got != "README.md\ndev/b\ntheirs\n" {
			t.Errorf("files = %s", got)
		}
		want := strings.Fields(w.git("origin", "log", "--reverse", "--format=%H", "main"))[2:]
		if got := []string{results[0].Hash, results[2].Hash, results[3].Hash}; !cmp.Equal(got, want) || results[1].Hash != "" {
			t.Errorf("results = %+v, want commits %v", results, want)
		}
		if _, err := remote.CommitEach(context.Background(), func(context.Context, *Base) ([]Draft, error) {
			return []Draft{draft("again", map[string]string{"dev/b": "2"})}, nil
		}, CommitOptions{}); !errors.Is(err, ErrUnchanged) {
			t.Errorf("CommitEach of nothing: %v", err)
		}
	})
}
