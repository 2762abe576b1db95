//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/targets"
)

// The aims: ratios of a preview to runs of helm template, one after another.
const (
	warmAim        = 1. / 3 // two charts from the cache to two archives
	chartsFleetAim = 1. / 6 // 50 environments of two charts to 100 archives
	checkAim       = 0.6    // a check of the same
)

// BenchmarkCharts runs previews as users do and, in the same call, the helm
// program, every environment with values of its own.
func BenchmarkCharts(b *testing.B) {
	program := filepath.Join(b.TempDir(), "pm-gitops")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	folder, source := standIns(b)
	b.Run("cold", func(b *testing.B) { benchmarkCold(b, program, source) })
	b.Run("warm", func(b *testing.B) { benchmarkWarm(b, program, folder, source) })
	b.Run("fleet", func(b *testing.B) { benchmarkChartsFleet(b, program, folder) })
	b.Run("check", func(b *testing.B) { benchmarkCheck(b, program, folder) })
}

// chartsOf writes environments of the stand-ins, which lie in a registry.
func chartsOf(b *testing.B, environments int, source string) string {
	dir := b.TempDir()
	text := strings.NewReplacer("1.2.%[1]d", "1.2.900", "mirror: registry.company.com/team-%[1]d", "source: "+source,
		"  values:", "  cluster: {kubeVersion: \"1.33\"}\n  values:").Replace(member)
	for i := range environments {
		if err := os.WriteFile(filepath.Join(dir, memberFile(i)), fmt.Appendf(nil, text, i+1), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// helmRuns is the commands of the helm program that make the same as a preview
// of an environment. Chart gives Helm's names for charts: an archive, or an
// address and a version.
func helmRuns(b *testing.B, file string, chart func(render.Release) []string) (runs [][]string) {
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	env, err := render.Parse(file, text, nil)
	if err != nil {
		b.Fatal(err)
	}
	plan, err := render.PlanFor(env, catalog.Embedded(), targets.Flux{})
	if err != nil {
		b.Fatal(err)
	}
	for _, release := range plan.Releases() {
		values, err := release.PlaceholderValues()
		if err != nil {
			b.Fatal(err)
		}
		data, err := yaml.Marshal(values)
		if err != nil {
			b.Fatal(err)
		}
		name := file + "." + release.Key
		if err := os.WriteFile(name, data, 0o666); err != nil {
			b.Fatal(err)
		}
		run := append([]string{"template", release.Name}, chart(release)...)
		runs = append(runs, append(run, "-n", release.Namespace, "-f", name, "--include-crds", "--kube-version", "1.33"))
	}
	return runs
}

func archiveIn(folder string) func(render.Release) []string {
	return func(release render.Release) []string {
		return []string{filepath.Join(folder, release.Key+"-"+release.Chart.Version+".tgz")}
	}
}

func inRegistry(release render.Release) []string {
	return []string{"oci://" + release.Chart.Repository, "--version", release.Chart.Version, "--plain-http"}
}

// template runs the helm program one time after another, and gives what all
// of it took and printed.
func template(b *testing.B, helm string, runs [][]string) (all usage, printed []byte) {
	for _, run := range runs {
		out := tempFile(b)
		all.took += measure(b, out, helm, run...).took
		text, err := os.ReadFile(out.Name())
		if err != nil {
			b.Fatal(err)
		}
		printed = append(printed, text...)
	}
	return all, printed
}

// compareOutput wants what a preview printed to be Helm's, byte for byte.
func compareOutput(b *testing.B, ours *os.File, helm []byte) {
	b.Helper()
	text, err := os.ReadFile(ours.Name())
	if err != nil {
		b.Fatal(err)
	}
	if !bytes.Equal(text, helm) {
		b.Fatalf("the preview has %d bytes, and helm %d", len(text), len(helm))
	}
}

func benchmarkCold(b *testing.B, program, source string) {
	helm, files := peer(b, "helm"), chartsOf(b, 100, source)
	ours, theirs := timed{name: "preview"}, timed{name: "helm"}
	for i := 0; b.Loop(); i++ {
		file, out := filepath.Join(files, memberFile(i%100)), tempFile(b)
		ours.add(measure(b, out, program, "preview", "-f", file, "--as", "helm", "--show-secrets", "--cache-dir", b.TempDir()))
		took, printed := template(b, helm, helmRuns(b, file, inRegistry))
		theirs.add(took)
		compareOutput(b, out, printed)
	}
	compare(b, ours, theirs, 1)
}

func benchmarkWarm(b *testing.B, program, folder, source string) {
	helm, files, cache := peer(b, "helm"), chartsOf(b, 100, source), b.TempDir()
	measure(b, nil, program, "preview", "-f", filepath.Join(files, memberFile(0)), "--cache-dir", cache)
	online, offline, theirs := timed{name: "preview"}, timed{name: "offline"}, timed{name: "helm"}
	for i := 0; b.Loop(); i++ {
		file, out := filepath.Join(files, memberFile(i%100)), tempFile(b)
		online.add(measure(b, out, program, "preview", "-f", file, "--as", "helm", "--show-secrets", "--cache-dir", cache))
		offline.add(measure(b, nil, program, "preview", "-f", file, "--as", "helm", "--show-secrets", "--cache-dir", cache, "--offline"))
		took, printed := template(b, helm, helmRuns(b, file, archiveIn(folder)))
		theirs.add(took)
		compareOutput(b, out, printed)
	}
	compare(b, online, theirs, warmAim)
	compare(b, offline, theirs, warmAim)
}

func benchmarkChartsFleet(b *testing.B, program, folder string) {
	helm, files := peer(b, "helm"), chartsOf(b, 50, "registry.company.com/prefect")
	var runs [][]string
	for i := range 50 {
		runs = append(runs, helmRuns(b, filepath.Join(files, memberFile(i)), archiveIn(folder))...)
	}
	ours, theirs := timed{name: "preview"}, timed{name: "helm"}
	for b.Loop() {
		out, alone := tempFile(b), tempFile(b)
		args := []string{"preview", "-f", files, "--as", "helm", "--show-secrets", "--chart-dir", folder}
		ours.add(measure(b, out, program, args...))
		measure(b, alone, program, append(args, "-j", "1")...)
		took, printed := template(b, helm, runs)
		theirs.add(took)
		compareOutput(b, out, printed)
		compareOutput(b, alone, printed)
	}
	compare(b, ours, theirs, chartsFleetAim)
}

// benchmarkCheck compares a check of the same with the same runs of helm.
func benchmarkCheck(b *testing.B, program, folder string) {
	helm, files := peer(b, "helm"), chartsOf(b, 50, "registry.company.com/prefect")
	var runs [][]string
	for i := range 50 {
		runs = append(runs, helmRuns(b, filepath.Join(files, memberFile(i)), archiveIn(folder))...)
	}
	ours, theirs := timed{name: "check"}, timed{name: "helm"}
	for b.Loop() {
		ours.add(measureCode(b, cli.ExitFound, nil, program, "check", "-f", files, "--chart-dir", folder))
		took, _ := template(b, helm, runs)
		theirs.add(took)
	}
	compare(b, ours, theirs, checkAim)
}
