package cli

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"testing"
)

func TestVersionOf(t *testing.T) {
	settings := func(pairs ...string) (all []debug.BuildSetting) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, debug.BuildSetting{Key: pairs[i], Value: pairs[i+1]})
		}
		return all
	}
	const revision, when = "0123456789abcdef0123456789abcdef01234567", "2026-01-02T04:04:05+01:00"
	tests := []struct {
		name, release, module string
		settings              []debug.BuildSetting
		want                  string
	}{
		{"the linker's", "v2.0.0", "v1.0.0", nil, "v2.0.0"},
		{"a module's", "", "v1.0.0", settings("vcs.revision", revision), "v1.0.0"},
		{"a commit", "", "(devel)", settings("vcs.revision", revision, "vcs.time", when, "vcs.modified", "false"), "v0.0.0-20260102030405-0123456789ab"},
		{"edited", "", "(devel)", settings("vcs.revision", revision, "vcs.time", when, "vcs.modified", "true"), "v0.0.0-20260102030405-0123456789ab+dirty"},
		{"no time", "", "(devel)", settings("vcs.revision", revision, "vcs.modified", "false"), "unknown"},
		{"nothing", "", "(devel)", nil, "unknown"},
		{"no module", "", "", nil, "unknown"},
	}
	for _, tt := range tests {
		if got := versionOf(tt.release, debug.BuildInfo{Main: debug.Module{Version: tt.module}, Settings: tt.settings}); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestVersionOfBuilds: a program that Go built in a checkout has a version that names the
// commit, whether or not Go itself takes one from there.
func TestVersionOfBuilds(t *testing.T) {
	for _, program := range []string{"go", "git"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s program", program)
		}
	}
	top := t.TempDir()
	run := func(dir, program string, args ...string) {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=auto", "GOWORK=off", "GIT_CONFIG_NOSYSTEM=1", "HOME="+top, "GOCACHE="+goEnv(t, "GOCACHE"), "GOPATH="+goEnv(t, "GOPATH"),
			"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", program, args, err, out)
		}
	}
	built := func(dir string, flags ...string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "program")
		run(dir, "go", append(append([]string{"build", "-o", file}, flags...), ".")...)
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return versionOf("", *info)
	}
	below := filepath.Join(top, "repository", "below")
	if err := os.MkdirAll(below, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"go.mod": "module example.com/program\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"} {
		for _, dir := range []string{filepath.Dir(below), below} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	repository := filepath.Dir(below)
	run(repository, "git", "init", "-q")
	run(repository, "git", "add", ".")
	run(repository, "git", "commit", "-q", "-m", "one")
	want := func(what, got, pattern string) {
		t.Helper()
		if !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%s: version %q, want %s", what, got, pattern)
		}
	}
	want("a commit", built(repository), `^v0\.0\.0-\d{14}-[0-9a-f]{12}$`)
	want("a module below the root", built(below), `^v0\.0\.0-\d{14}-[0-9a-f]{12}$`)
	want("without Git", built(repository, "-buildvcs=false"), `^unknown$`)
	run(repository, "git", "tag", "v1.2.3")
	want("a tag", built(repository), `^v1\.2\.3$`)
	if err := os.WriteFile(filepath.Join(repository, "main.go"), []byte("package main\n\nfunc main() { _ = 1 }\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	want("edited", built(repository), `^v1\.2\.3\+dirty$`)
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out[:len(out)-1])
}
