package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

const maxPages = 100 // of a list of referrers

// referrers lists the manifests whose subject has a digest, from the API or, where a
// registry does not have it, from the fallback tag.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
func (s side) referrers(ctx context.Context, digest string) ([]descriptor, error) {
	var all []descriptor
	if s.held != nil {
		for _, one := range s.held.Referrers(s.name, digest) {
			all = append(all, descriptor{Digest: one})
		}
		return all, nil
	}
	next, err := s.ask(ctx, http.MethodGet, "referrers/"+digest, ociIndex)
	if lacksAPI(next, err) {
		if err == nil {
			_ = next.Body.Close()
		}
		return s.referrersByTag(ctx, digest)
	}
	for page := 1; ; page++ {
		if err != nil {
			return nil, fmt.Errorf("list what refers to %s: %w", digest, err)
		}
		raw, err := s.body(next, "the referrers of "+digest)
		if err != nil {
			return nil, err
		}
		var list content
		if err := json.Unmarshal(raw, &list); err != nil || list.SchemaVersion != 2 || !bytes.Contains(raw, []byte(`"manifests"`)) {
			return nil, fmt.Errorf("%s sent no list of referrers of %s", s.repository.RegistryStr(), digest)
		}
		if all = append(all, list.Manifests...); len(all) > maxPieces {
			return nil, fmt.Errorf("%s lists more than %d referrers of %s", s.repository.RegistryStr(), maxPieces, digest)
		}
		link, err := nextPage(next)
		if err != nil || link == "" {
			return all, err
		}
		if page == maxPages {
			return nil, fmt.Errorf("%s lists referrers of %s on more than %d pages", s.repository.RegistryStr(), digest, maxPages)
		}
		if next, err = s.askAt(ctx, http.MethodGet, link, ociIndex); err != nil {
			return nil, fmt.Errorf("list what refers to %s: %w", digest, err)
		}
	}
}

// nextPage gives the address of a list's next page, and refuses one at another host:
// a registry does not decide who else is asked.
func nextPage(resp *http.Response) (string, error) {
	link, _, found := strings.Cut(strings.TrimPrefix(resp.Header.Get("Link"), "<"), ">")
	if !found {
		return "", nil
	}
	asked := resp.Request.URL
	next, err := asked.Parse(link)
	if err != nil || next.Host != asked.Host {
		return "", fmt.Errorf("%s goes on with a list at another host", asked.Host)
	}
	next.Scheme = "https" // the transport knows better
	return next.String(), nil
}

// referrersByTag reads the fallback tag. GitLab takes it for the digest and answers with
// the subject itself. https://github.com/oras-project/oras-go/issues/1396
func (s side) referrersByTag(ctx context.Context, digest string) ([]descriptor, error) {
	d, err := s.find(ctx, strings.Replace(digest, ":", "-", 1))
	if errors.Is(err, errAbsent) || err == nil && d.digest == digest {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return d.Manifests, nil
}

// lacksAPI reports whether an answer, or its error, says that a registry has no API for
// referrers: 404, or from older ones 400 and, from Artifactory, 406.
// https://github.com/google/go-containerregistry/pull/2026
func lacksAPI(resp *http.Response, err error) bool {
	var refused refusedError
	if errors.As(err, &refused) {
		return refused.status == http.StatusBadRequest || refused.status == http.StatusNotAcceptable
	}
	return errors.Is(err, errAbsent) || err == nil && !strings.HasPrefix(resp.Header.Get("Content-Type"), ociIndex)
}
