//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
	standins "github.com/pm-gitops/pm-gitops/testdata/charts"
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
	b.Run("small", func(b *testing.B) {
		w := newMirrorBench(b, program, manyImages)
		w.put("server:2025.10.1", w.small())
		w.put("ui:2025.10.2", w.small())
		for i := range manyImages {
			w.putSmall(i)
		}
		w.compare()
	})
}

// mirrorBench is an environment whose images lie in a registry, and a registry to
// copy to.
type mirrorBench struct {
	*testing.B
	program, file  string
	source, target string // hosts
	dir            string // of the target
	images         uint64
	wanted, extra  map[string]v1.Hash // by PATH:TAG of artifacts, and of their signatures and referrers
}

// newMirrorBench makes an environment whose chart has a pod with so many images more.
func newMirrorBench(b *testing.B, program string, images int) *mirrorBench {
	w := &mirrorBench{B: b, program: program, file: filepath.Join(b.TempDir(), "environment.yaml"), dir: b.TempDir(), wanted: map[string]v1.Hash{}, extra: map[string]v1.Hash{}}
	w.source, w.target = registrytest.Debian(b)+"/cloud", registrytest.DebianWith(b, w.dir, "", "")+"/mirror"
	b.Setenv("HOME", b.TempDir()) // no logins
	text := strings.NewReplacer("$REGISTRY/mirror", w.target, "$REGISTRY", w.source).Replace(mirrored)
	if err := os.WriteFile(w.file, []byte(text), 0o666); err != nil {
		b.Fatal(err)
	}
	files := valid(standins.Files(standins.Cloud, "1.2.900"))
	if images > 0 {
		var pod strings.Builder
		pod.WriteString("apiVersion: v1\nkind: Pod\nmetadata: {name: many}\nspec:\n  containers:\n")
		for i := range images {
			fmt.Fprintf(&pod, "  - {name: c%d, image: %q}\n", i, fmt.Sprintf("%s/many/image-%d:1", w.target, i))
		}
		files["templates/many.yaml"] = []byte(pod.String())
	}
	digest := registrytest.Push(b, w.source+"/charts", standins.Cloud, "1.2.900", valid(standins.Pack(standins.Cloud, files)))
	w.wanted["charts/prefect-cloud:1.2.900"] = valid(v1.NewHash(digest))
	return w
}

// small makes an image of some kilobytes, another each time, the same in each run.
func (w *mirrorBench) small() v1.Image {
	w.images++
	image := valid(random.Image(3000, 2, random.WithSource(mathSource{rand.NewPCG(w.images, 0)})))
	return mutate.MediaType(image, types.OCIManifestSchema1)
}

// mathSource is random numbers as go-containerregistry wants them.
type mathSource struct{ rand.Source }

func (s mathSource) Seed(int64)   {}
func (s mathSource) Int63() int64 { return int64(s.Uint64() >> 1) }

// put writes an image or an index to the source.
func (w *mirrorBench) put(at string, what remote.Taggable) v1.Hash {
	w.Helper()
	ref := valid(name.ParseReference(w.source + "/" + at))
	var err error
	if index, ok := what.(v1.ImageIndex); ok {
		err = remote.WriteIndex(ref, index, remote.WithJobs(2))
	} else {
		err = remote.Write(ref, what.(v1.Image))
	}
	if err != nil {
		w.Fatal(err)
	}
	digest := valid(partial.Digest(what.(partial.WithRawManifest)))
	if strings.Contains(at, "sha256") {
		w.extra[at] = digest
	} else {
		w.wanted[at] = digest
	}
	return digest
}

// putSmall writes an image, to every third a signature, and to every fourth an SBOM.
func (w *mirrorBench) putSmall(i int) {
	image, path := w.small(), fmt.Sprintf("many/image-%d", i)
	digest := w.put(path+":1", image)
	if i%3 == 0 {
		w.put(path+":sha256-"+digest.Hex+".sig", w.small())
	}
	if i%4 == 0 {
		sbom := mutate.Subject(w.small(), v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: digest, Size: valid(image.Size())}).(v1.Image)
		w.put(path+"@"+valid(sbom.Digest()).String(), sbom)
	}
}

// putLarge writes an index of two platforms, without ever holding a layer in memory:
// Linux counts what this process has as memory of those that it starts.
func (w *mirrorBench) putLarge() {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for i, architecture := range []string{"amd64", "arm64"} {
		image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
		for n := range largeLayers {
			layer := &randomLayer{seed: byte(i*largeLayers + n)}
			var err error
			if layer.digest, _, err = v1.SHA256(layer.read()); err != nil {
				w.Fatal(err)
			}
			image = valid(mutate.AppendLayers(image, layer))
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
	}
	w.put("server:2025.10.1", index)
}

// randomLayer is bytes that cannot be compressed, made as they are read.
type randomLayer struct {
	seed   byte
	digest v1.Hash
}

func (l *randomLayer) read() io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{l.seed}), largeLayer)
}

func (l *randomLayer) Digest() (v1.Hash, error)             { return l.digest, nil }
func (l *randomLayer) DiffID() (v1.Hash, error)             { return l.digest, nil }
func (l *randomLayer) Compressed() (io.ReadCloser, error)   { return io.NopCloser(l.read()), nil }
func (l *randomLayer) Uncompressed() (io.ReadCloser, error) { return l.Compressed() }
func (l *randomLayer) Size() (int64, error)                 { return largeLayer, nil }
func (l *randomLayer) MediaType() (types.MediaType, error)  { return types.OCILayer, nil }

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
				most = max(most, run.memory)
				check.add(measure(w.B, nil, w.program, "mirror", "-f", w.file, "--cache-dir", cache, "--check"))
			}
		}
	}
	for _, other := range copiers[1:] {
		ours.first.name, ours.then.name = "mirror", "again"
		other.first.name, other.then.name = other.name, other.name+"-again"
		compare(w.B, ours.first, other.first, mirrorAim)
		compare(w.B, ours.then, other.then, mirrorAgainAim)
	}
	w.ReportMetric(0, "ns/op") // of all of them: says nothing
	w.ReportMetric(float64(most)/1e6, "MB")
	w.Logf("mirror took %.0f MB at most, and no less than this benchmark's own %.0f MB would be seen: aim %.0f MB: %s",
		float64(most)/1e6, float64(ownMemory(w.B))/1e6, mirrorMemoryAim/1e6, verdict(float64(most), mirrorMemoryAim))
	w.ReportMetric(check.median(), "check-ms")
	w.Logf("mirror --check: %.1f ms, aim %.0f ms: %s", check.median(), mirrorCheckAim.Seconds()*1000, verdict(check.median(), mirrorCheckAim.Seconds()*1000))
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
	for name, args := range map[string][]string{
		"regctl": {"--host", "reg=" + hostOf(w.source) + ",tls=disabled", "--host", "reg=" + hostOf(w.target) + ",tls=disabled", "image", "copy", "--digest-tags", "--referrers"},
		"crane":  {"copy"},
	} {
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

func hostOf(place string) string {
	host, _, _ := strings.Cut(place, "/")
	return host
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
