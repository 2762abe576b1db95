package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// Bounds on what belongs to an artifact: a registry can make up manifests that refer to
// each other without end.
const (
	maxPieces = 10_000
	maxBytes  = 64 << 20 // of manifests, which are kept in memory
)

// tree is everything that belongs to an artifact, in an order in which each manifest
// comes after those that it names and that belong to it: the artifact itself is last.
type tree struct {
	pieces []*piece
	lost   []descriptor // blobs that the target lacks below manifests that it has, where that was asked
	seen   map[string]bool
	bytes  int // of the manifests that were seen

	root      string
	platforms []Platform // of an index only these; all where there are none
	others    []string   // platforms that were left out
	matched   bool       // one of those asked for is there
}

// piece is a manifest of a tree.
type piece struct {
	*document
	role  role
	tag   string // at the target; empty where only the digest names it
	blobs []descriptor

	state    state
	replaces string // the digest that the tag has at the target
	conflict string // why it must not replace that
}

// name gives the tag or digest of a piece in its repository.
func (p *piece) name() string {
	if p.tag != "" {
		return p.tag
	}
	return p.digest
}

// role says how a manifest belongs to an artifact.
type role string

const (
	itself    role = "manifest"
	signature role = "signature" // or an attestation or SBOM, under a tag of cosign
	referrer  role = "referrer"
)

// cosignTags are the ends of the tags under which cosign keeps what belongs to a digest.
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#tag-based-discovery
var cosignTags = [...]string{".sig", ".att", ".sbom"}

// cosignTag gives a tag under which cosign keeps what belongs to a digest, by its number.
func cosignTag(digest string, i int) string {
	return strings.Replace(digest, ":", "-", 1) + cosignTags[i]
}

// attached looks for what belongs to a manifest: what is under the tags of cosign, nil
// where there is nothing, and the referrers. It asks for all of that at once, since a run
// with nothing to do mostly waits for these answers.
func (s side) attached(ctx context.Context, digest string) (found [len(cosignTags)]*document, referrers []descriptor, err error) {
	var failures [len(cosignTags) + 1]error
	parallel.Each(len(failures), len(failures), func(i int) {
		if i == len(cosignTags) {
			referrers, failures[i] = s.referrers(ctx, digest)
			return
		}
		tag := cosignTag(digest, i)
		d, err := s.find(ctx, tag)
		if err != nil && !errors.Is(err, errAbsent) {
			failures[i] = fmt.Errorf("look for %s: %w", tag, err)
		}
		found[i] = d
	})
	return found, referrers, cmp.Or(failures[:]...)
}

// grow finds everything that belongs to an artifact at its source.
func grow(ctx context.Context, a *artifact, root *document, platforms []Platform) (*tree, error) {
	t := &tree{seen: map[string]bool{}, root: root.digest, platforms: platforms}
	if err := t.add(ctx, a, root, itself, a.tag); err != nil {
		return nil, err
	}
	if !t.matched && t.others != nil {
		return nil, fmt.Errorf("it is for none of the platforms asked for, but for %s", strings.Join(t.others, ", "))
	}
	return t, nil
}

// add adds a document, after all that it names and that belongs to it. An index in an
// index is left out where all of its platforms are.
func (t *tree) add(ctx context.Context, a *artifact, d *document, as role, tag string) error {
	if key := d.digest + " " + tag; t.seen[key] {
		return nil
	} else {
		t.seen[key] = true
	}
	if t.bytes += len(d.raw); len(t.seen) > maxPieces || t.bytes > maxBytes {
		return fmt.Errorf("%s has more than %d manifests, or %d bytes of them, for %s in %s: that many are not copied", a.from.place(), maxPieces, maxBytes, t.root, a.from.repository.RepositoryStr())
	}
	p := &piece{document: d, role: as, tag: tag}
	entries := d.Manifests
	if as == itself {
		var others []string
		entries, others = choose(d.Manifests, t.platforms)
		t.others = append(t.others, others...)
		matched := slices.ContainsFunc(entries, descriptor.hasPlatform)
		t.matched = t.matched || matched
		if others != nil && !matched && d.digest != t.root {
			return nil
		}
	}
	for _, entry := range entries {
		if err := entry.check(); err != nil {
			return fmt.Errorf("%s: %w", d.digest, err)
		}
		if !isManifest(entry.MediaType) {
			p.blobs = append(p.blobs, entry)
			continue
		}
		if err := t.follow(ctx, a, entry.Digest, as, ""); err != nil {
			return err
		}
	}
	blobs := append(slices.Clone(d.Layers), d.Blobs...)
	if d.Config != nil {
		blobs = append(blobs, *d.Config)
	}
	for _, blob := range blobs {
		if err := blob.check(); err != nil {
			return fmt.Errorf("%s: %w", d.digest, err)
		}
		if len(blob.URLs) == 0 { // others lie elsewhere, and may not be copied
			p.blobs = append(p.blobs, blob)
		}
	}
	if !isSignature(tag) {
		if err := t.attached(ctx, a, d.digest); err != nil {
			return err
		}
	}
	t.pieces = append(t.pieces, p)
	return nil
}

// follow gets a manifest by its digest and adds it.
func (t *tree) follow(ctx context.Context, a *artifact, digest string, as role, tag string) error {
	if t.seen[digest+" "+tag] {
		return nil
	}
	d, err := a.from.manifest(ctx, digest)
	if err != nil {
		return err
	}
	return t.add(ctx, a, d, as, tag)
}

// attached adds what belongs to a manifest without being named in it.
func (t *tree) attached(ctx context.Context, a *artifact, digest string) error {
	found, list, err := a.from.attached(ctx, digest)
	if err != nil {
		return err
	}
	for i, d := range found {
		if d == nil {
			continue
		}
		tag := cosignTag(digest, i)
		if err := t.add(ctx, a, d, signature, tag); err != nil {
			return err
		}
	}
	for _, one := range list {
		if err := one.check(); err != nil {
			return fmt.Errorf("what refers to %s: %w", digest, err)
		}
		if err := t.follow(ctx, a, one.Digest, referrer, ""); err != nil {
			return err
		}
	}
	return nil
}

// check refuses what cannot be verified.
func (d descriptor) check() error {
	if !ref.IsChartDigest(d.Digest) || d.Size < 0 {
		return fmt.Errorf("it names something with digest %q and size %d: want sha256", d.Digest, d.Size)
	}
	return nil
}

// isSignature reports whether a tag is that of signatures or attestations, to which
// cosign attaches nothing.
func isSignature(tag string) bool {
	return strings.HasSuffix(tag, ".sig") || strings.HasSuffix(tag, ".att")
}

func isManifest(mediaType string) bool {
	return slices.Contains([]string{ociIndex, ociManifest, dockerIndex, dockerManifest}, mediaType)
}
