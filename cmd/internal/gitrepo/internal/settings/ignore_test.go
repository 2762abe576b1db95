package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gittest"
)

// readIn reads files of a folder, as those of a commit are read.
func readIn(w *gittest.World, dir string) func(string) []byte {
	return func(name string) []byte {
		content, _ := os.ReadFile(filepath.Join(w.Home, dir, name))
		return content
	}
}

func TestIgnoredIsWhatGitIgnores(t *testing.T) {
	w := gittest.New(t)
	w.Repo("r", nil)
	w.Write("r/.gitignore", "*.log\n!keep.log\n/top\nfoo/\na/**/z\n**/deep\nabc/**\n\\#hash\n\\!bang\ntrail\\ \nspace   \n*.[oa]\nq?x\ndoc/*.txt\n{a,b}\nx**y\n!foo/inside\nw[!a]w\n")
	w.Write("r/sub/.gitignore", "!*.log\n/only\nnested/\n")
	g := NewIgnores(readIn(w, "r"))
	asked := NewRules(FindGit(system(w), filepath.Join(w.Home, "r")))
	names := strings.Fields(`a.log keep.log sub/a.log sub/keep.log top sub/top top/x foo/x foo/inside x/foo/y foo a/z a/b/z a/b/c/z deep x/y/deep/f abc abc/x abc/x/y #hash !bang space
		l.o l.a l.b qax qx doc/a.txt doc/x/a.txt {a,b} a b xy xaay x/y only sub/only sub/x/only sub/nested/f nested/f m.tmp keep.tmp .DS_Store d/.DS_Store v.swp waw wbw sub/deep/x`)
	if err := asked.AskIgnored(names); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if got, want := g.IgnoredBy(name), asked.IgnoredBy(name); got != want {
			t.Errorf("%s is ignored by %q, git says %q", name, got, want)
		}
	}
}

func TestAttributesAreWhatGitReads(t *testing.T) {
	w := gittest.New(t)
	w.Repo("r", nil)
	w.Write("r/.gitattributes", "[attr]lfs filter=lfs diff=lfs -text\n* text=auto\n*.bin binary\n*.yaml text eol=lf\n*.yaml -eol\n\"with space.txt\" filter=x\nsub/*.md ident\n/top.md ident !text\nvendor/** -text\n*.lfs lfs\n*.lfs text\n#c ident\n!neg ident\ndir/ ident\n*.a ident -ident ident=x\n")
	w.Write("r/sub/.gitattributes", "*.yaml text=auto !eol\n[attr]no filter=y\nx.md -ident\nno no\n")
	a, asked := NewAttributes(readIn(w, "r")), NewRules(FindGit(system(w), filepath.Join(w.Home, "r")))
	attributes := []string{"ident", "text", "eol", "filter", "working-tree-encoding", "crlf"}
	names := []string{"x", "x.bin", "x.yaml", "with space.txt", "sub/y.md", "sub/x.md", "sub/sub/y.md", "top.md", "sub/top.md", "vendor/a/b.yaml", "m.lfs", "neg", "dir/f", "sub/x.yaml", "no", "sub/no", "forced.yaml", "sub/forced.yaml", "q.user", "n.a"}
	if err := asked.AskAttributes(names); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		got, want := a.Of(name), asked.Attributes(name)
		for _, attribute := range attributes {
			if got[attribute] != want[attribute] {
				t.Errorf("%s of %s = %q, git says %q", attribute, name, got[attribute], want[attribute])
			}
		}
	}
}

// What is asked for is git's answer, from every place that it looks into.
func TestRulesAreThoseOfGit(t *testing.T) {
	w := gittest.New(t)
	w.Repo("r", nil)
	w.Write("r/.git/info/attributes", "forced.yaml text=auto\n")
	w.Write(".config/git/attributes", "*.user -text\n")
	w.Write("r/.gitignore", "[[:digit:]]*\n!1\n*.log\n")
	w.Write(".config/git/ignore", "*.swp\n")
	asked := NewRules(FindGit(system(w), filepath.Join(w.Home, "r")))
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
	for name, want := range map[string]string{"1": "", "2": ".gitignore:1:[[:digit:]]*", "x/3": ".gitignore:1:[[:digit:]]*", odd: w.Home + "/.config/git/ignore:1:*.swp", "plain": ""} {
		if got := asked.IgnoredBy(name); got != want {
			t.Errorf("%q is ignored by %q, want %q", name, got, want)
		}
	}
}
