package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// verify reads what an archive is about, and wants everything that it names to be in it.
func (a *Archive) verify(ctx context.Context) error {
	index, err := a.readIndex()
	if err != nil {
		return err
	}
	if _, ours := a.files[contentsFile]; ours {
		raw, err := a.files.read(contentsFile, maxJSON)
		if err != nil {
			return err
		}
		if a.contents, err = decodeContents(raw); err != nil {
			return err
		}
	} else if index.Annotations[contentsIn] != "" {
		return fmt.Errorf("it lacks %s", contentsFile)
	}
	w := walk{ctx: ctx, archive: a, leftOut: map[string]bool{}, seen: map[string]*document{}}
	if a.contents != nil {
		for _, digest := range a.contents.LeftOut {
			w.leftOut[digest] = true
		}
	}
	for _, entry := range index.Manifests {
		d, err := w.follow(entry, "")
		if err != nil {
			return fmt.Errorf("%s: %w", indexFile, err)
		}
		if err := a.name(entry, d); err != nil {
			return err
		}
	}
	if len(a.roots) == 0 {
		return errors.New("it holds no image and no chart")
	}
	w.listReferrers()
	if a.contents != nil {
		return a.contents.agrees(a)
	}
	return nil
}

// readIndex reads the files that make a layout one.
func (a *Archive) readIndex() (document, error) {
	var index document
	if _, found := a.files[layoutFile]; !found {
		if _, found := a.files["manifest.json"]; found {
			return index, errors.New("it is an archive of docker save, and no OCI layout: write it with skopeo copy … oci-archive:FILE")
		}
		return index, fmt.Errorf("it is no OCI image layout: it has no %s", layoutFile)
	}
	var layout struct {
		Version string `json:"imageLayoutVersion"`
	}
	raw, err := a.files.read(layoutFile, maxManifest)
	if err == nil {
		err = json.Unmarshal(raw, &layout)
	}
	if err != nil {
		return index, fmt.Errorf("%s: %w", layoutFile, err)
	}
	if layout.Version != layoutVersion {
		return index, fmt.Errorf("%s has version %q: want %s", layoutFile, layout.Version, layoutVersion)
	}
	if raw, err = a.files.read(indexFile, maxJSON); err != nil {
		return index, err
	}
	if err := json.Unmarshal(raw, &index); err != nil || index.SchemaVersion != 2 {
		return index, fmt.Errorf("%s is no OCI index", indexFile)
	}
	return index, nil
}

// walk goes through all manifests of an archive, and reads each once: a small archive can
// name a large manifest a hundred thousand times.
type walk struct {
	ctx     context.Context
	archive *Archive
	leftOut map[string]bool
	seen    map[string]*document // by digest, with nothing but the subject
	refer   []referring
}

// referring is a manifest that has a subject.
type referring struct{ digest, subject string }

// follow wants a descriptor's bytes, and what they name, to be in the archive. It gives
// the document where the descriptor is that of a manifest.
func (w *walk) follow(d descriptor, of string) (*document, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	one, found := w.archive.files[blobName(d.Digest)]
	switch {
	case !found && of != "" && isManifest(d.MediaType) && w.leftOut[d.Digest]:
		return nil, nil
	case !found && of != "":
		return nil, fmt.Errorf("it lacks %s, which %s names", d.Digest, of)
	case !found:
		return nil, fmt.Errorf("it lacks %s", d.Digest)
	case one.size != d.Size:
		return nil, fmt.Errorf("%s has %d bytes, not %d", d.Digest, one.size, d.Size)
	case !isManifest(d.MediaType):
		return nil, nil
	case w.seen[d.Digest] != nil:
		return w.seen[d.Digest], nil
	case w.ctx.Err() != nil:
		return nil, w.ctx.Err()
	}
	raw, err := w.archive.files.read(blobName(d.Digest), maxManifest)
	if err != nil {
		return nil, err
	}
	made := &document{}
	if err := json.Unmarshal(raw, made); err != nil || made.SchemaVersion != 2 {
		return nil, fmt.Errorf("%s is no manifest of an image or an artifact", d.Digest)
	}
	w.seen[d.Digest] = &document{Subject: made.Subject}
	w.archive.manifests[d.Digest] = d.MediaType
	if made.Subject != nil {
		if err := made.Subject.check(); err != nil {
			return nil, fmt.Errorf("the subject of %s: %w", d.Digest, err)
		}
		w.refer = append(w.refer, referring{d.Digest, made.Subject.Digest})
	}
	return w.seen[d.Digest], w.children(d.Digest, made)
}

