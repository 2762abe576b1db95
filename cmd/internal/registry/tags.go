package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// Tags gives the versions of a chart that its repository has, the lowest
// first. As for Helm, tags that are no semantic version are none of a chart,
// and an underscore stands for a plus sign. Some registries forbid listing to
// those who may read every chart: the error is then of kind [TagsForbidden].
func (c *Client) Tags(ctx context.Context, repository string) ([]string, error) {
	tags, err := c.tags(ctx, "versions of ", repository)
	if err != nil {
		return nil, err
	}
	return versions(tags), nil
}

// ImageTags gives all tags of an image's repository, sorted as texts, which is no order
// of versions. Errors are as for [Client.Tags].
func (c *Client) ImageTags(ctx context.Context, repository string) ([]string, error) {
	tags, err := c.tags(ctx, "tags of ", repository)
	if err != nil {
		return nil, err
	}
	tags = slices.Clone(tags) // which others got too
	slices.Sort(tags)
	return slices.Compact(tags), nil
}

// tags gives every tag of a repository. Others may have the same slice.
func (c *Client) tags(ctx context.Context, subject, repository string) ([]string, error) {
	at, err := c.repository(repository)
	if err != nil {
		return nil, &Error{Kind: BadRef, sentence: err.Error()}
	}
	subject += at.Name()
	if c.options.Offline {
		return nil, about(subject, &Error{Kind: NotCached, sentence: "offline, and the cache holds no lists of versions"})
	}
	tags, err := together(ctx, c, "tags\n"+at.Name(), func(ctx context.Context) ([]string, error) {
		tags, err := c.list(ctx, at)
		if err != nil {
			return nil, c.explain(ctx, question{at: location{repository: at}, what: "tags"}, err)
		}
		return tags, nil
	})
	if err != nil {
		return nil, about(subject, err)
	}
	return tags, nil
}

// maxPages bounds what a registry can make us ask for: a million tags.
const maxPages = 1000

// list gives every tag of a repository, page by page.
func (c *Client) list(ctx context.Context, repository name.Repository) ([]string, error) {
	pages, err := c.puller.Lister(ctx, repository)
	if err != nil {
		return nil, err
	}
	var tags []string
	for page := 0; pages.HasNext(); page++ {
		if page == maxPages {
			return nil, &Error{Kind: TooLarge, sentence: fmt.Sprintf("%s lists tags on more than %d pages", repository.RegistryStr(), maxPages)}
		}
		next, err := pages.Next(ctx)
		if err != nil {
			return nil, err
		}
		tags = append(tags, next.Tags...)
	}
	return tags, nil
}

// versions gives the chart versions among tags, the lowest first.
func versions(tags []string) []string {
	var found []*semver.Version
	for _, tag := range tags {
		if version, err := semver.StrictNewVersion(ref.VersionOf(tag)); err == nil {
			found = append(found, version)
		}
	}
	slices.SortFunc(found, func(a, b *semver.Version) int {
		// Build metadata has no precedence, but the order must not depend on
		// that of the registry.
		if order := a.Compare(b); order != 0 {
			return order
		}
		return strings.Compare(a.Original(), b.Original())
	})
	var texts []string
	for _, version := range found {
		texts = append(texts, version.Original())
	}
	return texts
}

// neighbours ends a sentence about a version that is not there, with the nearest one
// and the newest.
func neighbours(version string, known []string) string {
	if len(known) == 0 {
		return ": it has none"
	}
	newest := known[len(known)-1]
	near := nearest(version, known)
	switch near {
	case "":
		return fmt.Sprintf(": the newest is %s", newest)
	case newest:
		return fmt.Sprintf(": the nearest, and newest, is %s", newest)
	default:
		return fmt.Sprintf(": the nearest is %s, the newest %s", near, newest)
	}
}

// nearest gives the version with the smallest difference in the first number that
// differs, the lower of two that are equally near.
func nearest(version string, known []string) string {
	want, err := semver.NewVersion(version)
	if err != nil {
		return ""
	}
	var best string
	var least [3]uint64
	for _, text := range known {
		v := semver.MustParse(text)
		distance := [3]uint64{apart(v.Major(), want.Major()), apart(v.Minor(), want.Minor()), apart(v.Patch(), want.Patch())}
		if best == "" || slices.Compare(distance[:], least[:]) < 0 {
			best, least = text, distance
		}
	}
	return best
}

func apart(a, b uint64) uint64 { return max(a, b) - min(a, b) }

// Digest gives the digest that an image's reference means, as the registry
// says it without sending the image: that of the index, where the image is for
// several platforms. An image without a host is Docker Hub's. Errors are as
// for [Client.Chart].
func (c *Client) Digest(ctx context.Context, image string) (string, error) {
	at, err := c.image(image)
	if err != nil {
		return "", &Error{Kind: BadRef, sentence: err.Error()}
	}
	subject := "image " + image
	if c.options.Offline {
		return "", about(subject, &Error{Kind: NotCached, sentence: "offline, and the cache holds no images"})
	}
	digest, err := together(ctx, c, "image\n"+at.Name(), func(ctx context.Context) (string, error) {
		digest, err := c.digest(ctx, at)
		if err != nil {
			return "", c.explain(ctx, question{at: location{repository: at.Context()}, what: "image", identifier: at.Identifier()}, err)
		}
		return digest, nil
	})
	if err != nil {
		return "", about(subject, err)
	}
	return digest, nil
}

// digest asks with HEAD, which registries with limits count for less, and with
// GET where the answer lacks the digest, which the specification only
// recommends, or where the registry knows no HEAD.
func (c *Client) digest(ctx context.Context, at name.Reference) (string, error) {
	head, err := c.puller.Head(ctx, at)
	if err == nil {
		return head.Digest.String(), nil
	}
	var answer *transport.Error
	var connection *url.Error
	answered := errors.As(err, &answer) && answer.StatusCode != http.StatusMethodNotAllowed
	if answered || ended(err) || errors.As(err, &connection) || errors.As(err, new(*Error)) {
		return "", err
	}
	got, err := c.puller.Get(ctx, at)
	if err != nil {
		return "", err
	}
	return got.Digest.String(), nil
}

// image checks an image's reference. What may have a login in it is not repeated.
func (c *Client) image(text string) (name.Reference, error) {
	if strings.Contains(text, "://") {
		return nil, errors.New("an image is host/path/name:tag, without a scheme")
	}
	parsed, err := ref.ParseImage(text)
	switch {
	case errors.Is(err, ref.ErrDigest), err != nil && strings.Contains(text, "@"):
		return nil, errors.New("an image's reference has a user name, a password or a wrong digest in it: want host/path/name:tag or host/path/name@sha256:…")
	case err != nil:
		return nil, fmt.Errorf("%q is no image: want host/path/name:tag or host/path/name@sha256:…", text)
	}
	parsed.Host = strings.ToLower(parsed.Host)
	image, err := name.ParseReference(parsed.String(), c.options.nameOptions(parsed.Host)...)
	if err != nil {
		return nil, fmt.Errorf("%q is no image: want host/path/name:tag or host/path/name@sha256:…", text)
	}
	return image, nil
}
