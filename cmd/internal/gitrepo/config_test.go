package gitrepo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// What we read is what git reads, from every place there is.
func TestConfigurationIsWhatGitReads(t *testing.T) {
	w := newWorld(t)
	w.repo("work/r", base)
	w.git("work/r", "checkout", "-q", "-b", "feature/x")
	w.env["GIT_CONFIG_NOSYSTEM"] = "0"
	w.env["GIT_CONFIG_SYSTEM"] = filepath.Join(w.home, "system")
	w.write("system", "\ufeff[core]\r\n\tpager = less\r\n[system]\n\tonly\n")
	w.write(".config/git/config", "[user]\n\tname = From XDG\n[xdg]\n\tonly = 1\n")
	w.write(".gitconfig", `[User] Name = "Grace \"Amazing\" Hopper" ; comment
	email = grace@example.com # comment
[url "https://Example.com/"]
	insteadOf = gh:
[a "b\"c\\d"]
	key = one \
two
	Other = "  kept  " tail
	tab = "a\tb\nc"
	empty =
	bare
[a]
	list = 1
	list = 2
[section.Sub]
	old = style
[include]
	path = extra.inc
[includeIf "gitdir:~/work/"]
	path = ~/inc/work
[includeIf "gitdir:work/"]
	path = inc/relative
[includeIf "gitdir:other/"]
	path = inc/other
[includeIf "gitdir/i:~/WORK/**"]
	path = inc/case
[includeIf "gitdir:./work/"]
	path = inc/dot
[includeIf "onbranch:feature/"]
	path = inc/branch
[includeIf "onbranch:ma*"]
	path = inc/main
[includeIf "hasconfig:remote.*.url:https://git.company.com/**"]
	path = inc/remote
[includeIf "hasconfig:remote.*.url:https://other.com/**"]
	path = inc/other
[includeIf "nonsense:x"]
	path = inc/other
[include]
	path = not/there
[last]
	word = global
`)
	w.write("extra.inc", "[extra]\n\tx = 1\n[include]\n\tpath = inc/nested\n")
	for _, name := range []string{"work", "relative", "other", "case", "dot", "branch", "main", "remote", "nested"} {
		w.write("inc/"+name, "[inc]\n\t"+name+" = yes\n[last]\n\tword = "+name+"\n")
	}
	w.git("work/r", "config", "remote.origin.url", "https://git.company.com/platform/fleet.git")
	w.git("work/r", "config", "extensions.worktreeConfig", "true")
	w.git("work/r", "config", "--worktree", "only.worktree", "1")
	w.env["GIT_CONFIG_COUNT"], w.env["GIT_CONFIG_KEY_0"], w.env["GIT_CONFIG_VALUE_0"] = "2", "Env.Sub.Section.Key", "v = 1"
	w.env["GIT_CONFIG_KEY_1"], w.env["GIT_CONFIG_VALUE_1"] = "last.word", "environment"
	for name, global := range map[string]string{"home": "", "GIT_CONFIG_GLOBAL": filepath.Join(w.home, "inc/work")} {
		w.env["GIT_CONFIG_GLOBAL"] = global
		if global == "" {
			delete(w.env, "GIT_CONFIG_GLOBAL")
		}
		want := settings.Config{"core.fsmonitor": {"false"}} // of our own run
		for entry := range strings.SplitSeq(strings.TrimSuffix(w.git("work/r", "config", "--list", "-z"), "\x00"), "\x00") {
			key, value, set := strings.Cut(entry, "\n")
			if !set {
				value = "true"
			}
			want[key] = append(want[key], value)
		}
		if diff := cmp.Diff(want, w.open("work/r").config); diff != "" {
			t.Errorf("%s: git reads (-), we read (+):\n%s", name, diff)
		}
	}
}

