//go:build linux

package gitrepo

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// The aims: ratios of ours to the git program.
const (
	commitAim = 0.25 // a commit to git add and git commit
	pushAim   = 1    // a push to git push
	remoteAim = 0.1  // a commit to a remote to git clone --depth 1, add, commit and push
)

const (
	benchFiles   = 100_000
	benchCommits = 1_000
)

// BenchmarkGit runs whole processes, ours and git, by the clock on the wall, in a
// repository of 100,000 files and 1,000 commits, served over HTTPS by git
// http-backend. An aim that is missed is said and fails nothing, for a busy
// machine misses any; another tree than git's fails.
func BenchmarkGit(b *testing.B) {
	w := newWorld(b)
	w.history("origin", benchFiles, benchCommits)
	url := w.serveHTTPS().URL + "/origin"
	w.git(".", "config", "--global", "credential.helper", "!f() { echo username=ada; echo password="+canary+"; }; f")
	w.git(".", "config", "--global", "http.sslCAInfo", filepath.Join(w.home, "ca.pem"))
	for _, dir := range []string{"ours", "theirs"} {
		w.git(".", "clone", "-q", url, dir)
	}
	for _, files := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) { w.compare(b, url, files) })
	}
}

// BenchmarkMemory is how much memory a process of ours takes at most for a commit
// to a remote: as much after 2,000 commits as after the first one.
func BenchmarkMemory(b *testing.B) {
	w := newWorld(b)
	url := w.serveHTTPS().URL
	peaks := map[int]*measured{}
	for _, commits := range []int{1, 2_000} {
		w.history(fmt.Sprint("origin-", commits), benchFiles, commits)
		peaks[commits] = &measured{}
	}
	for b.Loop() {
		for commits, peak := range peaks {
			e := benchErrand(100, int(errandCount.Add(1))+10_000)
			e.URL = fmt.Sprintf("%s/origin-%d", url, commits)
			_, kilobytes := w.errandTook(b, e)
			peak.add(float64(kilobytes) / 1024)
		}
	}
	b.ReportMetric(0, "ns/op")
	for commits, peak := range peaks {
		b.ReportMetric(peak.median(), fmt.Sprintf("MB-after-%d-commits", commits))
	}
	if one, many := peaks[1].median(), peaks[2_000].median(); many > one*1.25 {
		b.Errorf("it takes %.0f MB after one commit, and %.0f MB after 2,000", one, many)
	}
}

// history makes a bare repository with files and commits, from a stream that git
// fast-import reads.
func (w *world) history(dir string, files, commits int) {
	w.t.Helper()
	w.origin(dir, nil)
	var in strings.Builder
	commit := func(n int) {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 1\n.\n", 1_600_000_000+n)
	}
	write := func(i, version int) {
		content := benchFile(i, version)
		fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", benchName(i), len(content), content)
	}
	commit(0)
	for i := range files {
		write(i, 0)
	}
	for n := 1; n < commits; n++ {
		commit(n)
		for i := range 5 {
			write((n*31+i*977)%files, n)
		}
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env, cmd.Stdin = filepath.Join(w.home, dir), w.environ(), strings.NewReader(in.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
}

func benchName(i int) string {
	return fmt.Sprintf("fleet/group-%02d/env-%03d/file-%03d.yaml", i/10_000, i/100%100, i%100)
}

func benchFile(i, version int) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: file-%d}\ndata:\n  version: %q\n  text: %s\n", i, fmt.Sprint(version), strings.Repeat(fmt.Sprintf("%x ", i*7919), 60))
}

// measured is what runs of one kind took: milliseconds or megabytes.
type measured struct {
	name string
	runs []float64
}

func (m *measured) add(took float64) { m.runs = append(m.runs, took) }

func (m *measured) median() float64 {
	slices.Sort(m.runs)
	return m.runs[len(m.runs)/2]
}

func (w *world) compare(b *testing.B, url string, files int) {
	kinds := map[string]*measured{}
	for _, name := range []string{"commit", "git-commit", "push", "git-push", "remote", "git-remote"} {
		kinds[name] = &measured{name: name}
	}
	for b.Loop() {
		version := int(errandCount.Add(1)) + benchCommits
		w.benchCommit(b, kinds, benchErrand(files, version))
		w.benchRemote(b, kinds, url, benchErrand(files, -version))
		w.git("ours", "fetch", "-q")
		w.git("ours", "reset", "-q", "--hard", "origin/main")
		w.git("theirs", "fetch", "-q")
		w.git("theirs", "reset", "-q", "--hard", "origin/main")
	}
	verdict(b, kinds["commit"], kinds["git-commit"], commitAim)
	verdict(b, kinds["push"], kinds["git-push"], pushAim)
	verdict(b, kinds["remote"], kinds["git-remote"], remoteAim)
}

