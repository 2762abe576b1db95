package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// created names when something was made, in annotations of manifests and in labels of images.
// https://github.com/opencontainers/image-spec/blob/main/annotations.md
const created = "org.opencontainers.image.created"

// Bounds on what is read to learn when an image was made.
const (
	maxPlatforms = 16
	maxConfig    = 4 << 20
)

// Created gives the time at which an image or a chart was made, as it says itself: by an
// annotation of its manifest, or else by the later of what its configuration and its
// label say, for a label may be that of an image below. Of an image for several
// platforms it is the latest one. It is zero where nothing says it; builds that are
// repeatable say 1970, which counts as nothing. Errors are as for [Client.Digest].
func (c *Client) Created(ctx context.Context, image string) (time.Time, error) {
	at, err := c.image(image)
	if err != nil {
		return time.Time{}, &Error{Kind: BadRef, sentence: err.Error()}
	}
	subject := "image " + image
	if c.options.Offline {
		return time.Time{}, about(subject, &Error{Kind: NotCached, sentence: "offline, and the cache holds no images"})
	}
	made, err := together(ctx, c, "created\n"+at.Name(), func(ctx context.Context) (time.Time, error) { return c.created(ctx, at, true) })
	if err != nil {
		return time.Time{}, about(subject, err)
	}
	return made, nil
}

// made is the part of a manifest that says when it was made, and by what.
type made struct {
	Annotations map[string]string `json:"annotations"`
	Config      descriptor        `json:"config"`
	Manifests   []struct {
		descriptor
		Platform struct {
			OS string `json:"os"`
		} `json:"platform"`
	} `json:"manifests"`
}

func (c *Client) created(ctx context.Context, at name.Reference, isTop bool) (time.Time, error) {
	where := location{repository: at.Context()}
	got, err := c.puller.Get(ctx, at)
	if err != nil {
		return time.Time{}, c.explain(ctx, question{at: where, what: "image", identifier: at.Identifier()}, err)
	}
	var m made
	if json.Unmarshal(got.Manifest, &m) != nil {
		return time.Time{}, &Error{Kind: Other, sentence: "the registry's answer is no OCI manifest: is a proxy or a login page in between?"}
	}
	if said := timeOf(m.Annotations[created]); !said.IsZero() {
		return said, nil
	}
	if len(m.Manifests) > 0 && isTop {
		return c.createdLast(ctx, at, m)
	}
	if !ref.IsChartDigest(m.Config.Digest) || m.Config.Size < 0 || m.Config.Size > maxConfig {
		return time.Time{}, nil
	}
	config, err := c.blob(ctx, where, "configuration", m.Config)
	if err != nil {
		return time.Time{}, err
	}
	return createdOf(config), nil
}

// createdLast gives the latest time of an image's platforms. Attestations beside them
// are of none. One that says nothing leaves all unknown.
func (c *Client) createdLast(ctx context.Context, at name.Reference, index made) (last time.Time, err error) {
	if len(index.Manifests) > maxPlatforms {
		return last, &Error{Kind: TooLarge, sentence: fmt.Sprintf("the image is for more than %d platforms", maxPlatforms)}
	}
	for _, one := range index.Manifests {
		if one.Platform.OS == "unknown" {
			continue
		}
		if !ref.IsChartDigest(one.Digest) {
			return time.Time{}, nil
		}
		said, err := c.created(ctx, at.Context().Digest(one.Digest), false)
		if err != nil || said.IsZero() {
			return time.Time{}, err
		}
		if said.After(last) {
			last = said
		}
	}
	return last, nil
}

// createdOf reads an image's configuration.
// https://github.com/opencontainers/image-spec/blob/main/config.md
func createdOf(config []byte) time.Time {
	var said struct {
		Created string `json:"created"`
		Config  struct {
			Labels map[string]string
		} `json:"config"`
	}
	if json.Unmarshal(config, &said) != nil {
		return time.Time{}
	}
	own, label := timeOf(said.Created), timeOf(said.Config.Labels[created])
	if label.After(own) {
		return label
	}
	return own
}

// timeOf reads a time of RFC 3339; zero where there is none. Nothing of the OCI's was
// made in the last century: repeatable builds say 1970 and the like.
func timeOf(text string) time.Time {
	said, err := time.Parse(time.RFC3339, text)
	if err != nil || said.Year() < 2000 {
		return time.Time{}
	}
	return said
}
