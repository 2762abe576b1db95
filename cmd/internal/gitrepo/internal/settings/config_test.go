package settings

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gittest"
)

// system is the system of a world, whose clock stands.
func system(w *gittest.World) System {
	return System{
		Getenv:  func(name string) string { return w.Env[name] },
		Environ: w.Environ(),
		Now:     func() time.Time { return time.Date(2025, 11, 3, 12, 0, 0, 0, time.UTC) },
	}
}

// identitiesOf reads the configuration of a repository.
func identitiesOf(t *testing.T, w *gittest.World, dir string) *Identities {
	t.Helper()
	sys, full := system(w), filepath.Join(w.Home, dir)
	git := FindGit(sys, full)
	config, err := ReadConfig(sys, git, filepath.Join(full, ".git"))
	if err != nil {
		t.Fatal(err)
	}
	return &Identities{Sys: sys, Git: git, Config: config}
}

// outsideOf reads the same configuration as the user's, without a repository.
func outsideOf(t *testing.T, w *gittest.World, more string) *Identities {
	t.Helper()
	if w.Env["GIT_CONFIG_GLOBAL"] != os.DevNull {
		more = w.Read(".gitconfig") + more
	}
	w.Write("global", more)
	sys := system(w)
	sys.Environ = append(sys.Environ, "GIT_CONFIG_GLOBAL="+filepath.Join(w.Home, "global"))
	git := FindGit(sys, "")
	config, err := ReadConfig(sys, git, "")
	if err != nil {
		t.Fatal(err)
	}
	return &Identities{Sys: sys, Git: git, Config: config}
}