// Without a git program the usual files are read.
func TestConfigurationWithoutGit(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	w.write(".config/git/config", "[user]\n\tname = From XDG\n[xdg \"Sub.Section\"]\n\tKey = \"a b\" ; comment\n")
	w.git("r", "config", "remote.origin.url", "https://git.company.com/platform/fleet.git")
	w.env["PATH"] = "/nowhere"
	got := w.open("r").config
	for key, want := range map[string]string{"user.name": "Ada", "user.email": "ada@example.com", "xdg.Sub.Section.key": "a b", "remote.origin.url": "https://git.company.com/platform/fleet.git", "core.bare": "false"} {
		if got.Get(key) != want {
			t.Errorf("%s = %q, want %q", key, got.Get(key), want)
		}
	}
	w.write("r/.git/config", "[core\n")
	if _, err := Open(w.sys(), filepath.Join(w.home, "r")); err == nil || !strings.Contains(err.Error(), "read Git's configuration "+w.home+"/r/.git/config: ") {
		t.Errorf("Open = %v, want that the configuration is damaged", err)
	}
}

func TestIdentityIsWhatGitSays(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		env    map[string]string
	}{
		"user":                {},
		"author":              {config: "[author]\n\tname = A. Author\n[committer]\n\temail = c@example.com\n"},
		"environment":         {env: map[string]string{"GIT_AUTHOR_NAME": "E", "GIT_AUTHOR_EMAIL": "e@x", "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@x"}},
		"address elsewhere":   {config: "[user]\n\tname = Ada\n", env: map[string]string{"GIT_CONFIG_GLOBAL": os.DevNull, "EMAIL": "elsewhere@example.com"}},
		"odd characters":      {config: "[user]\n\tname = \"  .Ada <L>, \"\n\temail = \"<ada@x>;\"\n"},
		"not ASCII":           {config: "[user]\n\tname = Ådå Łövelace\n"},
		"seconds":             {env: map[string]string{"GIT_AUTHOR_DATE": "@1700000000 +0530", "GIT_COMMITTER_DATE": "1700000000 -0800"}},
		"RFC 2822":            {env: map[string]string{"GIT_AUTHOR_DATE": "Thu, 07 Apr 2005 22:13:13 +0200", "GIT_COMMITTER_DATE": "Thu, 7 Apr 2005 22:13:13 +0200"}},
		"ISO 8601":            {env: map[string]string{"GIT_AUTHOR_DATE": "2005-04-07T22:13:13+02:00", "GIT_COMMITTER_DATE": "2005-04-07 22:13:13 +0200"}},
		"ISO 8601 in UTC":     {env: map[string]string{"GIT_AUTHOR_DATE": "2005-04-07T22:13:13Z", "GIT_COMMITTER_DATE": "2005-04-07T22:13:13+0000"}},
		"words":               {env: map[string]string{"GIT_AUTHOR_DATE": "Apr 7 2005 22:13:13 +0200", "GIT_COMMITTER_DATE": "2005.04.07T22:13:13 +0200"}},
		"only the date's own": {env: map[string]string{"GIT_AUTHOR_DATE": "@1 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.repo("r", nil)
			w.write("r/.git/config", w.read("r/.git/config")+c.config)
			for key, value := range c.env {
				w.env[key] = value
			}
			for _, role := range []string{"author", "committer"} {
				upper := "GIT_" + strings.ToUpper(role)
				if w.env[upper+"_DATE"] == "" {
					w.env[upper+"_DATE"] = "@1762171200 +0000"
				}
				got, err := w.open("r").who.Of(role)
				if want := strings.TrimSpace(w.git("r", "var", upper+"_IDENT")); err != nil || got.Line() != want {
					t.Errorf("identity(%s) = %s, %v\nwant %s", role, got.Line(), err, want)
				}
			}
		})
	}
}

func TestDates(t *testing.T) {
	for name, path := range map[string]string{"git": os.Getenv("PATH"), "no git": "/nowhere"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.repo("r", nil)
			w.env["PATH"] = path
			for _, c := range []struct{ epoch, date, want string }{
				{"1700000000", "", "2023-11-14T22:13:20Z"},
				{"1700000000", "@1 +0100", "1970-01-01T01:00:01+01:00"},
				{"", "2005-04-07T22:13:13+02:00", "2005-04-07T22:13:13+02:00"},
				{"", "", "2025-11-03T12:00:00Z"},
			} {
				w.env["SOURCE_DATE_EPOCH"], w.env["GIT_AUTHOR_DATE"] = c.epoch, c.date
				got, err := w.open("r").who.Of("author")
				if err != nil || got.When.Format("2006-01-02T15:04:05Z07:00") != c.want || got.Name != "Ada" || got.Email != "ada@example.com" {
					t.Errorf("with SOURCE_DATE_EPOCH=%s and GIT_AUTHOR_DATE=%s: %+v, %v: want %s", c.epoch, c.date, got, err, c.want)
				}
			}
		})
	}
}

