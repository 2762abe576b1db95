package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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

// What is read comes from one URL and goes to another, where the configuration says so.
func TestPushesGoToAnotherURL(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	w.git(".", "clone", "-q", "--bare", "origin", "two")
	before := w.git("origin", "rev-parse", "main")
	w.write(".gitconfig", w.read(".gitconfig")+"[url \"file://"+w.home+"/two\"]\n\tpushInsteadOf = file://"+w.home+"/origin\n")
	r := w.remote("file://"+w.home+"/origin", RemoteOptions{})
	made, err := r.Commit(context.Background(), always(ours), said("ours"))
	if err != nil || r.URL() != "file://"+w.home+"/two" {
		t.Fatalf("Commit to %s = %v", r.URL(), err)
	}
	if got := w.git("origin", "rev-parse", "main") + w.git("two", "rev-parse", "main"); got != before+made.Hash+"\n" {
		t.Errorf("the branches are at %s", got)
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

// TestTrailersAsGit: the trailers of a message are those that git parses.
func TestTrailersAsGit(t *testing.T) {
	w := newWorld(t)
	for name, message := range map[string]string{
		"none":    "subject\n\nPm-Gitops-Version: v1 is not\nalone here\n",
		"subject": "Pm-Gitops-Version: v1\n",
		"ours":    "subject\n\nbody\n\nPm-Gitops-Plan: sha256:abc\nPm-Gitops-Version: v1\n",
		"above":   "subject\n\nPm-Gitops-Version: v1\n\nCo-authored-by: Ada <ada@example.com>\n",
	} {
		w.write("message", message)
		want := w.git(".", "interpret-trailers", "--parse", "message")
		var got []string
		for _, trailer := range Trailers(message) {
			got = append(got, trailer.Key+": "+trailer.Value)
		}
		if joined := strings.Join(got, "\n"); joined != strings.TrimSpace(want) {
			t.Errorf("%s: %q, git says %q", name, joined, want)
		}
	}
}