// What we read is what git reads, from every place there is.
func TestConfigurationIsWhatGitReads(t *testing.T) {
	w := gittest.New(t)
	w.Repo("work/r", nil)
	w.Git("work/r", "checkout", "-q", "-b", "feature/x")
	w.Env["GIT_CONFIG_NOSYSTEM"] = "0"
	w.Env["GIT_CONFIG_SYSTEM"] = filepath.Join(w.Home, "system")
	w.Write("system", "\ufeff[core]\r\n\tpager = less\r\n[system]\n\tonly\n")
	w.Write(".config/git/config", "[user]\n\tname = From XDG\n[xdg]\n\tonly = 1\n")
	w.Write(".gitconfig", `[User] Name = "Grace \"Amazing\" Hopper" ; comment
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
	w.Write("extra.inc", "[extra]\n\tx = 1\n[include]\n\tpath = inc/nested\n")
	for _, name := range []string{"work", "relative", "other", "case", "dot", "branch", "main", "remote", "nested"} {
		w.Write("inc/"+name, "[inc]\n\t"+name+" = yes\n[last]\n\tword = "+name+"\n")
	}
	w.Git("work/r", "config", "remote.origin.url", "https://git.company.com/platform/fleet.git")
	w.Git("work/r", "config", "extensions.worktreeConfig", "true")
	w.Git("work/r", "config", "--worktree", "only.worktree", "1")
	w.Env["GIT_CONFIG_COUNT"], w.Env["GIT_CONFIG_KEY_0"], w.Env["GIT_CONFIG_VALUE_0"] = "2", "Env.Sub.Section.Key", "v = 1"
	w.Env["GIT_CONFIG_KEY_1"], w.Env["GIT_CONFIG_VALUE_1"] = "last.word", "environment"
	for name, global := range map[string]string{"home": "", "GIT_CONFIG_GLOBAL": filepath.Join(w.Home, "inc/work")} {
		w.Env["GIT_CONFIG_GLOBAL"] = global
		if global == "" {
			delete(w.Env, "GIT_CONFIG_GLOBAL")
		}
		var want Config
		for entry := range strings.SplitSeq(strings.TrimSuffix(w.Git("work/r", "config", "--list", "-z"), "\x00"), "\x00") {
			key, value, set := strings.Cut(entry, "\n")
			if !set {
				value = "true"
			}
			want = append(want, Setting{key, value})
		}
		want = append(want, Setting{"core.fsmonitor", "false"}) // of our own run
		if diff := cmp.Diff(want, identitiesOf(t, w, "work/r").Config); diff != "" {
			t.Errorf("%s: git reads (-), we read (+):\n%s", name, diff)
		}
	}
}

// Without a repository, what we read is what git reads there, whatever repository the
// variables and the current folder are about.
func TestConfigurationOutsideOfRepositories(t *testing.T) {
	w := gittest.New(t)
	w.Repo("r", nil)
	w.Git("r", "config", "http.extraHeader", "X: of a repository")
	w.Write("empty/x", "")
	w.Write("system", "[a]\n\tsystem = 1\n")
	w.Write("global", "[a]\n\tglobal = 1\n[include]\n\tpath = inc\n")
	w.Write("inc", "[a]\n\tincluded = 1\n")
	w.Write(".config/git/config", "[a]\n\txdg = 1\n")
	w.Write(".gitconfig", w.Read(".gitconfig")+"[a]\n\tx = 1\n\tx = 2\n[includeIf \"gitdir:**\"]\n\tpath = inc\n[includeIf \"onbranch:main\"]\n\tpath = inc\n[includeIf \"hasconfig:remote.*.url:**\"]\n\tpath = inc\n")
	for _, env := range []map[string]string{
		{}, {"GIT_CONFIG_SYSTEM": w.Home + "/system", "GIT_CONFIG_NOSYSTEM": "0"}, {"GIT_CONFIG_SYSTEM": w.Home + "/system", "GIT_CONFIG_NOSYSTEM": "yes"},
		{"GIT_CONFIG_SYSTEM": w.Home + "/system", "GIT_CONFIG_NOSYSTEM": "off"}, {"GIT_CONFIG_GLOBAL": w.Home + "/global"}, {"XDG_CONFIG_HOME": w.Home + "/none"},
		{"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "a.x", "GIT_CONFIG_VALUE_0": "3", "GIT_CONFIG_KEY_1": "http.https://git.test/.extraHeader", "GIT_CONFIG_VALUE_1": "X: 1"},
		{"GIT_CONFIG_PARAMETERS": "'a.y'='1'"},
	} {
		for name, value := range env {
			w.Env[name] = value
		}
		var want Config
		for entry := range strings.SplitSeq(strings.TrimSuffix(w.Git("empty", "config", "--list", "-z"), "\x00"), "\x00") {
			key, value, _ := strings.Cut(entry, "\n")
			want = append(want, Setting{key, value})
		}
		w.Env["GIT_DIR"], w.Env["GIT_WORK_TREE"] = w.Home+"/r/.git", w.Home+"/r"
		sys := system(w)
		got, err := ReadConfig(sys, FindGit(sys, ""), "")
		if diff := cmp.Diff(append(want, Setting{"core.fsmonitor", "false"}), got); diff != "" || err != nil {
			t.Errorf("with %v, %v: git reads (-), we read (+):\n%s", env, err, diff)
		}
		if got, err := ReadConfig(sys, nil, ""); err != nil || env["GIT_CONFIG_NOSYSTEM"] != "" && (got.Get("a.system") != "") != (want.Get("a.system") != "") {
			t.Errorf("with %v and without git we read %v, %v", env, got, err)
		}
		for _, name := range append(slices.Collect(maps.Keys(env)), "GIT_DIR", "GIT_WORK_TREE") {
			delete(w.Env, name)
		}
		w.Env["GIT_CONFIG_NOSYSTEM"] = "1"
	}
}

func TestIdentityIsWhatGitSays(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		env    map[string]string
	}{
		"user":                   {},
		"author":                 {config: "[author]\n\tname = A. Author\n[committer]\n\temail = c@example.com\n"},
		"environment":            {env: map[string]string{"GIT_AUTHOR_NAME": "E", "GIT_AUTHOR_EMAIL": "e@x", "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@x"}},
		"address elsewhere":      {config: "[user]\n\tname = Ada\n", env: map[string]string{"GIT_CONFIG_GLOBAL": os.DevNull, "EMAIL": "elsewhere@example.com"}},
		"odd characters":         {config: "[user]\n\tname = \"  .Ada <L>, \"\n\temail = \"<ada@x>;\"\n"},
		"not ASCII":              {config: "[user]\n\tname = Ådå Łövelace\n"},
		"seconds":                {env: map[string]string{"GIT_AUTHOR_DATE": "@1700000000 +0530", "GIT_COMMITTER_DATE": "1700000000 -0800"}},
		"RFC 2822":               {env: map[string]string{"GIT_AUTHOR_DATE": "Thu, 07 Apr 2005 22:13:13 +0200", "GIT_COMMITTER_DATE": "Thu, 7 Apr 2005 22:13:13 +0200"}},
		"ISO 8601":               {env: map[string]string{"GIT_AUTHOR_DATE": "2005-04-07T22:13:13+02:00", "GIT_COMMITTER_DATE": "2005-04-07 22:13:13 +0200"}},
		"ISO 8601 in UTC":        {env: map[string]string{"GIT_AUTHOR_DATE": "2005-04-07T22:13:13Z", "GIT_COMMITTER_DATE": "2005-04-07T22:13:13+0000"}},
		"words":                  {env: map[string]string{"GIT_AUTHOR_DATE": "Apr 7 2005 22:13:13 +0200", "GIT_COMMITTER_DATE": "2005.04.07T22:13:13 +0200"}},
		"the configuration only": {config: "[user]\n\tname = Ada\n\tuseConfigOnly = true\n", env: map[string]string{"GIT_CONFIG_GLOBAL": os.DevNull, "EMAIL": "elsewhere@example.com"}},
		"of one role only":       {config: "[author]\n\temail = a@x\n"},
		"only the date's own":    {env: map[string]string{"GIT_AUTHOR_DATE": "@1 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := gittest.New(t)
			w.Repo("r", nil)
			w.Write("r/.git/config", w.Read("r/.git/config")+c.config)
			for key, value := range c.env {
				w.Env[key] = value
			}
			for _, role := range []string{"author", "committer"} {
				upper := "GIT_" + strings.ToUpper(role)
				if w.Env[upper+"_DATE"] == "" {
					w.Env[upper+"_DATE"] = "@1762171200 +0000"
				}
				want, gitErr := w.Try("r", "var", upper+"_IDENT")
				all := map[string]*Identities{"in the repository": identitiesOf(t, w, "r"), "outside": outsideOf(t, w, c.config)}
				if c.env[upper+"_DATE"] == "" {
					all["without git"] = &Identities{Sys: system(w), Config: all["outside"].Config}
				}
				for where, of := range all {
					got, err := of.Of(role)
					if (err != nil) != (gitErr != nil) || err == nil && got.Line() != strings.TrimSpace(want) {
						t.Errorf("%s: identity(%s) = %s, %v\nwant %s", where, role, got.Line(), err, want)
					}
				}
			}
		})
	}
}

func TestDates(t *testing.T) {
	for name, path := range map[string]string{"git": os.Getenv("PATH"), "no git": "/nowhere"} {
		t.Run(name, func(t *testing.T) {
			w := gittest.New(t)
			w.Repo("r", nil)
			w.Env["PATH"] = path
			for _, c := range []struct{ epoch, date, want string }{
				{"1700000000", "", "2023-11-14T22:13:20Z"},
				{"1700000000", "@1 +0100", "1970-01-01T01:00:01+01:00"},
				{"", "2005-04-07T22:13:13+02:00", "2005-04-07T22:13:13+02:00"},
				{"", "", "2025-11-03T12:00:00Z"},
			} {
				w.Env["SOURCE_DATE_EPOCH"], w.Env["GIT_AUTHOR_DATE"] = c.epoch, c.date
				got, err := identitiesOf(t, w, "r").Of("author")
				if err != nil || got.When.Format("2006-01-02T15:04:05Z07:00") != c.want || got.Name != "Ada" || got.Email != "ada@example.com" {
					t.Errorf("with SOURCE_DATE_EPOCH=%s and GIT_AUTHOR_DATE=%s: %+v, %v: want %s", c.epoch, c.date, got, err, c.want)
				}
			}
		})
	}
}