// The same as for git, the author is that of a file included for a folder that is
// reached through a link.
func TestIdentityIncludedThroughALink(t *testing.T) {
	w := newWorld(t)
	w.repo("real/r", nil)
	if err := os.Symlink("real", filepath.Join(w.home, "work")); err != nil {
		t.Fatal(err)
	}
	w.write("work.inc", "[user]\n\temail = me@company.test\n")
	w.write(".gitconfig", w.read(".gitconfig")+"[includeIf \"gitdir:"+w.home+"/work/\"]\n\tpath = work.inc\n")
	if got, err := w.open("work/r").who.Of("author"); err != nil || got.Email != "me@company.test" {
		t.Errorf("identity = %+v, %v, want me@company.test", got, err)
	}
}

func TestTrailersAreWhereGitPutsThem(t *testing.T) {
	w := newWorld(t)
	trailers := []Trailer{{"Pm-Gitops-Plan", "sha256:abc"}, {"Pm-Gitops-Version", "v1"}}
	for name, text := range map[string]string{
		"title":               "feat: x\n",
		"no line break":       "feat: x",
		"body":                "feat: x\n\nBody text.\n",
		"trailers":            "feat: x\n\nBody.\n\nSigned-off-by: Ada <ada@example.com>\n",
		"other trailers":      "feat: x\n\nBody.\n\nReviewed-by: Ada\nIssue: 12\n",
		"not all":             "feat: x\n\nThis is a text.\nIssue: 12\n",
		"mostly not":          "feat: x\n\nSome\nlines\nof text\nSigned-off-by: Ada <a@x>\n",
		"a quarter":           "feat: x\n\nline\ntwo\nSigned-off-by: Ada <a@x>\n",
		"cherry-picked":       "feat: x\n\n(cherry picked from commit 1234)\n",
		"goes on":             "feat: x\n\nKey: value\n  goes on\n",
		"white space":         "\n\nfeat: x   \n\n\n\nBody.\t\n\n\n",
		"there already":       "feat: x\n\nPm-Gitops-Plan: sha256:abc\n",
		"title like trailers": "Key: value\n",
	} {
		t.Run(name, func(t *testing.T) {
			w.write("message", strings.Join(cleanLines(text), "\n")+"\n")
			want := w.git(".", "interpret-trailers", "--trailer", "Pm-Gitops-Plan: sha256:abc", "--trailer", "Pm-Gitops-Version: v1", "message")
			if diff := cmp.Diff(want, Message{text, trailers}.String()); diff != "" {
				t.Errorf("git says (-), we say (+):\n%s", diff)
			}
		})
	}
}

