package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// What Helm writes. https://helm.sh/docs/topics/registries/#helm-chart-manifest
const (
	helmConfig       = "application/vnd.cncf.helm.config.v1+json"
	helmArchive      = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	helmArchiveOld   = "application/tar+gzip" // before Helm 3.7
	ociManifest      = "application/vnd.oci.image.manifest.v1+json"
	ociIndex         = "application/vnd.oci.image.index.v1+json"
	dockerManifest   = "application/vnd.docker.distribution.manifest.v2+json"
	dockerIndex      = "application/vnd.docker.distribution.manifest.list.v2+json"
	fluxConfig       = "application/vnd.cncf.flux.config.v1+json"
	maxChartMetadata = 1 << 20
)

// manifest is what a registry says about a chart, with its own digest.
type manifest struct {
	digest string
	raw    []byte
}

// descriptor is how a manifest names something else.
// https://github.com/opencontainers/image-spec/blob/main/descriptor.md
type descriptor struct {
	MediaType    string `json:"mediaType"`
	ArtifactType string `json:"artifactType"`
	Digest       string `json:"digest"`
	Size         int64  `json:"size"`
}

// document is an image manifest or an image index.
type document struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	ArtifactType  string       `json:"artifactType"`
	Config        *descriptor  `json:"config"`
	Layers        []descriptor `json:"layers"`
	Manifests     []descriptor `json:"manifests"`
}

// contents is what a chart's manifest leads to: the manifest of the chart
// where it is an index, or else the chart's metadata and its archive.
type contents struct {
	next            *descriptor
	config, archive descriptor
}

// ChartArchive reads the manifest of a chart that is held elsewhere than in a registry,
// and gives the digest and the size of its archive. For an index it gives the digest of
// the chart's manifest instead, as next.
func ChartArchive(raw []byte) (next, archive string, size int64, err error) {
	found, err := contentsOf(raw)
	if err == nil && found.next != nil {
		next = found.next.Digest
	}
	return next, found.archive.Digest, found.archive.Size, err
}

// contentsOf reads a manifest. The error says what it is, if it is no chart's.
func contentsOf(raw []byte) (contents, error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return contents{}, &Error{Kind: NotChart, sentence: "the registry's answer is no OCI manifest: is a proxy or a login page in between?"}
	}
	switch {
	case d.Manifests != nil && (d.Layers != nil || d.Config != nil):
		// One document that two programs would read differently.
		// https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
		return contents{}, notChart("its manifest is an image and an index at once")
	case d.SchemaVersion != 2:
		return contents{}, notChart("its manifest has schema version %d: want 2", d.SchemaVersion)
	case d.Manifests != nil:
		return d.fromIndex()
	case d.Config == nil:
		return contents{}, notChart("its manifest has no config")
	case d.Config.MediaType != helmConfig:
		return contents{}, notChart("it is %s: want config %s", d.kind(), helmConfig)
	}
	return d.fromManifest()
}

// fromIndex finds the chart in an index. Helm writes none, but signing and
// mirroring tools put a chart beside what belongs to it.
func (d document) fromIndex() (contents, error) {
	var charts, images []descriptor
	for _, one := range d.Manifests {
		switch {
		case one.MediaType != ociManifest && one.MediaType != dockerManifest:
		case one.ArtifactType == helmConfig:
			charts = append(charts, one)
		case one.ArtifactType == "":
			images = append(images, one)
		}
	}
	if len(charts) == 0 {
		charts = images
	}
	if len(charts) != 1 {
		return contents{}, notChart("it is an image index of %d manifests, %d of which could be charts: want one, or name it by its digest", len(d.Manifests), len(charts))
	}
	return contents{next: &charts[0]}, charts[0].check("manifest", maxManifest)
}

// fromManifest finds the archive. What lies beside it, such as a provenance
// file, is left alone.
func (d document) fromManifest() (contents, error) {
	var archives []descriptor
	for _, layer := range d.Layers {
		if layer.MediaType == helmArchive || layer.MediaType == helmArchiveOld {
			archives = append(archives, layer)
		}
	}
	if len(archives) != 1 {
		return contents{}, notChart("it holds %d chart archives (%s): want one", len(archives), helmArchive)
	}
	found := contents{config: *d.Config, archive: archives[0]}
	if err := found.config.check("metadata", maxChartMetadata); err != nil {
		return contents{}, err
	}
	return found, found.archive.check("archive", maxArchive)
}

// check refuses what cannot be verified and what is too big, before anything
// is fetched.
func (d descriptor) check(what string, most int64) error {
	switch {
	case !ref.IsChartDigest(d.Digest):
		return notChart("its %s has digest %q: want sha256", what, clip(d.Digest))
	case d.Size < 0:
		return notChart("its %s has size %d", what, d.Size)
	case d.Size > most:
		return &Error{Kind: TooLarge, sentence: fmt.Sprintf("its %s has %d bytes: want at most %d", what, d.Size, most)}
	}
	return nil
}

// kind is what a manifest is that is no chart's.
func (d document) kind() string {
	switch config := d.Config.MediaType; {
	case config == fluxConfig:
		return "an artifact that the flux program pushed"
	case strings.HasPrefix(config, "application/vnd.oci.image.config.") || strings.HasPrefix(config, "application/vnd.docker.container.image."):
		return "a container image"
	case d.ArtifactType != "":
		return fmt.Sprintf("an artifact of type %q", clip(d.ArtifactType))
	default:
		return fmt.Sprintf("an artifact with config %q", clip(config))
	}
}

func notChart(format string, args ...any) *Error {
	return &Error{Kind: NotChart, sentence: "this is no Helm chart: " + fmt.Sprintf(format, args...)}
}

// metadataOf reads a chart's name and version from the manifest's config, which
// is the chart's Chart.yaml as JSON.
func metadataOf(config []byte) (Metadata, error) {
	var m Metadata
	if err := json.Unmarshal(config, &m); err != nil {
		return Metadata{}, notChart("its metadata is no JSON object with a name and a version")
	}
	return m, nil
}

// digestOf is the digest of some bytes: sha256: and hexadecimal digits.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
