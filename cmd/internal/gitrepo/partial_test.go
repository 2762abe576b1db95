package gitrepo

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// What a partial clone lacks is fetched, several files at once, with the login of its
// server.
func TestPartialClonesFetchWhatTheyLack(t *testing.T) {
	for _, filter := range []string{"blob:none", "tree:0"} {
		w := newWorld(t)
		w.origin("origin", base)
		w.git(".", "clone", "-q", "--no-checkout", "--filter="+filter, "file://"+w.home+"/origin", "r")
		w.git("r", "remote", "set-url", "origin", w.serveHTTPS().URL+"/origin")
		w.spy()
		on, err := w.open("r").At("HEAD")
		if err != nil {
			t.Fatal(err)
		}
		names, err := on.List(context.Background(), ".")
		if want := w.git("origin", "ls-tree", "-r", "--name-only", "main"); err != nil || strings.Join(names, "\n")+"\n" != want {
			t.Errorf("%s: List = %s, %v, want %s", filter, names, err, want)
		}
		got, err := on.Files(context.Background(), "README.md", "fleet/prod/old.yaml", "tool.sh", "not.there")
		want := tree.Tree{"README.md": []byte(base["README.md"]), "fleet/prod/old.yaml": []byte(base["fleet/prod/old.yaml"]), "tool.sh": []byte(base["tool.sh"])}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: Files: %v %s", filter, err, diff)
		}
		_ = on.Close()
		if got, want := strings.Count(w.read("runs"), "--stdin"), map[string]int{"blob:none": 1, "tree:0": 2}[filter]; got != want || strings.Contains(w.read("runs"), canary) {
			t.Errorf("%s: %d times something was fetched, want %d:\n%s", filter, got, want, w.read("runs"))
		}
		if missing := w.git("r", "rev-list", "--objects", "--missing=print", "HEAD"); strings.Contains(missing, "?"+strings.TrimSpace(w.git("origin", "rev-parse", "main:tool.sh"))) {
			t.Errorf("%s: what was fetched does not stay in the clone:\n%s", filter, missing)
		}
		w.env["GITEA_TOKEN"] = "wrong"
		on, err = w.open("r").At("HEAD")
		if err != nil {
			t.Fatal(err)
		}
		var said *transport.Error
		if _, err := on.Files(context.Background(), "fleet/prod/kept.yaml"); !errors.As(err, &said) || said.Kind != transport.BadLogin || !strings.HasPrefix(err.Error(), "fetch what this partial clone lacks: ") {
			t.Errorf("%s: Files = %v, want that the login is wrong", filter, err)
		}
		_ = on.Close()
	}
}

// A partial clone without the git program is an error that names the missing object and
// the command that completes the clone.
func TestPartialClonesCanBeCompleted(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	w.git(".", "clone", "-q", "--no-checkout", "--filter=blob:none", "file://"+w.home+"/origin", "r")
	path := w.env["PATH"]
	read := func(path string) error {
		w.env["PATH"] = path
		on, err := w.open("r").At("HEAD")
		if err != nil {
			t.Fatal(err)
		}
		defer on.Close()
		_, err = on.Files(context.Background(), "README.md")
		return err
	}
	err := read("/nowhere")
	_, advice, found := strings.Cut(strings.NewReplacer(")", "(").Replace(err.Error()), "(git ")
	advice, _, _ = strings.Cut(advice, " gets")
	if !found {
		t.Fatalf("Files = %v", err)
	}
	w.env["PATH"] = path
	w.git("r", strings.Fields(advice)...)
	if err := read("/nowhere"); err != nil {
		t.Errorf("after git %s: Files = %v", advice, err)
	}
}

// What a file was decides how it is stored, wherever that is.
func TestPartialClonesReadWhatAFileWas(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", map[string]string{"f": "was: windows\r\n"})
	w.git(".", "clone", "-q", "--no-checkout", "--filter=blob:none", "file://"+w.home+"/origin", "r")
	w.git("r", "config", "core.autocrlf", "input")
	w.git("r", "remote", "set-url", "origin", "../origin")
	w.commit("r", w.put("r", map[string]string{"f": "is: windows\r\n"}))
	if got := w.git("r", "show", "HEAD:f"); got != "is: windows\r\n" {
		t.Errorf("stored %q, a whole clone keeps the line ends", got)
	}
}