func TestIgnoredIsWhatGitIgnores(t *testing.T) {
	w := newWorld(t)
	w.repo("r", nil)
	w.write("r/.gitignore", "*.log\n!keep.log\n/top\nfoo/\na/**/z\n**/deep\nabc/**\n\\#hash\n\\!bang\ntrail\\ \nspace   \n*.[oa]\nq?x\ndoc/*.txt\n{a,b}\nx**y\n!foo/inside\nw[!a]w\n")
	w.write("r/sub/.gitignore", "!*.log\n/only\nnested/\n")
	g := settings.NewIgnores(w.readIn("r"))
	asked := settings.NewRules(w.open("r").git)
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

// readIn reads files of a folder, as those of a commit are read.
func (w *world) readIn(dir string) func(string) []byte {
	return func(name string) []byte {
		content, _ := os.ReadFile(filepath.Join(w.home, dir, name))
		return content
	}
}

func TestAttributesAreWhatGitReads(t *testing.T) {
	w := newWorld(t)
	w.repo("r", nil)
	w.write("r/.gitattributes", "[attr]lfs filter=lfs diff=lfs -text\n* text=auto\n*.bin binary\n*.yaml text eol=lf\n*.yaml -eol\n\"with space.txt\" filter=x\nsub/*.md ident\n/top.md ident !text\nvendor/** -text\n*.lfs lfs\n*.lfs text\n#c ident\n!neg ident\ndir/ ident\n*.a ident -ident ident=x\n")
	w.write("r/sub/.gitattributes", "*.yaml text=auto !eol\n[attr]no filter=y\nx.md -ident\nno no\n")
	a, asked := settings.NewAttributes(w.readIn("r")), settings.NewRules(w.open("r").git)
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

// What is stored is what git add stores.
func TestBytesAreStoredAsGitStoresThem(t *testing.T) {
	const windows, mixed, binary = "a\r\nb\r\n", "a\r\nb\nc\rd\r\n", "a\r\n\x00b\r\n"
	for name, c := range map[string]struct{ attributes, autocrlf, content, before string }{
		"nothing said":            {"", "", windows, ""},
		"text":                    {"* text", "", windows, ""},
		"text, mixed":             {"* text", "", mixed, ""},
		"text, binary":            {"* text", "", binary, ""},
		"auto":                    {"* text=auto", "", windows, ""},
		"auto, mixed":             {"* text=auto", "", mixed, ""},
		"auto, binary":            {"* text=auto", "", binary, ""},
		"auto, had such lines":    {"* text=auto", "", windows, "z\r\n"},
		"auto, had other lines":   {"* text=auto", "", windows, "z\n"},
		"autocrlf":                {"", "true", windows, ""},
		"autocrlf=input":          {"", "input", windows, ""},
		"autocrlf, had such ones": {"", "input", windows, "z\r\n"},
		"-text and autocrlf":      {"* -text", "true", windows, ""},
		"binary and autocrlf":     {"* binary", "true", windows, ""},
		"eol=crlf":                {"* eol=crlf", "", windows, ""},
		"eol=lf and auto":         {"* text=auto eol=lf", "", mixed, ""},
		"old name":                {"* crlf", "", windows, ""},
		"old name, off":           {"* -crlf", "true", windows, ""},
		"old name, input":         {"* crlf=input", "", windows, ""},
		"ident":                   {"* ident", "", "# $Id: 1234 $ $Id$ $Id: x\n$", ""},
		"not printable":           {"* text=auto", "", "\x01\x02\x03\r\n", ""},
		"DOS's end":               {"* text=auto", "", "a\r\n\x1a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			files := map[string]string{".gitattributes": "\n"}
			if c.before != "" {
				files["x/f"] = c.before
			}
			w.repo("r", files)
			w.git("r", "config", "core.safecrlf", "false")
			if c.autocrlf != "" {
				w.git("r", "config", "core.autocrlf", c.autocrlf)
			}
			w.write("r/.gitattributes", c.attributes+"\n")
			w.git("r", "commit", "-qam", "attributes", "--allow-empty")
			w.git(".", "clone", "-q", "r", "peer")
			w.git("peer", "config", "core.autocrlf", c.autocrlf+" ")
			if err := os.WriteFile(filepath.Join(w.home, "peer/.git/config"), []byte(w.read("r/.git/config")), 0o666); err != nil {
				t.Fatal(err)
			}
			w.put("peer", map[string]string{"x/f": c.content})
			w.git("peer", "add", "x/f")
			w.commit("r", w.put("r", map[string]string{"x/f": c.content}))
			want := strings.Fields(w.git("peer", "ls-files", "-s", "x/f"))[1]
			if got := strings.TrimSpace(w.git("r", "rev-parse", "HEAD:x/f")); got != want {
				t.Errorf("stored %q, git stores %q", w.git("r", "cat-file", "blob", got), w.git("peer", "cat-file", "blob", want))
			}
			if got := w.git("r", "status", "--porcelain"); got != "" {
				t.Errorf("status = %s", got)
			}
		})
	}
}
