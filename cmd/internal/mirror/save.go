package mirror

import (
	"context"
	"io"
	"slices"

	"github.com/regclient/regclient"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

// Sink gets artifacts in place of registries, such as an archive. It is called by one
// goroutine at a time.
type Sink interface {
	// Begin gets all artifacts with their manifests, before any blob.
	Begin(all []Bundle) error
	// Blob gets a blob of an artifact, each once, in the order of the artifacts. It reads
	// to the end, and keeps nothing where that fails: the same blob may come again.
	Blob(digest string, size int64, content io.Reader) error
}

// Bundle is an artifact with all that belongs to it.
type Bundle struct {
	Result
	Pieces []Piece // each after those that it names and that belong to it: the artifact itself is last
	Blobs  []Blob
}

// Piece is a manifest of a [Bundle].
type Piece struct {
	Reference         string // REPOSITORY:TAG or REPOSITORY@DIGEST; empty where another manifest names it
	Digest, MediaType string
	Bytes             []byte
}

// Blob names a blob of a manifest.
type Blob struct {
	Digest string
	Size   int64
}

// sinkError says that a [Sink] could not do something.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

// save gives all artifacts to the sink.
func (m *Mirror) save(ctx context.Context) ([]Result, error) {
	results, roots, err := m.resolve(ctx)
	if err != nil {
		return results, err
	}
	trees := make([]*tree, len(roots))
	parallel.Each(m.options.Parallel, len(roots), func(i int) {
		if roots[i] != nil && results[i].fail(m.one(ctx, m.copies[i], roots[i], &results[i], func(_ context.Context, _ *artifact, t *tree, _ *Result) error {
			trees[i] = t
			return nil
		})) {
			m.done(i, results[i])
		}
	})
	if ctx.Err() != nil {
		return m.interrupted(ctx, results)
	}
	if slices.Contains(trees, nil) {
		for i, t := range trees {
			if t != nil {
				m.done(i, results[i])
			}
		}
		return results, nil
	}
	var all []Bundle
	for i, t := range trees {
		all = append(all, t.bundle(m.copies[i], results[i]))
	}
	if err := m.options.Sink.Begin(all); err != nil {
		return results, err
	}
	saved := map[string]bool{}
	for i, t := range trees {
		failed := results[i].fail(m.saveBlobs(ctx, m.copies[i], t, saved, &results[i]))
		if ctx.Err() != nil {
			return m.interrupted(ctx, results)
		}
		m.done(i, results[i])
		if failed {
			break
		}
	}
	return results, nil
}

// saveBlobs gives the blobs of an artifact to the sink that it does not have yet.
func (m *Mirror) saveBlobs(ctx context.Context, a *artifact, t *tree, saved map[string]bool, result *Result) error {
	moved := &moved{}
	progress := func() {
		if m.options.Progress != nil {
			m.options.Progress(a.Source, moved.copied.Load()+moved.skipped.Load(), result.BytesMissing)
		}
	}
	for _, d := range t.blobs() {
		if saved[d.Digest] {
			moved.skipped.Add(d.Size)
		} else if err := m.move(ctx, a, d, moved, progress); err != nil {
			return err
		}
		saved[d.Digest] = true
	}
	progress()
	result.State, result.BytesCopied, result.BytesSkipped = Copied, moved.copied.Load(), moved.skipped.Load()
	return nil
}

// bundle gives a tree for a sink. Where a source has both a tag and a digest, the tag
// names it.
func (t *tree) bundle(a *artifact, result Result) Bundle {
	all := Bundle{Result: result}
	for i, p := range t.pieces {
		piece := Piece{Digest: p.digest, MediaType: p.mediaType, Bytes: p.raw}
		switch {
		case p.tag != "":
			piece.Reference = a.from.name + ":" + p.tag
		case i == len(t.pieces)-1, p.role == referrer && p.Subject != nil:
			piece.Reference = a.from.name + "@" + p.digest
		}
		all.Pieces = append(all.Pieces, piece)
	}
	for _, d := range t.blobs() {
		all.Blobs = append(all.Blobs, Blob{d.Digest, d.Size})
	}
	return all
}

// send gives a blob to the target, or to the sink.
func (m *Mirror) send(ctx context.Context, lib *regclient.RegClient, a *artifact, d descriptor, content *counted) error {
	if m.options.Sink == nil {
		_, err := lib.BlobPut(ctx, a.to.ref, d.library(), content)
		return err
	}
	err := m.options.Sink.Blob(d.Digest, d.Size, content)
	if err != nil && !content.failed {
		return sinkError{err}
	}
	return err
}
