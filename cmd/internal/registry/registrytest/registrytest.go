// Package registrytest fills registries for tests.
package registrytest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.cncf.helm.config.v1+json"
	archiveType  = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)

// raw is a manifest that remote.Put takes as it is.
type raw struct {
	content   []byte
	mediaType types.MediaType
}

func (r raw) RawManifest() ([]byte, error)        { return r.content, nil }
func (r raw) MediaType() (types.MediaType, error) { return r.mediaType, nil }

// Put writes a manifest of a media type to a reference, and blobs before it,
// and gives the manifest's digest.
func Put(t testing.TB, ref, mediaType, manifest string, options []remote.Option, blobs ...[]byte) string {
	t.Helper()
	tag, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, blob := range blobs {
		if err := remote.WriteLayer(tag.Context(), static.NewLayer(blob, archiveType), options...); err != nil {
			t.Fatal(err)
		}
	}
	if err := remote.Put(tag, raw{[]byte(manifest), types.MediaType(mediaType)}, options...); err != nil {
		t.Fatal(err)
	}
	return digestOf([]byte(manifest))
}

// Chart is a chart as helm push writes it, without the time.
func Chart(t testing.TB, chart, version string, archive []byte) (manifest string, config []byte) {
	t.Helper()
	config, err := json.Marshal(map[string]string{"name": chart, "version": version})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
		manifestType, configType, digestOf(config), len(config), archiveType, digestOf(archive), len(archive)), config
}

// Push puts a chart's archive into the repository REGISTRY/CHART under its
// version, and gives its digest.
func Push(t testing.TB, registry, chart, version string, archive []byte, options ...remote.Option) string {
	t.Helper()
	manifest, config := Chart(t, chart, version, archive)
	return Put(t, registry+"/"+chart+":"+strings.ReplaceAll(version, "+", "_"), manifestType, manifest, options, config, archive)
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ReadBlobs reads every blob of an image, and compares its digest. The package validate
// wants layers to be archives of files.
func ReadBlobs(image v1.Image) error {
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		body, err := layer.Compressed()
		if err != nil {
			return err
		}
		if _, err = io.Copy(io.Discard, body); err != nil {
			return err // the library compares the digest
		}
		if err := body.Close(); err != nil {
			return err
		}
	}
	_, err = image.RawConfigFile()
	return err
}
