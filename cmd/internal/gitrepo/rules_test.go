package gitrepo

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

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
		if err := l.Check(t.Context(), all, said("ours")); err != nil {
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
			line, _ = strings.CutPrefix(line, "-c color.remote=false ")
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
