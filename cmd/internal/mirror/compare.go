package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

// state says whether the target has a manifest.
type state int

const (
	there state = iota
	absent
	differs  // its tag names another manifest
	unlisted // it is there, but not in the list of what refers to its subject
)

// lacking marks all of a tree as absent: a [Sink] has nothing of it.
func (t *tree) lacking() {
	for _, p := range t.pieces {
		p.state = absent
	}
}

// compare finds out what the target has of a tree.
func (t *tree) compare(ctx context.Context, a *artifact) error {
	lists := map[string][]descriptor{}
	for _, p := range t.pieces {
		if err := p.compare(ctx, a); err != nil {
			return err
		}
		if p.state != there || p.Subject == nil {
			continue
		}
		subject := p.Subject.Digest
		if _, known := lists[subject]; !known {
			list, err := a.to.referrers(ctx, subject)
			if err != nil {
				return err
			}
			lists[subject] = list
		}
		if !covers(lists[subject], []descriptor{{Digest: p.digest}}) {
			p.state = unlisted
		}
	}
	return nil
}

func (p *piece) compare(ctx context.Context, a *artifact) error {
	digest, err := a.to.digest(ctx, p.name())
	switch {
	case errors.Is(err, errAbsent):
		p.state = absent
		return nil
	case err != nil:
		return err
	case digest == p.digest:
		p.state = there
		return nil
	}
	p.state, p.replaces = differs, digest
	if p.role != signature {
		return nil
	}
	return p.compareSignatures(ctx, a)
}

// compareSignatures looks into another manifest under a tag of cosign: a user may have
// added signatures to those of the source, which must not be lost.
func (p *piece) compareSignatures(ctx context.Context, a *artifact) error {
	other, err := a.to.manifest(ctx, p.replaces)
	if err != nil {
		return err
	}
	switch {
	case covers(other.Layers, p.Layers) && len(other.Layers) > len(p.Layers):
		p.state, p.replaces, p.blobs = there, "", p.Layers // its configuration may be another
	case !covers(p.Layers, other.Layers):
		p.conflict = fmt.Sprintf("%s has signatures of its own under %s that the source lacks, and lacks some of the source: copy them with cosign", a.to.repository.Name(), p.tag)
	}
	return nil
}

// findLost finds blobs that the target lacks, or has not whole, below manifests that it
// has.
func (m *Mirror) findLost(ctx context.Context, a *artifact, t *tree) error {
	var all []descriptor
	seen := map[string]bool{}
	for _, p := range t.pieces {
		for _, d := range p.blobs {
			if p.state == there && !seen[d.Digest] {
				seen[d.Digest] = true
				all = append(all, d)
			}
		}
	}
	lost, failures := make([]bool, len(all)), make([]error, len(all))
	parallel.Each(m.options.Parallel, len(all), func(i int) {
		found, err := a.to.hasBlob(ctx, all[i])
		if errors.As(err, new(brokenBlobError)) {
			err = nil
		}
		lost[i], failures[i] = !found, err
	})
	for i, d := range all {
		if failures[i] != nil {
			return failures[i]
		}
		if lost[i] {
			t.lost = append(t.lost, d)
		}
	}
	return nil
}

// covers reports whether all of some blobs are among others.
func covers(all, some []descriptor) bool {
	return !slices.ContainsFunc(some, func(one descriptor) bool {
		return !slices.ContainsFunc(all, func(other descriptor) bool { return other.Digest == one.Digest })
	})
}
