package registry

import "strings"

// recall gives the manifest that a reference means, as the cache knows it. A
// digest needs no tag: what it means never changes.
func (c *Client) recall(at location) (manifest, error) {
	digest := at.ref.Digest
	if digest == "" {
		digest = c.cache.lookup(at.repository.Name(), at.ref.Version)
	}
	if digest == "" {
		return manifest{}, c.missing("the chart")
	}
	if raw, found := c.cache.read(digest, maxManifest); found {
		return manifest{digest, raw}, nil
	}
	return manifest{}, c.missing("its manifest " + digest)
}

// complete names, offline, everything that the cache lacks of a chart.
func (c *Client) complete(found contents) error {
	if !c.options.Offline {
		return nil
	}
	var lacking []string
	for _, part := range []struct {
		what string
		descriptor
	}{{"metadata", found.config}, {"archive", found.archive}} {
		if !c.cache.has(part.Digest) {
			lacking = append(lacking, "its "+part.what+" "+part.Digest)
		}
	}
	if lacking != nil {
		return c.missing(lacking...)
	}
	return nil
}

// missing is the error of what is not in the cache.
func (c *Client) missing(what ...string) *Error {
	where := c.options.Cache
	if where == "" {
		return &Error{Kind: NotCached, sentence: "offline, and there is no cache"}
	}
	return &Error{Kind: NotCached, sentence: "offline, and the cache " + where + " lacks " + strings.Join(what, " and ") + ": run it once without --offline"}
}