func benchErrand(files, version int) errand {
	e := errand{Files: map[string]string{}, Message: "bench"}
	for i := range files {
		at := i * (benchFiles / files)
		e.Files[benchName(at)] = benchFile(at, version)
	}
	return e
}

// benchCommit commits the same files with us and with git, each in a clone of its
// own, and pushes each to a branch of its own.
func (w *world) benchCommit(b *testing.B, kinds map[string]*measured, e errand) {
	w.put("theirs", e.Files)
	took := w.took(b, "theirs", "git", "add", "-A")
	kinds["git-commit"].add(took + w.took(b, "theirs", "git", "commit", "-q", "-m", "bench"))
	kinds["git-push"].add(w.took(b, "theirs", "git", "push", "-q", "origin", "HEAD:theirs", "--force"))
	w.put("ours", e.Files)
	e.Dir = filepath.Join(w.home, "ours")
	kinds["commit"].add(first(w.errandTook(b, e)))
	if ours, theirs := w.git("ours", "rev-parse", "HEAD^{tree}"), w.git("theirs", "rev-parse", "HEAD^{tree}"); ours != theirs {
		b.Fatalf("our tree is %s, git's is %s", ours, theirs)
	}
	w.git("ours", "branch", "-q", "-M", fmt.Sprintf("ours-%d", errandCount.Load()))
	e.Push, e.NoFiles, e.Files = true, true, nil
	kinds["push"].add(first(w.errandTook(b, e)))
	if got := w.git("ours", "status", "--porcelain"); got != "" {
		b.Fatalf("status = %.300s", got)
	}
}

// benchRemote commits the same files to a branch on the server, with us from
// nothing and with git by way of a clone.
func (w *world) benchRemote(b *testing.B, kinds map[string]*measured, url string, e errand) {
	clone := fmt.Sprintf("clone-%d", errandCount.Load())
	took := w.took(b, ".", "git", "clone", "-q", "--depth=1", url, clone)
	w.put(clone, e.Files)
	took += w.took(b, clone, "git", "add", "-A") + w.took(b, clone, "git", "commit", "-q", "-m", "bench")
	kinds["git-remote"].add(took + w.took(b, clone, "git", "push", "-q", "origin", "HEAD:"+clone))
	e.URL = url
	kinds["remote"].add(first(w.errandTook(b, e)))
	if ours, theirs := w.git("origin", "rev-parse", "main^{tree}"), w.git("origin", "rev-parse", clone+"^{tree}"); ours != theirs {
		b.Fatalf("our tree is %s, git's is %s", ours, theirs)
	}
	if out, err := exec.Command("rm", "-rf", filepath.Join(w.home, clone)).CombinedOutput(); err != nil {
		b.Fatalf("rm: %v\n%s", err, out)
	}
}

// took is how many milliseconds a program ran.
func (w *world) took(b *testing.B, dir, program string, args ...string) float64 {
	b.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = filepath.Join(w.home, dir), w.environ()
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return milliseconds(start)
}

// errandTook is how many milliseconds a process of ours ran, and how many
// kilobytes of memory it had at most.
func (w *world) errandTook(b *testing.B, e errand) (took float64, peak int) {
	b.Helper()
	cmd := w.process(e)
	start := time.Now()
	out, err := cmd.Output()
	took = milliseconds(start)
	if err != nil {
		b.Fatalf("%v: %s", err, cmd.Stderr)
	}
	if _, err := fmt.Sscan(string(out), &peak); err != nil {
		b.Fatalf("what it printed: %q", out)
	}
	return took, peak
}

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since)) / float64(time.Millisecond)
}

func first(took float64, _ int) float64 { return took }

// verdict says how the medians of two kinds of runs compare.
func verdict(b *testing.B, ours, theirs *measured, aim float64) {
	b.Helper()
	mine, other := ours.median(), theirs.median()
	ratio, said := mine/other, "met"
	if ratio > aim {
		said = "MISSED"
	}
	b.ReportMetric(0, "ns/op") // one of each kind: says nothing
	b.ReportMetric(mine, ours.name+"-ms")
	b.ReportMetric(other, theirs.name+"-ms")
	b.ReportMetric(ratio, ours.name+"/"+theirs.name)
	b.Logf("%s: %.1f ms, %s: %.1f ms, medians of %d runs on %d cores: ratio %.3f, aim %.3f: %s",
		ours.name, mine, theirs.name, other, len(ours.runs), runtime.GOMAXPROCS(0), ratio, aim, said)
}
