//go:build linux

package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
	"github.com/pm-gitops/pm-gitops/cmd/internal/killtest"
)

// gitWorld is a folder with repositories, and who commits to them.
type gitWorld struct {
	testing.TB
	dir string
	env []string
}

func newGitWorld(t testing.TB) gitWorld {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git program")
	}
	home := t.TempDir()
	put(t, home, ".gitconfig", "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n")
	return gitWorld{t, home, append(os.Environ(), "HOME="+home, "GIT_CONFIG_NOSYSTEM=1", "XDG_CONFIG_HOME=")}
}

// git runs git in a folder below the world's, and gives what it prints.
func (w gitWorld) git(dir string, args ...string) string {
	w.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = filepath.Join(w.dir, dir), w.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// fleet is a checkout with environments, and the repository it is cloned from.
func (w gitWorld) fleet(environments int) {
	w.git(".", "init", "-q", "work")
	for i := range environments {
		name := fmt.Sprintf("env-%02d", i)
		put(w, w.dir, "work/environments/"+name+".yaml", strings.Replace(plain, "name: dev", "name: "+name, 1))
	}
	w.git("work", "add", ".")
	w.git("work", "commit", "-q", "-m", "environments")
	w.git(".", "clone", "-q", "--bare", "work", "fleet.git")
	// What comes stays in one pack: a server whose client was killed goes on for a
	// moment, and fsck would see objects that come one by one.
	w.git("fleet.git", "config", "receive.unpackLimit", "1")
	w.git("work", "remote", "add", "origin", filepath.Join(w.dir, "fleet.git"))
	w.git("work", "fetch", "-q")
	w.git("work", "branch", "-q", "-u", "origin/main")
}

// whole fails unless a commit has every file of every inventory as the inventory
// says, as sha256 tells.
func (w gitWorld) whole(dir, revision string) (environments int) {
	w.Helper()
	files := map[string][]byte{}
	archive := tar.NewReader(strings.NewReader(w.git(dir, "archive", revision)))
	for header, err := archive.Next(); err != io.EOF; header, err = archive.Next() {
		if err != nil {
			w.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			w.Fatal(err)
		}
	}
	for name, content := range files {
		if !strings.Contains(name, "/.pm-gitops/") || strings.HasSuffix(name, "/") {
			continue
		}
		environments++
		var inventory struct{ Files map[string]string }
		if err := json.Unmarshal(content, &inventory); err != nil {
			w.Fatalf("%s of %s: %v", name, revision, err)
		}
		for file, digest := range inventory.Files {
			if got := fmt.Sprintf("sha256:%x", sha256.Sum256(files[file])); got != digest {
				w.Errorf("%s of %s has digest %s, and %s says %s", file, revision, got, name, digest)
			}
		}
	}
	return environments
}

// Twenty processes commit different environments to one branch at once: each
// arrives once, and nothing of another is lost.
func TestManyCommitAtOnce(t *testing.T) {
	const many = 20
	w := newGitWorld(t)
	w.fleet(many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			got := executeCommand(t, t.TempDir(), func(cmd *exec.Cmd) { cmd.Env = w.env },
				"render", "--repo", "file://"+w.dir+"/fleet.git", "-f", fmt.Sprintf("environments/env-%02d.yaml", i))
			if got.code != cli.ExitDone {
				t.Errorf("environment %d: exit code %d\n%s", i, got.code, got.stderr)
			}
		})
	}
	all.Wait()
	w.git("fleet.git", "fsck", "--strict", "--full")
	if got := w.git("fleet.git", "rev-list", "--count", "--no-merges", "main"); got != fmt.Sprintln(many+1) {
		t.Errorf("%s commits, want %d", got, many+1)
	}
	if merges := w.git("fleet.git", "rev-list", "--merges", "main"); merges != "" {
		t.Errorf("merges: %s", merges)
	}
	for i := range many {
		subject := fmt.Sprintf("chore(prefect/env-%02d): render for flux", i)
		if got := w.git("fleet.git", "log", "--format=%s", "--fixed-strings", "--grep", subject, "main"); got != subject+"\n" {
			t.Errorf("commits of environment %d: %q", i, got)
		}
	}
	if got := w.whole("fleet.git", "main"); got != many {
		t.Errorf("%d environments, want %d", got, many)
	}
}

// Killed at any point of writing, committing and pushing, the repositories are
// sound, every file is the old or the new one, no commit holds half a tree, and
// the next run finishes the job.
func TestKilledCommitIsFinishedByTheNext(t *testing.T) {
	w := newGitWorld(t)
	w.fleet(3)
	random := rand.New(rand.NewPCG(6, 6))
	args := []string{"render", "-f", "environments", "--dir", ".", "--commit", "--push"}
	own := program(t) // building it is no part of the time that a run takes
	start := func() *exec.Cmd {
		cmd := exec.Command(own, args...)
		cmd.Dir, cmd.Env = filepath.Join(w.dir, "work"), w.env
		return cmd
	}
	began := time.Now()
	if out, err := start().CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	took := time.Since(began)
	runs, killed := 0, 0
	for run := range killtest.Rounds(40, func() bool { return killed > runs/4 }) {
		runs++
		for i := range 3 {
			name := fmt.Sprintf("env-%02d", i)
			put(t, w.dir, "work/environments/"+name+".yaml", strings.NewReplacer("name: dev", "name: "+name, "2025.10.1", fmt.Sprintf("2025.11.%d", run)).Replace(plain))
		}
		w.git("work", "commit", "-q", "-a", "-m", "tags")
		before := picture(t, filepath.Join(w.dir, "work/prefect"))
		cmd := start()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(took))))
		_ = cmd.Process.Kill()
		var exit *exec.ExitError
		if err := cmd.Wait(); errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
			killed++
		}
		after := picture(t, filepath.Join(w.dir, "work/prefect"))
		for _, dir := range []string{"work", "fleet.git"} {
			w.git(dir, "fsck", "--strict", "--no-dangling")
			w.whole(dir, "main")
		}
		if out, err := start().CombinedOutput(); err != nil {
			t.Fatalf("run %d, again: %v\n%s", run, err, out)
		}
		if status := w.git("work", "status", "--porcelain", "--branch"); status != "## main...origin/main\n" {
			t.Fatalf("run %d, again: %s", run, status)
		}
		final := picture(t, filepath.Join(w.dir, "work/prefect"))
		for name, content := range final {
			if got, found := after[name]; found && got != before[name] && got != content {
				t.Errorf("run %d left %s neither old nor new: %q", run, name, got)
			}
		}
	}
	if killed < runs/4 {
		t.Errorf("%d of %d were killed: the others were done before", killed, runs)
	}
}
