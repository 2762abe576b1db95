package mirror

import (
	"fmt"
	"slices"
	"strings"
)

// Platform names an operating system and a processor that an image is for.
// https://github.com/opencontainers/image-spec/blob/main/image-index.md
type Platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

func (p Platform) String() string {
	text := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		text += "/" + p.Variant
	}
	return text
}

// ParsePlatform reads OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, as docker writes it.
func ParsePlatform(text string) (Platform, error) {
	parts := strings.Split(text, "/")
	if len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") || strings.ContainsAny(text, ", \t") {
		return Platform{}, fmt.Errorf("platform %q: want OS/ARCHITECTURE, such as linux/amd64, or OS/ARCHITECTURE/VARIANT", text)
	}
	p := Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p, nil
}

// holds reports whether a platform is one that was asked for; one without a variant
// stands for all of them.
func (p Platform) holds(other Platform) bool {
	return p.OS == other.OS && p.Architecture == other.Architecture && (p.Variant == "" || p.Variant == other.Variant)
}

// belongsTo is the annotation by which BuildKit puts an attestation into an index: the
// digest of the manifest that it is about.
// https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
const belongsTo = "vnd.docker.reference.digest"

// hasPlatform reports whether an entry of an index says which platform it is for.
func (d descriptor) hasPlatform() bool {
	return d.Platform != nil && d.Platform.OS != "unknown" && d.Platform.OS != ""
}

// choose gives the entries of an index for the platforms, all for none, and the platforms
// that it leaves out. An entry without a platform stays, unless it belongs to a manifest
// that does not.
func choose(all []descriptor, platforms []Platform) (chosen []descriptor, others []string) {
	if len(platforms) == 0 {
		return all, nil
	}
	dropped := map[string]bool{}
	for _, d := range all {
		if d.hasPlatform() && !slices.ContainsFunc(platforms, func(wanted Platform) bool { return wanted.holds(*d.Platform) }) {
			dropped[d.Digest] = true
			others = append(others, d.Platform.String())
		}
	}
	for _, d := range all {
		if !dropped[d.Digest] && !dropped[d.Annotations[belongsTo]] {
			chosen = append(chosen, d)
		}
	}
	return chosen, others
}
