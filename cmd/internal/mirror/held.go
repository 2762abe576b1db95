package mirror

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/regclient/regclient"
	"github.com/regclient/regclient/types/blob"
)

// Source answers for the registries of artifacts, such as an archive. Repositories are
// written HOST/PATH, and Docker Hub's host is docker.io.
type Source interface {
	// Manifest gives a manifest by tag or digest, and its media type. The error is
	// [fs.ErrNotExist] for one that is not there, and only for that.
	Manifest(repository, identifier string) (raw []byte, mediaType string, err error)
	// Referrers gives the digests of the manifests whose subject has a digest.
	Referrers(repository, digest string) []string
	// Blob opens a blob.
	Blob(digest string) (io.ReadSeekCloser, error)
}

// findHeld is find for a side that a [Source] answers for.
func (s side) findHeld(identifier string) (*document, error) {
	raw, mediaType, err := s.held.Manifest(s.name, identifier)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errAbsent
	}
	if err != nil {
		return nil, err
	}
	return s.document(raw, identifier, "", mediaType)
}

// blob opens a blob, whose reader compares the digest.
func (s side) blob(ctx context.Context, lib *regclient.RegClient, d descriptor) (*blob.BReader, error) {
	if s.held == nil {
		return lib.BlobGet(ctx, s.ref, d.library())
	}
	content, err := s.held.Blob(d.Digest)
	if err != nil {
		return nil, err
	}
	return blob.NewReader(blob.WithDesc(d.library()), blob.WithReader(content)), nil
}
