//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// remoteAim is the whole way to a remote, ours to that of the git program.
const remoteAim = 0.1

// The repository that is committed to.
const (
	remoteFiles   = 100_000
	remoteCommits = 1_000
)

// BenchmarkRemote goes the whole way to a repository of 100,000 files without a
// checkout: read, render, commit, push. Beside it, git clone --depth=1, add,
// commit and push of the same files, which somebody has rendered: what that takes
// us is told apart. Other trees than git's fail.
func BenchmarkRemote(b *testing.B) {
	program := filepath.Join(b.TempDir(), "pm-gitops")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	sizes := []int{10, 100}
	if os.Getenv("PM_GITOPS_BENCH") == "full" {
		sizes = append(sizes, 1000)
	}
	for _, environments := range sizes {
		b.Run(fmt.Sprintf("environments=%d", environments), func(b *testing.B) { benchmarkRemote(b, program, environments) })
	}
}

func benchmarkRemote(b *testing.B, program string, environments int) {
	w := newGitWorld(b)
	b.Setenv("HOME", w.dir)
	b.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	b.Setenv("SOURCE_DATE_EPOCH", "1750000000")
	w.git(".", "init", "-q", "--bare", "fleet.git")
	for _, setting := range []string{"uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"} {
		w.git("fleet.git", "config", setting, "true")
	}
	w.history(fleetOf(b, environments))
	url := "file://" + filepath.Join(w.dir, "fleet.git")
	ours, theirs, rendering := timed{name: "remote"}, timed{name: "git"}, timed{name: "render"}
	var memory int64
	for i := 0; b.Loop(); i++ {
		w.retag(environments, i)
		forgetMemory(b)
		run := measure(b, nil, program, "render", "--repo", url, "--branch", fmt.Sprintf("ours-%d", i), "-f", "environments", "--quiet")
		ours.add(run)
		memory = max(memory, run.memory)
		clone := filepath.Join(w.dir, fmt.Sprintf("clone-%d", i))
		took := measure(b, nil, "git", "clone", "-q", "--depth=1", url, clone).took
		b.Chdir(clone)
		rendering.add(measure(b, nil, program, "render", "-f", "environments", "--dir", ".", "--quiet"))
		for _, args := range [][]string{{"add", "-A"}, {"commit", "-q", "-m", "bench"}, {"push", "-q", "origin", fmt.Sprintf("HEAD:theirs-%d", i)}} {
			took += measure(b, nil, "git", args...).took
		}
		theirs.add(usage{took: took})
		if mine, other := w.git("fleet.git", "rev-parse", fmt.Sprintf("ours-%d^{tree}", i)), w.git("fleet.git", "rev-parse", fmt.Sprintf("theirs-%d^{tree}", i)); mine != other {
			b.Fatalf("our tree is %s, git's is %s", mine, other)
		}
		b.Chdir(w.dir)
		if err := os.RemoveAll(clone); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d environments: rendering alone into a folder takes %.1f ms, and the most memory of ours is %.0f MB", environments, rendering.median(), float64(memory)/1e6)
	compare(b, ours, theirs, remoteAim)
}

// forgetMemory has this process count its peak of memory anew: what it starts
// would begin where it stands. https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
func forgetMemory(b *testing.B) {
	b.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

// history fills the repository with files and commits, and environments.
func (w gitWorld) history(environments string) {
	var in strings.Builder
	commit := func(n int) {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 1\n.\n", 1_600_000_000+n)
	}
	write := func(i, version int) {
		content := fmt.Sprintf("file: %d\nversion: %d\ntext: %s\n", i, version, strings.Repeat(fmt.Sprintf("%x ", i*7919), 60))
		fmt.Fprintf(&in, "M 100644 inline services/group-%02d/service-%03d/file-%03d.yaml\ndata %d\n%s\n", i/10_000, i/100%100, i%100, len(content), content)
	}
	commit(0)
	for i := range remoteFiles {
		write(i, 0)
	}
	for n := 1; n < remoteCommits; n++ {
		commit(n)
		for i := range 5 {
			write((n*31+i*977)%remoteFiles, n)
		}
	}
	w.fastImport(in.String())
	if err := os.Rename(environments, filepath.Join(w.dir, "environments")); err != nil {
		w.Fatal(err)
	}
}

// retag gives every environment another tag, in a commit.
func (w gitWorld) retag(environments, n int) {
	var in strings.Builder
	fmt.Fprintf(&in, "commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 1\n.\nfrom refs/heads/main^0\n", time.Now().Unix())
	for i := range environments {
		content, err := os.ReadFile(filepath.Join(w.dir, "environments", memberFile(i)))
		if err != nil {
			w.Fatal(err)
		}
		text := strings.Replace(string(content), `server: "2025.10.`, fmt.Sprintf(`server: "2026.%d.`, n), 1)
		fmt.Fprintf(&in, "M 100644 inline environments/%s\ndata %d\n%s\n", memberFile(i), len(text), text)
	}
	w.fastImport(in.String())
}

func (w gitWorld) fastImport(stream string) {
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env, cmd.Stdin = filepath.Join(w.dir, "fleet.git"), w.env, strings.NewReader(stream)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.Fatalf("git fast-import: %v\n%s", err, out)
	}
}
