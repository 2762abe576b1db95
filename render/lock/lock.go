// Package lock reads, compares and writes lock files: which charts and images
// an environment was made of, by their digests.
package lock

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Lock records the digests of all charts and images of an environment. It has nothing
// that changes by itself, such as times.
type Lock struct {
	APIVersion  string     `json:"apiVersion" yaml:"apiVersion"` // pm-gitops/v1
	Kind        string     `json:"kind" yaml:"kind"`             // Lock
	Environment string     `json:"environment" yaml:"environment"`
	Charts      []Artifact `json:"charts" yaml:"charts"` // by source
	Images      []Artifact `json:"images" yaml:"images"` // by source

	file string
	data []byte
}

// Artifact is a chart or an image.
type Artifact struct {
	// Position in the file.
	Position strictyaml.Position `json:"-" yaml:"-"`

	// Source names its origin, HOST/REPOSITORY:TAG, or with @DIGEST in place of
	// the tag where it has none.
	Source string `json:"source" yaml:"source"`
	Digest string `json:"digest" yaml:"digest"` // sha256:… of what the tag means
	// Mirror is the same in the mirror; empty without one.
	Mirror string `json:"mirror,omitempty" yaml:"mirror,omitempty"`
	// Signature says who signed it: "verified: NAME", none, or empty if that was not
	// looked at.
	Signature string `json:"signature,omitempty" yaml:"signature,omitempty"`
	// Pins is the chart values that take the digest of an image. Rendering has proved
	// that they change its references and nothing else.
	Pins []Pin `json:"pins,omitempty" yaml:"pins,omitempty"`
}

// Pin is a chart value that takes the digest of an image: one of Digest and Tag.
type Pin struct {
	Release string `json:"release" yaml:"release"` // the key of the release whose chart it is
	// Digest is the dotted chart value for the digest alone.
	Digest string `json:"digest,omitempty" yaml:"digest,omitempty"`
	// Tag is the dotted chart value for the tag, which becomes TAG@DIGEST.
	Tag string `json:"tag,omitempty" yaml:"tag,omitempty"`
}

// New makes the lock of an environment, with its artifacts in order and each once.
func New(environment string, charts, images []Artifact) Lock {
	return Lock{APIVersion: "pm-gitops/v1", Kind: "Lock", Environment: environment, Charts: sorted(charts), Images: sorted(images)}
}

// sorted returns artifacts by source. Those of one source are joined.
func sorted(all []Artifact) []Artifact {
	var joined []Artifact
	for _, one := range slices.SortedStableFunc(slices.Values(all), func(a, b Artifact) int { return cmp.Compare(a.Source, b.Source) }) {
		if last := len(joined) - 1; last >= 0 && joined[last].Source == one.Source {
			joined[last].Pins = slices.Concat(joined[last].Pins, one.Pins)
			continue
		}
		joined = append(joined, one)
	}
	for i := range joined {
		joined[i].Pins = slices.Compact(slices.SortedFunc(slices.Values(joined[i].Pins), func(a, b Pin) int {
			return cmp.Or(cmp.Compare(a.Release, b.Release), cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Tag, b.Tag))
		}))
	}
	return joined
}

// File is the name that the lock was read by, empty for one of [New].
func (l Lock) File() string { return l.file }

// Data is the file as it was read, with the line ends of a repository.
func (l Lock) Data() []byte { return l.data }

// heading tells readers of the file where it comes from.
const heading = "# Written by pm-gitops mirror --lock and pm-gitops images --lock.\n"

// YAML writes the file. [Parse] gives the same back for it.
func (l Lock) YAML() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(heading)
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(l); err != nil {
		return nil, fmt.Errorf("write the lock: %w", err)
	}
	return out.Bytes(), nil
}

// Change is an artifact whose source means something else than the lock says.
type Change struct{ Source, Locked, Now string }

// Changes returns the artifacts of both locks whose digests differ in next, charts
// first, by source.
func (l Lock) Changes(next Lock) []Change {
	var changes []Change
	compare := func(before, now []Artifact) {
		for _, one := range now {
			if old, known := find(before, one.Source); known && old.Digest != one.Digest {
				changes = append(changes, Change{one.Source, old.Digest, one.Digest})
			}
		}
	}
	compare(l.Charts, next.Charts)
	compare(l.Images, next.Images)
	return changes
}

// WithSignatures returns the lock with the signatures that another one has for the same
// digests.
func (l Lock) WithSignatures(of Lock) Lock {
	sign := func(all, known []Artifact) []Artifact {
		all = slices.Clone(all)
		for i := range all {
			if old, _ := find(known, all[i].Source); old.Digest == all[i].Digest {
				all[i].Signature = old.Signature
			}
		}
		return all
	}
	l.Charts, l.Images = sign(l.Charts, of.Charts), sign(l.Images, of.Images)
	return l
}

func find(all []Artifact, source string) (Artifact, bool) {
	i, found := slices.BinarySearchFunc(all, source, func(a Artifact, source string) int { return cmp.Compare(a.Source, source) })
	if !found {
		return Artifact{}, false
	}
	return all[i], true
}

// Chart returns the chart of a source, HOST/REPOSITORY:TAG.
func (l Lock) Chart(source string) (Artifact, bool) { return find(l.Charts, source) }

// Image returns the image of a source, HOST/REPOSITORY:TAG.
func (l Lock) Image(source string) (Artifact, bool) { return find(l.Images, source) }

// Path returns the dotted chart value that the pin sets.
func (p Pin) Path() string { return p.Digest + p.Tag }

// Value returns what the chart value becomes for a tag and its digest.
func (p Pin) Value(tag, digest string) string {
	if p.Tag != "" {
		return tag + "@" + digest
	}
	return digest
}

// In returns chart values with that of the pin, and whether it can be there: not where a
// mapping is, nor inside anything else. The values themselves do not change.
func (p Pin) In(values map[string]any, tag, digest string) (map[string]any, bool) {
	return with(values, p.Path(), p.Value(tag, digest))
}

func with(values map[string]any, path, value string) (map[string]any, bool) {
	key, rest, deeper := strings.Cut(path, ".")
	changed := maps.Clone(values)
	if changed == nil {
		changed = map[string]any{}
	}
	below, isMap := values[key].(map[string]any)
	if !deeper {
		changed[key] = value
		return changed, !isMap
	}
	inside, fits := with(below, rest, value)
	changed[key] = inside
	return changed, fits && (isMap || values[key] == nil)
}
