package render

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// The types of this file are the texts of an environment file that name images
// and charts.

// Repository is a place in an OCI registry, without scheme and tag.
type Repository string

// ChartURL is a chart in an OCI registry: oci://host/path/chart.
type ChartURL string

// ChartVersion is an exact semver version, with @sha256:… behind it to pin
// the digest.
type ChartVersion string

// Tag is an image tag.
type Tag string

// Validate refuses schemes, tags, digests and trailing slashes.
func (r Repository) Validate() error {
	if !ref.IsFolder(string(r)) {
		return fmt.Errorf("want a registry and a path such as registry.company.com/prefect, without scheme, tag and trailing slash, got %s", quotedURL(string(r)))
	}
	return nil
}

// Validate wants oci:// and a repository with a path.
func (u ChartURL) Validate() error {
	chart, isOCI := strings.CutPrefix(string(u), "oci://")
	if !isOCI || !strings.Contains(chart, "/") || !ref.IsFolder(chart) {
		return fmt.Errorf("want a chart such as oci://registry.company.com/charts/prefect-worker, without version, got %s", quotedURL(string(u)))
	}
	return nil
}

// Validate wants semver, as Helm with a v before it if the chart has one, and
// a whole digest behind an @.
func (v ChartVersion) Validate() error {
	version, digest, pinned := strings.Cut(string(v), "@")
	if _, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v")); err != nil {
		return fmt.Errorf("want an exact chart version such as 1.2.3, got %s", quoted(version))
	}
	if pinned && !ref.IsChartDigest(digest) {
		return fmt.Errorf("want sha256: and 64 hexadecimal digits behind the @, got %s", quoted(digest))
	}
	return nil
}

// Version is the part before the digest.
func (v ChartVersion) Version() string {
	version, _, _ := strings.Cut(string(v), "@")
	return version
}

// Digest is sha256:…, or empty where the version pins none.
func (v ChartVersion) Digest() string {
	_, digest, _ := strings.Cut(string(v), "@")
	return digest
}

// Validate refuses what no registry takes as a tag, and latest, which says
// nothing about what runs.
func (t Tag) Validate() error {
	switch {
	case t == "latest":
		return errors.New("want the tag of one build: latest may change at any time")
	case !ref.IsTag(string(t)):
		return fmt.Errorf("want an image tag of letters, digits, ., _ and -, got %s", quoted(string(t)))
	}
	return nil
}
