//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
)

// member is an environment of the fleet: as much as the vendor's guide says,
// and a release beside it. Every value that environments have for themselves
// differs from one to the next, so that no two overlays are built from, or to,
// the same bytes.
const member = `apiVersion: pm-gitops/v1
kind: Environment
metadata:
  name: team-%[1]d
spec:
  instance:
    name: installation-%[1]d
    frontendUrl: https://prefect-ui.team-%[1]d.company.com
    backendUrl: https://prefect-api.team-%[1]d.company.com
    ownerEmail: owner-%[1]d@company.com
  versions:
    prefectIstiod: 1.2.%[1]d
    prefectCloud: 1.2.%[1]d
    server: "2025.10.%[1]d"
    ui: "2025.10.%[1]d"
  registry:
    mirror: registry.company.com/team-%[1]d
    pullSecret: registry-%[1]d
  auth:
    adfs:
      clientID: client-%[1]d
      clientSecret: {secret: auth-%[1]d, key: client-secret}
      clientAuthority: https://adfs.team-%[1]d.company.com/adfs
      clientVerifySSL: true
  database:
    primary: db-%[1]d-a.company.com
    replica: db-%[1]d-b.company.com
    serviceUser: {password: {secret: db-%[1]d, key: service}}
    superUser: {password: {secret: db-%[1]d, key: superuser}}
  redis:
    cache: {host: cache-%[1]d.company.com}
    work: {host: work-%[1]d.company.com}
    streams: {host: streams-%[1]d.company.com}
  values:
    prefect-istiod:
      istioDiscovery: {replicaCount: %[1]d}
    prefect-cloud:
      services:
        server: {replicas: %[1]d}
`

// memberFile is the name of an environment's file, counted from 0.
func memberFile(i int) string { return fmt.Sprintf("team-%04d.yaml", i+1) }

// fleetOf writes the files of a fleet into a new folder.
func fleetOf(b *testing.B, environments int) string {
	b.Helper()
	dir := b.TempDir()
	for i := range environments {
		if err := os.WriteFile(filepath.Join(dir, memberFile(i)), fmt.Appendf(nil, member, i+1), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// pointedAt is how a Flux Kustomization names the folder that it applies.
var pointedAt = regexp.MustCompile(`(?m)^  path: \./(.+)$`)

// buildOneByOne runs the kustomize program on every folder of a tree that Flux
// is pointed at, and gives the time that the runs took together. All of them
// take minutes, so it runs on every tenth environment and counts ten times
// that, unless PM_GITOPS_BENCH is full. Each must print what we print.
func buildOneByOne(b *testing.B, kustomize, tree string, ours map[string]string) time.Duration {
	b.Helper()
	every := 10
	if os.Getenv("PM_GITOPS_BENCH") == "full" {
		every = 1
	}
	clusters, err := filepath.Glob(filepath.Join(tree, "clusters", "*", "*.yaml"))
	if err != nil || len(clusters) == 0 {
		b.Fatalf("no cluster's file in the tree: %v", err)
	}
	var took time.Duration
	overlays := 0
	for i := 0; i < len(clusters); i += every {
		for _, match := range pointedAt.FindAllStringSubmatch(contentOf(b, clusters[i]), -1) {
			out := tempFile(b)
			took += measure(b, out, kustomize, "build", filepath.Join(tree, match[1])).took
			if built := contentOf(b, out.Name()); built != ours[match[1]] {
				b.Errorf("kustomize builds %s differently:\n%s\nwant\n%s", match[1], built, ours[match[1]])
			}
			overlays++
		}
	}
	if b.Failed() {
		b.FailNow()
	}
	b.Logf("kustomize printed what we print for %d overlays, all that %d of the %d environments have; its time below is %d times what that took",
		overlays, (len(clusters)+every-1)/every, len(clusters), every)
	return took * time.Duration(every)
}

// overlaysIn takes what render --built printed apart: folder to YAML.
func overlaysIn(b *testing.B, stream *os.File) map[string]string {
	b.Helper()
	overlays := map[string]string{}
	for part := range strings.SplitSeq(contentOf(b, stream.Name()), "---\n# Source: ") {
		source, document, _ := strings.Cut(part, "\n")
		if earlier, more := overlays[source]; more {
			document = earlier + "---\n" + document
		}
		overlays[source] = document
	}
	return overlays
}

// usage is what a run took.
type usage struct {
	took   time.Duration
	memory int64 // the most it had at a time, in bytes
}

// measure runs a program to its end, its output in a file, or dropped without one.
func measure(b *testing.B, out *os.File, program string, args ...string) usage {
	b.Helper()
	return measureCode(b, cli.ExitDone, out, program, args...)
}

// measureCode is measure for a program that ends with an exit code.
func measureCode(b *testing.B, code int, out *os.File, program string, args ...string) usage {
	b.Helper()
	cmd := exec.Command(program, args...)
	if out != nil {
		cmd.Stdout = out
	}
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if cmd.ProcessState.ExitCode() != code {
		b.Fatalf("%s %q: %v, want exit code %d", program, args, err, code)
	}
	return usage{took, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10}
}

// ownMemory is the most memory that this process had. Linux starts to count
// for a new process where the one that starts it stands, so that measure sees
// at least this. Our own count began where ours was started: VmHWM has no such
// start.
func ownMemory(b testing.TB) int64 {
	b.Helper()
	var kilobytes int64
	for line := range strings.Lines(contentOf(b, "/proc/self/status")) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	b.Fatal("/proc/self/status has no VmHWM")
	return 0
}

func contentOf(b testing.TB, name string) string {
	b.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	return string(data)
}
