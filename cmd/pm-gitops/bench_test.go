//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// The aims: ratios of the program to what stands beside it, and bytes.
const (
	versionAim = 0.8   // version to helm version
	renderAim  = 2     // render of one environment to version
	fleetAim   = 0.125 // a fleet to the kustomize program on each of its overlays
	linearAim  = 1.25  // an environment among 1,000 to one among 100
	memoryAim  = 300e6 // of 1,000 environments
)

// BenchmarkProgram runs the program as its users build it and, in the same
// call, what it is compared with: whole processes, by the clock on the wall,
// every environment with values of its own. An aim that is missed is said and
// fails nothing, for a busy machine misses any; other bytes than expected fail.
func BenchmarkProgram(b *testing.B) {
	program := filepath.Join(b.TempDir(), "pm-gitops")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	b.Run("version", func(b *testing.B) { benchmarkVersion(b, program) })
	b.Run("render", func(b *testing.B) { benchmarkRender(b, program) })
	b.Run("fleet", func(b *testing.B) { benchmarkFleet(b, program) })
	b.Run("linear", func(b *testing.B) { benchmarkLinear(b, program) })
	b.Run("memory", func(b *testing.B) { benchmarkMemory(b, program) })
}

func benchmarkVersion(b *testing.B, program string) {
	helm := peer(b, "helm")
	ours, theirs := timed{name: "version"}, timed{name: "helm"}
	measure(b, nil, program, "version") // what a first run reads from disk is in memory then
	measure(b, nil, helm, "version")
	for b.Loop() {
		ours.add(measure(b, nil, program, "version"))
		theirs.add(measure(b, nil, helm, "version"))
	}
	compare(b, ours, theirs, versionAim)
}

func benchmarkRender(b *testing.B, program string) {
	files := fleetOf(b, 100)
	ours, version := timed{name: "render"}, timed{name: "version"}
	measure(b, nil, program, "version")
	for i := 0; b.Loop(); i++ {
		ours.add(measure(b, nil, program, "render", "-f", filepath.Join(files, memberFile(i%100))))
		version.add(measure(b, nil, program, "version"))
	}
	compare(b, ours, version, renderAim)
}

func benchmarkFleet(b *testing.B, program string) {
	kustomize, files := peer(b, "kustomize"), fleetOf(b, 1000)
	written, built, theirs := timed{name: "written"}, timed{name: "built"}, timed{name: "kustomize"}
	for b.Loop() {
		dir, stream := b.TempDir(), tempFile(b)
		written.add(measure(b, nil, program, "render", "-f", files, "--dir", dir, "--quiet"))
		built.add(measure(b, stream, program, "render", "-f", files, "--built"))
		theirs.add(usage{took: buildOneByOne(b, kustomize, dir, overlaysIn(b, stream))})
	}
	compare(b, written, theirs, fleetAim)
	compare(b, built, theirs, fleetAim)
}

// benchmarkLinear compares what an environment takes among 1,000 with what it
// takes among 100.
func benchmarkLinear(b *testing.B, program string) {
	small, large := fleetOf(b, 100), fleetOf(b, 1000)
	each, few := timed{name: "each-of-1000"}, timed{name: "each-of-100"}
	write := func(files string, environments time.Duration) usage {
		run := measure(b, nil, program, "render", "-f", files, "--dir", b.TempDir(), "--quiet")
		return usage{took: run.took / environments}
	}
	for b.Loop() {
		for range 5 {
			few.add(write(small, 100))
		}
		each.add(write(large, 1000))
	}
	compare(b, each, few, linearAim)
}

// benchmarkMemory is the most memory of a run with 1,000 environments, and
// whether runs with other numbers of jobs print the same.
func benchmarkMemory(b *testing.B, program string) {
	files := fleetOf(b, 1000)
	for b.Loop() {
		written := measure(b, nil, program, "render", "-f", files, "--dir", b.TempDir(), "--quiet")
		one, eight := tempFile(b), tempFile(b)
		alone := measure(b, one, program, "render", "-f", files, "--built", "-j", "1")
		together := measure(b, eight, program, "render", "-f", files, "--built", "-j", "8")
		if contentOf(b, one.Name()) != contentOf(b, eight.Name()) {
			b.Error("-j 1 and -j 8 print different bytes")
		}
		most := float64(max(written.memory, alone.memory, together.memory))
		b.ReportMetric(0, "ns/op") // of three runs: says nothing
		b.ReportMetric(most/1e6, "MB")
		b.Logf("1,000 environments take %.0f MB written, %.0f MB built with -j 1, %.0f MB with -j 8, and no less than this benchmark's own %.0f MB would be seen: most %.0f MB, aim %.0f MB: %s",
			float64(written.memory)/1e6, float64(alone.memory)/1e6, float64(together.memory)/1e6, float64(ownMemory(b))/1e6, most/1e6, memoryAim/1e6, verdict(most, memoryAim))
	}
}

// timed is what runs of one kind took.
type timed struct {
	name string
	runs []time.Duration
}

func (t *timed) add(run usage) { t.runs = append(t.runs, run.took) }

// median is in milliseconds.
func (t *timed) median() float64 {
	slices.Sort(t.runs)
	return float64(t.runs[len(t.runs)/2]) / float64(time.Millisecond)
}

// compare says how the medians of two kinds of runs compare.
func compare(b *testing.B, ours, theirs timed, aim float64) {
	b.Helper()
	mine, other := ours.median(), theirs.median()
	ratio := mine / other
	b.ReportMetric(0, "ns/op") // one of each kind: says nothing
	b.ReportMetric(mine, ours.name+"-ms")
	b.ReportMetric(other, theirs.name+"-ms")
	b.ReportMetric(ratio, ours.name+"/"+theirs.name)
	b.Logf("%s: %.1f ms, %s: %.1f ms, medians of %d and %d runs: ratio %.3f, aim %.3f: %s",
		ours.name, mine, theirs.name, other, len(ours.runs), len(theirs.runs), ratio, aim, verdict(ratio, aim))
}

func verdict(got, aim float64) string {
	if got > aim {
		return "MISSED"
	}
	return "met"
}

// peer is a program that ours is compared with.
func peer(b *testing.B, name string) string {
	b.Helper()
	found, err := exec.LookPath(name)
	if err != nil {
		b.Skipf("there is no %s program to compare with", name)
	}
	return found
}

func tempFile(b *testing.B) *os.File {
	b.Helper()
	file, err := os.CreateTemp(b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { file.Close() })
	return file
}
