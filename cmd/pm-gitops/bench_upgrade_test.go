//go:build linux

package main

import (
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// The aims: requests to the forge and to its Git server together, and memory.
const (
	changedAim   = 12. // requests for an environment whose pull request is opened
	unchangedAim = 2.  // for one where nothing has to be done
	fleetMemory  = 300e6
)

// patched is an environment of a fleet that a newer server is there for.
const patched = `apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: team-%[1]d}
spec:
  instance: {name: installation-%[1]d, frontendUrl: https://ui-%[1]d.b.c, backendUrl: https://api-%[1]d.b.c, ownerEmail: o@b.c}
  versions: {prefectCloud: 1.2.900, server: "2025.10.202511042343", ui: "2025.1023.154520"}
  registry: {source: %[2]s}
  mesh: existing
  auth: {okta: {clientID: client-%[1]d, clientSecret: {secret: s, key: k}, authServerURL: https://o.b.c}}
  redis: {cache: {host: a}, work: {host: a}, streams: {host: a}}
  database: {primary: db-%[1]d, serviceUser: {password: {secret: s, key: k}}, superUser: {password: {secret: s, key: k}}}
  delivery: {target: flux}
`

// BenchmarkUpgradeFleet runs upgrade --all over 200 environments of a repository at Gitea,
// ten of which get a pull request, and the same again, when nothing has to be done. Whole
// processes; requests are counted on their way. An aim that is missed is said and fails
// nothing.
func BenchmarkUpgradeFleet(b *testing.B) {
	for _, name := range []string{"gitea", "git"} {
		if _, err := exec.LookPath(name); err != nil {
			b.Skipf("there is no %s program", name)
		}
	}
	program := filepath.Join(b.TempDir(), "pm-gitops")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	for b.Loop() {
		b.StopTimer()
		f := newForgeFleet(b, program, 200)
		b.StartTimer()
		opened := f.upgrade(10, ": opened ")
		again := f.upgrade(0, ": unchanged ")
		b.ReportMetric(opened.requests/10, "requests/changed")
		b.ReportMetric(again.requests/200, "requests/unchanged")
		b.ReportMetric(opened.seconds, "s/first")
		b.ReportMetric(again.seconds, "s/again")
		memory := max(opened.memory, again.memory)
		b.ReportMetric(memory/1e6, "MB")
		for what, missed := range map[string]bool{
			"requests for a changed environment": opened.requests/10 > changedAim, "requests for an unchanged environment": again.requests/200 > unchangedAim, "memory": memory > fleetMemory,
		} {
			if missed {
				b.Logf("aim missed: %s", what)
			}
		}
	}
}

// forgeFleet is a fleet in a repository at Gitea.
type forgeFleet struct {
	*testing.B
	program, url string
	env          []string
	asked        *forgeOf
}

func newForgeFleet(b *testing.B, program string, environments int) *forgeFleet {
	b.Helper()
	_, source := standIns(b)
	source += "/fleet"
	f := &forgeFleet{B: b, program: program, asked: &forgeOf{}}
	f.fill(source)
	server := forgeServer.Server(b)
	f.asked.user = server.NewUser(b)
	counted := f.asked.count(b, server)
	f.url = strings.Replace(f.asked.user.NewRepository(b, "fleet"), server.URL, counted.URL, 1)
	home, certificate := b.TempDir(), filepath.Join(b.TempDir(), "forge.pem")
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: counted.Certificate().Raw}), 0o666); err != nil {
		b.Fatal(err)
	}
	f.env = append(os.Environ(), "HOME="+home, "XDG_CACHE_HOME="+home, "GIT_SSL_CAINFO="+certificate, "GITEA_SERVER_URL="+counted.URL,
		"GITEA_TOKEN="+f.asked.user.NewToken(b, "write:repository", "write:issue", "read:user").Secret, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b.c", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.c")
	work := b.TempDir()
	f.write(work, source, environments)
	push := strings.Replace(f.url, "://", "://"+f.asked.user.Name+":"+f.asked.user.Password+"@", 1)
	f.run(work, "git", "init", "-q", "-b", "main")
	f.run(work, "git", "add", ".")
	f.run(work, "git", "commit", "-q", "-m", "environments")
	f.run(work, program, "render", "-f", ".", "--commit", "--quiet")
	f.run(work, "git", "push", "-q", push, "main")
	return f
}

// fill pushes what the fleet needs to a registry.
func (f *forgeFleet) fill(source string) {
	f.Helper()
	root, _, _ := strings.Cut(source, "/fleet")
	if err := crane.Copy(root+"/charts/prefect-cloud:1.2.900", source+"/charts/prefect-cloud:1.2.900"); err != nil {
		f.Fatal(err)
	}
	for _, image := range []string{"server:2025.10.202511042343", "server:2025.10.202512010915", "ui:2025.1023.154520"} {
		made, err := random.Image(10, 1)
		if err == nil {
			err = crane.Push(made, source+"/"+image)
		}
		if err != nil {
			f.Fatal(err)
		}
	}
}

func (f *forgeFleet) write(dir, source string, environments int) {
	f.Helper()
	for i := range environments {
		if err := os.WriteFile(filepath.Join(dir, memberFile(i)), fmt.Appendf(nil, patched, i+1, source), 0o666); err != nil {
			f.Fatal(err)
		}
	}
}

func (f *forgeFleet) run(dir, name string, args ...string) {
	f.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, f.env
	if out, err := cmd.CombinedOutput(); err != nil {
		f.Fatalf("%s: %v\n%s", args[0], err, out)
	}
}

// cost holds requests, time and memory of a run.
type cost struct{ requests, seconds, memory float64 }

// upgrade upgrades the fleet, with a text that the output has at least so many times.
func (f *forgeFleet) upgrade(times int, text string) cost {
	f.Helper()
	f.asked.api.Store(0)
	f.asked.git.Store(0)
	cmd := exec.Command(f.program, "upgrade", "--all", "--repo", f.url, "--limit", "10")
	cmd.Env = f.env
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), text) < times {
		f.Fatalf("upgrade --all: %v\n%s", err, out)
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	f.Logf("%d requests to the forge, %d to Git", f.asked.api.Load(), f.asked.git.Load())
	return cost{float64(f.asked.api.Load() + f.asked.git.Load()), time.Since(began).Seconds(), float64(used.Maxrss) * 1024}
}