// children follows what a manifest names. Layers that lie elsewhere may be left out.
func (w *walk) children(digest string, made *document) error {
	all := slices.Concat(made.Manifests, made.Layers, made.Blobs)
	if made.Config != nil {
		all = append(all, *made.Config)
	}
	for _, child := range all {
		if _, found := w.archive.files[blobName(child.Digest)]; !found && len(child.URLs) > 0 {
			continue
		}
		if _, err := w.follow(child, digest); err != nil {
			return err
		}
	}
	return nil
}

func isManifest(mediaType string) bool {
	return slices.Contains([]string{ociManifest, ociIndex, dockerManifest, dockerIndex}, mediaType)
}

// attached is the form of tags that belong to another manifest: those of cosign, and the
// fallback tag of referrers.
var attached = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256-[0-9a-f]{64}(\.[a-z]+)?$`) })

// name takes over an entry of index.json: a tag for what belongs to something else, a
// place for a referrer, and else a root.
func (a *Archive) name(entry descriptor, made *document) error {
	if made == nil {
		return fmt.Errorf("%s: %s has media type %q, which is no manifest's", indexFile, entry.Digest, entry.MediaType)
	}
	repository, tag := readName(entry.Annotations)
	if tag != "" && (repository != "" || attached().MatchString(tag)) {
		key := repository + ":" + tag
		if other := a.tags[key]; other != "" && other != entry.Digest {
			return fmt.Errorf("%s names both %s and %s %s", indexFile, other, entry.Digest, key)
		}
		a.tags[key] = entry.Digest
	}
	switch {
	case a.lists(repository, tag, entry.Digest):
	case attached().MatchString(tag):
		return nil
	case made.Subject != nil && tag == "":
		a.referrers[made.Subject.Digest] = append(a.referrers[made.Subject.Digest], referrer{repository, entry.Digest})
		return nil
	}
	root := Reference{Digest: entry.Digest}
	if repository == "" {
		root.Tag = tag
	} else {
		root.Name = fullName(repository, tag, entry.Digest)
	}
	a.roots = append(a.roots, root)
	return nil
}

// fullName writes a reference with a tag, or without one with the digest.
func fullName(repository, tag, digest string) string {
	if tag == "" {
		return repository + "@" + digest
	}
	return repository + ":" + tag
}

// lists reports whether the contents name an entry as an artifact, whatever it looks like.
func (a *Archive) lists(repository, tag, digest string) bool {
	return a.contents != nil && slices.ContainsFunc(a.contents.Artifacts, func(one Artifact) bool {
		return one.Source == fullName(repository, tag, digest)
	})
}

// readName gives what annotations name: a repository with a tag, or without one; or only
// a tag, as crane and oras write it.
func readName(annotations map[string]string) (repository, tag string) {
	for _, key := range []string{imageName, refName} {
		text := annotations[key]
		if ref.IsTag(text) {
			return "", text
		}
		if parsed, err := ref.ParseImage(text); text != "" && err == nil {
			if parsed.Tag == "" && parsed.Digest == "" {
				parsed.Tag = "latest"
			}
			if parsed.Digest != "" {
				parsed.Tag = ""
			}
			return parsed.Name(), parsed.Tag
		}
	}
	return "", ""
}

// listReferrers adds the referrers that index.json does not list itself: those of the
// index under a fallback tag. They belong to every repository.
func (w *walk) listReferrers() {
	for _, one := range w.refer {
		known := w.archive.referrers[one.subject]
		if !slices.ContainsFunc(known, func(other referrer) bool { return other.digest == one.digest }) {
			w.archive.referrers[one.subject] = append(known, referrer{"", one.digest})
		}
	}
}
