// Package archive reads and writes archives of images and charts: OCI image layouts
// (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) in a tar, which
// may be compressed with zstd, or in a folder. It opens no connection.
//
// An archive is verified whole before anything of it is given out. One that this package
// wrote has its contents in pm-gitops.json, beside index.json: there other programs
// ignore it, whereas an artifact in index.json would be an image more to them.
package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// The files of a layout. All others are blobs.
const (
	layoutFile   = "oci-layout"
	indexFile    = "index.json"
	contentsFile = "pm-gitops.json"
	blobFolder   = "blobs/sha256/"

	layoutVersion = "1.0.0"
)

// Bounds on what an archive may make us read.
const (
	maxEntries  = 100_000
	maxManifest = 4 << 20 // as registries have it
	maxJSON     = 16 << 20
)

const (
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// The annotations that name what index.json lists: the first is the specification's, the
// second that of containerd and docker, which has the repository too.
const (
	refName   = "org.opencontainers.image.ref.name"
	imageName = "io.containerd.image.name"

	// contentsIn marks an index.json beside which [contentsFile] has to be.
	contentsIn = "com.github.pm-gitops.contents"
)

// descriptor names a manifest or a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	URLs        []string          `json:"urls,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// document is the part of a manifest or an index that says what belongs to it.
type document struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	Config        *descriptor       `json:"config,omitempty"`
	Layers        []descriptor      `json:"layers,omitempty"`
	Blobs         []descriptor      `json:"blobs,omitempty"`
	Manifests     []descriptor      `json:"manifests,omitempty"`
	Subject       *descriptor       `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// Archive is a verified archive. It may be used by many goroutines.
type Archive struct {
	base      string // of its path, for messages
	files     files
	contents  *Contents // nil where another program wrote it
	roots     []Reference
	tags      map[string]string     // by REPOSITORY:TAG, a manifest's digest
	manifests map[string]string     // by digest, the media type
	referrers map[string][]referrer // by the subject's digest
	close     []func() error
}

// Reference is an entry of index.json that is no signature and no referrer.
type Reference struct {
	Name   string // REPOSITORY:TAG or REPOSITORY@DIGEST; empty where the entry has no repository
	Tag    string // of an entry without a repository, if it has one
	Digest string
}

// referrer is a manifest that refers to another one, in a repository, or in any.
type referrer struct{ repository, digest string }

// Open verifies an archive: a tar, compressed or not, or a folder. An archive that is
// compressed is unpacked into a file in the folder temp, which nothing else sees. The
// error says what is wrong first; nothing of a damaged archive is given out.
func Open(ctx context.Context, path, temp string) (*Archive, error) {
	a := &Archive{base: filepath.Base(path), tags: map[string]string{}, manifests: map[string]string{}, referrers: map[string][]referrer{}}
	err := a.open(ctx, path, temp)
	if err == nil {
		err = a.verify(ctx)
	}
	if err != nil {
		_ = a.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("read archive %s: %w", path, err)
	}
	return a, nil
}

func (a *Archive) open(ctx context.Context, path, temp string) error {
	info, err := os.Stat(path)
	if err != nil {
		return reason(err)
	}
	if info.IsDir() {
		return a.openFolder(ctx, path)
	}
	if !info.Mode().IsRegular() {
		return errors.New("want a file or a folder")
	}
	file, err := os.Open(path)
	if err != nil {
		return reason(err)
	}
	a.close = append(a.close, file.Close)
	return a.openTar(ctx, file, info.Size(), temp)
}

// Close closes the archive, and removes what it was unpacked to.
func (a *Archive) Close() error {
	var all error
	for _, one := range slices.Backward(a.close) {
		all = errors.Join(all, one())
	}
	a.close = nil
	return all
}

// Contents gives what the archive says of itself. It reports false for one that another
// program wrote.
func (a *Archive) Contents() (Contents, bool) {
	if a.contents == nil {
		return Contents{}, false
	}
	return *a.contents, true
}

// References lists what the archive is about, in the order of index.json: not signatures
// and not referrers.
func (a *Archive) References() []Reference { return slices.Clone(a.roots) }

// Size gives the number of bytes of all files.
func (a *Archive) Size() (size int64) {
	for _, one := range a.files {
		size += one.size
	}
	return size
}

// Has reports whether a reference, with a tag or a digest, is among the archive's. An
// entry without a repository is found by its digest.
func (a *Archive) Has(reference string) bool {
	parsed, err := ref.ParseImage(reference)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(a.roots, func(one Reference) bool {
		if parsed.Digest != "" {
			repository, _, _ := ref.Split(one.Name)
			return one.Digest == parsed.Digest && (one.Name == "" || repository == parsed.Name())
		}
		return one.Name == parsed.Name()+":"+parsed.Tag
	})
}

// Manifest gives a manifest by tag or digest, and its media type, or an error that is
// [fs.ErrNotExist]. The repository is HOST/PATH.
func (a *Archive) Manifest(repository, identifier string) (raw []byte, mediaType string, err error) {
	digest := identifier
	if !ref.IsChartDigest(identifier) {
		digest = a.tags[repository+":"+identifier]
		if digest == "" {
			digest = a.tags[":"+identifier]
		}
	}
	mediaType, found := a.manifests[digest]
	if !found {
		return nil, "", fmt.Errorf("%s has no %s:%s: %w", a.base, repository, identifier, fs.ErrNotExist)
	}
	raw, err = a.files.read(blobName(digest), maxManifest)
	return raw, mediaType, err
}

// Referrers gives the digests of the manifests of a repository whose subject has a digest.
func (a *Archive) Referrers(repository, digest string) (all []string) {
	seen := map[string]bool{}
	for _, one := range a.referrers[digest] {
		if (one.repository == "" || one.repository == repository) && !seen[one.digest] {
			seen[one.digest] = true
			all = append(all, one.digest)
		}
	}
	return all
}

// Blob opens a blob.
func (a *Archive) Blob(digest string) (io.ReadSeekCloser, error) {
	one, found := a.files[blobName(digest)]
	if !found {
		return nil, fmt.Errorf("%s has no %s: %w", a.base, digest, fs.ErrNotExist)
	}
	return one.open()
}

func blobName(digest string) string { return blobFolder + strings.TrimPrefix(digest, "sha256:") }

// reason takes the operation and the path out of an error: messages name the archive.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
