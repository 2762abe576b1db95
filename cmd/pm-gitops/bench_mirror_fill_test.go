//go:build linux

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
	standins "github.com/pm-gitops/pm-gitops/testdata/charts"
)

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

// putSmall writes an image, and perhaps to every third a signature, and to every fourth
// an SBOM.
func (w *mirrorBench) putSmall(i int, signed bool) {
	image, path := w.small(), fmt.Sprintf("many/image-%d", i)
	digest := w.put(path+":1", image)
	if signed && i%3 == 0 {
		w.put(path+":sha256-"+digest.Hex+".sig", w.small())
	}
	if signed && i%4 == 0 {
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
