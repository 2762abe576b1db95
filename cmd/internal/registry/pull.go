package registry

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// Chart is a chart as a registry has it. What it holds is shared by everyone
// who asked for it: nobody may change it.
type Chart struct {
	Ref      Ref
	Metadata Metadata
	Archive  []byte // what helm pull would write

	Digest        string // of the manifest that the tag means: what Flux and Argo CD pin
	ArchiveDigest string

	// MovedFrom is the digest that the version had when the cache last saw
	// it, if that was another: somebody pushed a second chart under the same
	// version. It is empty otherwise.
	MovedFrom string
}

// Metadata is the part of a chart's Chart.yaml that says which chart it is.
type Metadata struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion"`
}

// Chart gives the chart that ref names. A version's tag is always resolved by
// the registry, since tags can move; what it leads to comes from the cache
// where it is there. With a version and a digest, the tag must mean the
// digest. The chart's own name must be the last part of the repository, and
// its version the one that was asked for.
//
// Errors are an [*Error], or the context's.
func (c *Client) Chart(ctx context.Context, ref Ref) (Chart, error) {
	at, err := c.locate(ref)
	if err != nil {
		return Chart{}, &Error{Kind: BadRef, sentence: err.Error()}
	}
	chart, err := together(ctx, c, at.key(), func(ctx context.Context) (Chart, error) { return c.chart(ctx, at) })
	if err != nil {
		return Chart{}, about("chart "+at.ref.String(), err)
	}
	return chart, nil
}

// together answers the same question of many at once. Whoever asks first does
// the work under their own context; when that ends, the next one does it again.
func together[T any](ctx context.Context, c *Client, key string, work func(context.Context) (T, error)) (T, error) {
	var none T
	for {
		answer := c.flights.DoChan(key, func() (any, error) { return work(ctx) })
		select {
		case <-ctx.Done():
			return none, context.Cause(ctx)
		case result := <-answer:
			if ended(result.Err) && ctx.Err() == nil {
				continue
			}
			value, _ := result.Val.(T)
			return value, result.Err
		}
	}
}

// ended reports whether an error is that of a context.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (c *Client) chart(ctx context.Context, at location) (Chart, error) {
	top, err := c.resolve(ctx, at)
	if err != nil {
		return Chart{}, err
	}
	found, err := c.contents(ctx, at, top)
	if err != nil {
		return Chart{}, err
	}
	if err := c.complete(found); err != nil {
		return Chart{}, err
	}
	config, err := c.blob(ctx, at, "metadata", found.config)
	if err != nil {
		return Chart{}, err
	}
	metadata, err := metadataOf(config)
	if err != nil {
		return Chart{}, err
	}
	if err := at.check(metadata); err != nil {
		return Chart{}, err
	}
	archive, err := c.blob(ctx, at, "archive", found.archive)
	if err != nil {
		return Chart{}, err
	}
	chart := Chart{Ref: at.ref, Metadata: metadata, Archive: archive, Digest: top.digest, ArchiveDigest: found.archive.Digest}
	chart.MovedFrom = c.remember(at, top.digest)
	return chart, nil
}

// check refuses another chart than the one that was asked for.
func (l location) check(m Metadata) error {
	if m.Name != l.chartName() {
		return &Error{Kind: Mismatch, sentence: fmt.Sprintf("the chart calls itself %q, not %q as its repository does", clip(m.Name), l.chartName())}
	}
	if l.ref.Version != "" && m.Version != l.ref.Version {
		return &Error{Kind: Mismatch, sentence: fmt.Sprintf("the chart under tag %s calls itself version %q, not %q", l.tag, clip(m.Version), l.ref.Version)}
	}
	return nil
}

// resolve gives the manifest that a reference means.
func (c *Client) resolve(ctx context.Context, at location) (manifest, error) {
	if c.options.Offline {
		return c.recall(at)
	}
	if at.tag == "" {
		return c.manifest(ctx, at, at.ref.Digest)
	}
	key := at.repository.Name() + ":" + at.tag
	c.mu.Lock()
	found, known := c.resolved[key]
	c.mu.Unlock()
	if !known {
		var err error
		if found, err = c.fetchManifest(ctx, at, at.tag); err != nil {
			return manifest{}, err
		}
		c.mu.Lock()
		c.resolved[key] = found
		c.mu.Unlock()
	}
	if at.ref.Digest != "" && found.digest != at.ref.Digest {
		return manifest{}, &Error{Kind: Moved, sentence: fmt.Sprintf("the tag now means %s: somebody pushed another chart under this version, or the digest belongs to another one", found.digest)}
	}
	return found, nil
}

// contents follows an index to the chart in it.
func (c *Client) contents(ctx context.Context, at location, top manifest) (contents, error) {
	found, err := contentsOf(top.raw)
	if err != nil || found.next == nil {
		return found, err
	}
	inner, err := c.manifest(ctx, at, found.next.Digest)
	if err != nil {
		return contents{}, err
	}
	found, err = contentsOf(inner.raw)
	if err == nil && found.next != nil {
		err = notChart("it is an image index of image indexes")
	}
	return found, err
}

// manifest gives the manifest with a digest, from the cache if it is there.
func (c *Client) manifest(ctx context.Context, at location, digest string) (manifest, error) {
	if raw, found := c.cache.read(digest, maxManifest); found {
		return manifest{digest, raw}, nil
	}
	if c.options.Offline {
		return manifest{}, c.missing("its manifest " + digest)
	}
	return c.fetchManifest(ctx, at, digest)
}

// fetchManifest asks the registry for a manifest by tag or digest.
func (c *Client) fetchManifest(ctx context.Context, at location, identifier string) (manifest, error) {
	// A digest is asked for as if it were a tag, so that the comparison, and
	// the error, are ours.
	got, err := c.puller.Get(ctx, at.repository.Tag(identifier))
	if err != nil {
		return manifest{}, c.explain(ctx, question{at: at, what: "manifest", identifier: identifier}, err)
	}
	found := manifest{digestOf(got.Manifest), got.Manifest}
	if ref.IsChartDigest(identifier) && found.digest != identifier {
		return manifest{}, wrongDigest(at, "manifest", identifier, found.digest)
	}
	c.keep(found.digest, found.raw)
	return found, nil
}

// blob gives what a descriptor names, from the cache if it is there.
func (c *Client) blob(ctx context.Context, at location, what string, d descriptor) ([]byte, error) {
	if content, found := c.cache.read(d.Digest, d.Size); found && int64(len(content)) == d.Size {
		return content, nil
	}
	if c.options.Offline {
		return nil, c.missing("its " + what + " " + d.Digest)
	}
	content, err := c.fetchBlob(withLimit(ctx, d.Size), at.repository.Digest(d.Digest))
	if err != nil {
		return nil, c.explain(ctx, question{at: at, what: what, identifier: d.Digest}, err)
	}
	if got := digestOf(content); got != d.Digest || int64(len(content)) != d.Size {
		return nil, wrongDigest(at, what, d.Digest, got)
	}
	c.keep(d.Digest, content)
	return content, nil
}

func (c *Client) fetchBlob(ctx context.Context, ref name.Digest) ([]byte, error) {
	layer, err := c.puller.Layer(ctx, ref)
	if err != nil {
		return nil, err
	}
	body, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		// The answer is in memory by now (see exchange), so that only the
		// library's own comparison of size and digest can fail.
		return nil, errWrongBytes
	}
	return content, nil
}
