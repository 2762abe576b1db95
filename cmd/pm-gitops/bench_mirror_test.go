//go:build linux

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

// The aims: ratios of mirror to the regctl and crane programs, bytes and a time.
const (
	mirrorAim       = 1.  // a copy
	mirrorAgainAim  = 0.5 // the same again, with nothing to do
	mirrorMemoryAim = 200e6
	mirrorCheckAim  = time.Second // mirror --check of 200 artifacts
)

const (
	mirrorJobs  = 4   // copies at a time: the default of mirror, and for the other programs
	manyImages  = 197 // 200 artifacts with the chart and its two images
	largeLayers = 4   // of each of two platforms: 2 GB in all
	largeLayer  = 250_000_000
)

// BenchmarkMirror runs mirror and, in the same call, regctl with signatures and
// referrers, and crane, which copies neither: whole processes, by the clock on the wall,
// from one docker-registry to another, which is emptied before each. A program that is
// missing is left out. An aim that is missed is said and fails nothing; a target with
// other digests than the source fails.
func BenchmarkMirror(b *testing.B) {
	program := filepath.Join(b.TempDir(), "pm-gitops")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	b.Run("large", func(b *testing.B) {
		w := newMirrorBench(b, program, 0)
		w.putLarge()
		w.put("ui:2025.10.2", w.small())
		w.compare()
	})
	b.Run("small", func(b *testing.B) { benchmarkSmall(b, program, true) })
	b.Run("unsigned", func(b *testing.B) { benchmarkSmall(b, program, false) })
}

// benchmarkSmall copies 200 artifacts. Where some have signatures and SBOMs, crane has
// less to copy; else all of the programs copy the same.
func benchmarkSmall(b *testing.B, program string, signed bool) {
	w := newMirrorBench(b, program, manyImages)
	w.put("server:2025.10.1", w.small())
	w.put("ui:2025.10.2", w.small())
	for i := range manyImages {
		w.putSmall(i, signed)
	}
	w.compare()
}

// copier is a program that copies: all of what was put, and the same again.
type copier struct {
	name        string
	all         bool // signatures and referrers too
	copy        func() usage
	first, then timed
}

// compare lets every program copy to an empty registry, and then once more.
func (w *mirrorBench) compare() {
	ours := &copier{name: "mirror", all: true}
	cache := filepath.Join(w.TempDir(), "cache")
	ours.copy = func() usage {
		return measure(w.B, nil, w.program, "mirror", "-f", w.file, "--cache-dir", cache)
	}
	copiers := append([]*copier{ours}, w.peers(cache)...)
	check, most := timed{name: "check"}, int64(0)
	for round := 0; w.Loop(); round++ {
		for i := range copiers {
			one := copiers[(i+round)%len(copiers)]
			for _, dir := range []string{cache, filepath.Join(w.dir, "data")} {
				if err := os.RemoveAll(dir); err != nil {
					w.Fatal(err)
				}
			}
			run := one.copy()
			one.first.add(run)
			w.judge(one)
			one.then.add(one.copy())
			if one == ours {
				checked := measure(w.B, nil, w.program, "mirror", "-f", w.file, "--cache-dir", cache, "--check")
				check.add(checked)
				most = max(most, run.memory, checked.memory)
			}
		}
	}
	w.report(copiers, check, most)
}

// report says how ours and the others compare.
func (w *mirrorBench) report(copiers []*copier, check timed, memory int64) {
	w.Helper()
	w.Logf("%d artifacts, and %d signatures and SBOMs, which crane does not copy", len(w.wanted), len(w.extra))
	ours := copiers[0]
	ours.first.name, ours.then.name = "mirror", "again"
	for _, other := range copiers[1:] {
		other.first.name, other.then.name = other.name, other.name+"-again"
		compare(w.B, ours.first, other.first, mirrorAim)
		compare(w.B, ours.then, other.then, mirrorAgainAim)
	}
	w.ReportMetric(0, "ns/op") // of all of them: says nothing
	w.ReportMetric(float64(memory)/1e6, "MB")
	w.Logf("mirror took %.0f MB at most, and no less than this benchmark's own %.0f MB would be seen: aim %.0f MB: %s",
		float64(memory)/1e6, float64(ownMemory(w.B))/1e6, mirrorMemoryAim/1e6, verdict(float64(memory), mirrorMemoryAim))
	took, aim := check.median(), mirrorCheckAim.Seconds()*1000
	w.ReportMetric(took, "check-ms")
	w.Logf("mirror --check: %.1f ms, aim %.0f ms: %s", took, aim, verdict(took, aim))
}

// peers gives the programs that ours is compared with, each of which copies an
// artifact at a time: so many of them run side by side as ours copies.
func (w *mirrorBench) peers(cache string) (all []*copier) {
	var report struct {
		Artifacts []struct{ Source, Target string }
	}
	out := tempFile(w.B)
	measure(w.B, out, w.program, "mirror", "-f", w.file, "--cache-dir", cache, "--dry-run", "-o", "json")
	if err := json.Unmarshal([]byte(contentOf(w.B, out.Name())), &report); err != nil {
		w.Fatal(err)
	}
	if len(report.Artifacts) != len(w.wanted) {
		w.Fatalf("mirror would copy %d artifacts, want %d", len(report.Artifacts), len(w.wanted))
	}
	plain := func(place string) string {
		host, _, _ := strings.Cut(place, "/")
		return "reg=" + host + ",tls=disabled"
	}
	regctl := []string{"regctl", "--host", plain(w.source), "--host", plain(w.target), "image", "copy", "--digest-tags", "--referrers"}
	for _, command := range [][]string{regctl, {"crane", "copy"}} {
		name, args := command[0], command[1:]
		program, err := exec.LookPath(name)
		if err != nil {
			w.Logf("there is no %s program to compare with", name)
			continue
		}
		all = append(all, &copier{name: name, all: name == "regctl", copy: func() usage {
			start := time.Now()
			parallel.Each(mirrorJobs, len(report.Artifacts), func(i int) {
				one := append(args[:len(args):len(args)], report.Artifacts[i].Source, report.Artifacts[i].Target)
				if out, err := exec.Command(program, one...).CombinedOutput(); err != nil {
					w.Errorf("%s %q: %v\n%s", name, one, err, out)
				}
			})
			return usage{took: time.Since(start)}
		}})
	}
	return all
}

// judge compares the target with what was put into the source.
func (w *mirrorBench) judge(by *copier) {
	w.Helper()
	for at, want := range w.wanted {
		w.judgeOne(by, at, want)
	}
	if by.all {
		for at, want := range w.extra {
			w.judgeOne(by, at, want)
		}
	}
	if w.Failed() {
		w.FailNow()
	}
}

func (w *mirrorBench) judgeOne(by *copier, at string, want v1.Hash) {
	w.Helper()
	got, err := remote.Head(valid(name.ParseReference(w.target + "/" + at)))
	if err != nil || got.Digest != want {
		w.Errorf("after %s, the target has %v as %s, want %s: %v", by.name, got, at, want, err)
	}
}
