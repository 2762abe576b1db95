package charts

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// Held has charts as registries do, such as an archive. Repositories are HOST/PATH.
type Held interface {
	// Manifest gives a manifest by tag or digest, or an error that is [fs.ErrNotExist].
	Manifest(repository, identifier string) (raw []byte, mediaType string, err error)
	Blob(digest string) (io.ReadSeekCloser, error)
}

// FromHeld makes a source of what holds charts. No registry is asked.
func FromHeld(held Held) Source { return &once{inner: fromHeld{held}} }

type fromHeld struct{ Held }

// Chart reads a chart, and wants it to have the name and the version.
func (h fromHeld) Chart(ctx context.Context, wanted render.Chart) (Chart, error) {
	made, err := h.read(wanted)
	if err != nil {
		return Chart{}, err
	}
	own, err := made.load(ctx)
	if err == nil && (own.Name() != path.Base(wanted.Repository) || own.Version() != wanted.Version) {
		err = fmt.Errorf("it is %s %s", own.Name(), own.Version())
	}
	if err != nil {
		return Chart{}, fmt.Errorf("%s %s: %w", wanted.Repository, wanted.Version, err)
	}
	return own, nil
}

func (h fromHeld) read(wanted render.Chart) (packed, error) {
	raw, _, err := h.Manifest(wanted.Repository, cmp.Or(wanted.Digest, ref.TagOf(wanted.Version)))
	if err != nil {
		return packed{}, err
	}
	sum := sha256.Sum256(raw)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	next, blob, size, err := registry.ChartArchive(raw)
	if err == nil && next != "" {
		if raw, _, err = h.Manifest(wanted.Repository, next); err == nil {
			next, blob, size, err = registry.ChartArchive(raw)
		}
		if err == nil && next != "" {
			err = errors.New("it is an index of indexes")
		}
	}
	if err != nil {
		return packed{}, err
	}
	content, err := h.Blob(blob)
	if err != nil {
		return packed{}, err
	}
	defer content.Close()
	archive, err := io.ReadAll(io.LimitReader(content, size))
	return packed{Archive: archive, Digest: digest}, err
}
