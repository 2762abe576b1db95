package gitrepo

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// However many files and commits there are, git is run as often.
func TestGitIsRunAsOften(t *testing.T) {
	runs := func(files, commits int) string {
		w := newWorld(t)
		w.clone(filepath.Join(w.home, "origin"))
		w.spy()
		l, ctx := w.open("r"), context.Background()
		all, each := Changes{Write: tree.Tree{}}, make([]Changes, commits)
		for i := range files {
			name, content := fmt.Sprintf("env-%d/x.yaml", i), []byte("x\n")
			if each[i%commits].Write == nil {
				each[i%commits].Write = tree.Tree{}
			}
			all.Write[name], each[i%commits].Write[name] = content, content
		}
		if err := l.Check(all, said("ours")); err != nil {
			t.Fatal(err)
		}
		for _, changes := range each {
			if _, err := l.Commit(ctx, changes, said("ours")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Push(ctx, PushOptions{}); err != nil {
			t.Fatal(err)
		}
		var commands []string
		for line := range strings.Lines(w.read("runs")) {
			line, _ = strings.CutPrefix(line, "-c core.fsmonitor=false -c user.useConfigOnly=true ")
			line, _ = strings.CutPrefix(line, "-c core.fsmonitor=false ")
			line, _ = strings.CutPrefix(line, "-c core.sshCommand=ssh -o BatchMode=yes ")
			commands = append(commands, strings.Fields(line)[0])
		}
		return strings.Join(commands, " ")
	}
	const want = "config var var check-attr check-ignore push"
	for _, c := range [][2]int{{1, 1}, {1000, 1}, {1000, 40}} {
		if got := runs(c[0], c[1]); got != want {
			t.Errorf("%d files in %d commits: %s, want %s", c[0], c[1], got, want)
		}
	}
}

// What is asked for is git's answer, from every place that it looks into.
func TestRulesAreThoseOfGit(t *testing.T) {
	w := newWorld(t)
	w.repo("r", nil)
	w.write("r/.git/info/attributes", "forced.yaml text=auto\n")
	w.write(".config/git/attributes", "*.user -text\n")
	w.write("r/.gitignore", "[[:digit:]]*\n!1\n*.log\n")
	w.write(".config/git/ignore", "*.swp\n")
	asked := settings.NewRules(w.open("r").git)
	odd := "a\"b\tc.swp"
	if err := asked.AskAttributes([]string{"forced.yaml", "x.user", odd}); err != nil {
		t.Fatal(err)
	}
	if err := asked.AskIgnored([]string{"1", "2", "x/3", odd, "plain"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"forced.yaml": "auto", "x.user": "unset", odd: ""} {
		if got := asked.Attributes(name)["text"]; got != want {
			t.Errorf("text of %q = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"1": "", "2": ".gitignore:1:[[:digit:]]*", "x/3": ".gitignore:1:[[:digit:]]*", odd: w.home + "/.config/git/ignore:1:*.swp", "plain": ""} {
		if got := asked.IgnoredBy(name); got != want {
			t.Errorf("%q is ignored by %q, want %q", name, got, want)
		}
	}
}
