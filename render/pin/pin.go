// Package pin finds the chart values that take the digest of an image, by rendering:
// where a chart has a value for the digest, or its template takes TAG@DIGEST for a tag.
// Like package render it is pure.
package pin

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// Probe stands for the digest of an image: which values take one does not depend on it.
const Probe = "sha256:0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d"

// maxTries limits how often the chart of a release is rendered.
const maxTries = 40

// Release is a release whose images are to be pinned.
type Release struct {
	Key      string
	Defaults map[string]any // of the chart
	Values   map[string]any // laid over them
	Images   []images.Image // of the objects that these make
	// Render makes all objects of the release with other values. It is called a
	// limited number of times.
	Render func(values map[string]any) ([]chart.Object, error)
}

// Find returns the pins of each image, by its reference. With each alone the chart
// makes the same objects, but for references to that image, which have the digest then,
// for checksums and for what is random. Images without a pin are not in the result. The
// error is that the chart does not render with its own values.
func Find(r Release) (map[string][]lock.Pin, error) {
	p := prover{tries: maxTries, render: r.Render}
	var err error
	if p.before, err = r.Render(r.Values); err != nil {
		return nil, err
	}
	if p.again, err = r.Render(r.Values); err != nil {
		return nil, err
	}
	found := map[string][]lock.Pin{}
	written := group(r.Images)
	for _, reference := range slices.Sorted(maps.Keys(written)) {
		_, tag, _ := ref.Split(reference)
		var digests []string // folders of values whose digest is pinned
		for _, pin := range candidates(r.Key, laidOver(r.Defaults, r.Values), tag) {
			values, fits := pin.In(r.Values, tag, Probe)
			if pin.Tag != "" && slices.Contains(digests, folder(pin.Tag)) || !fits || !p.proves(values, written[reference], tag) {
				continue
			}
			found[reference] = append(found[reference], pin)
			if pin.Digest != "" {
				digests = append(digests, folder(pin.Digest))
			}
		}
	}
	return found, nil
}

// group returns the names that objects write for each image that has a tag and no
// digest, by its reference.
func group(all []images.Image) map[string][]string {
	written := map[string][]string{}
	for _, image := range all {
		if image.Problem != "" || image.Sure == images.Possible || image.Reference.Tag == "" || image.Reference.Digest != "" {
			continue
		}
		key := image.Reference.String()
		if name, _, _ := ref.Split(image.Written); !slices.Contains(written[key], name) {
			written[key] = append(written[key], name)
		}
	}
	return written
}

// folder cuts the last key of a dotted value.
func folder(path string) string { return path[:max(0, strings.LastIndexByte(path, '.'))] }

// laidOver lays values over others, as Helm does.
func laidOver(below, over map[string]any) map[string]any {
	merged := maps.Clone(below)
	if merged == nil {
		merged = map[string]any{}
	}
	for key, value := range over {
		inside, isMap := value.(map[string]any)
		if under, wasMap := merged[key].(map[string]any); isMap && wasMap {
			merged[key] = laidOver(under, inside)
		} else {
			merged[key] = value
		}
	}
	return merged
}

// istioDefaults is the mapping below which Istio's charts have the defaults of values
// that are set without it (manifests/charts/*/values.yaml of istio/istio).
const istioDefaults = "_internal_defaults_do_not_set"

// candidates returns the values that may take the digest of an image with a tag: first
// those that are named digest and empty, then those that are the tag.
func candidates(release string, values map[string]any, tag string) []lock.Pin {
	var digests, tags []lock.Pin
	var walk func(values map[string]any, path []string)
	walk = func(values map[string]any, path []string) {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			at := append(slices.Clip(path), key)
			below, isMap := values[key].(map[string]any)
			text, isText := values[key].(string)
			name := strings.Join(at, ".")
			switch {
			case key == "" || strings.ContainsAny(key, ".[]\""):
			case isMap && key == istioDefaults:
				walk(below, path)
			case isMap:
				walk(below, at)
			case key == "digest" && (values[key] == nil || isText && text == "") && len(values) > 1:
				digests = append(digests, lock.Pin{Release: release, Digest: name})
			case isText && text == tag:
				tags = append(tags, lock.Pin{Release: release, Tag: name})
			}
		}
	}
	walk(values, nil)
	return slices.Concat(digests, tags)
}

// prover compares what a chart makes with a pin and without.
type prover struct {
	before, again []chart.Object
	tries         int
	render        func(map[string]any) ([]chart.Object, error)
}

// proves reports whether values change references to an image alone, by the names that
// objects write for it.
func (p *prover) proves(values map[string]any, names []string, tag string) bool {
	if p.tries == 0 {
		return false
	}
	p.tries--
	after, err := p.render(values)
	if err != nil || len(after) != len(p.before) || len(p.again) != len(p.before) {
		return false
	}
	pins := false
	for i := range after {
		pinned, same := compare(p.before[i].YAML, p.again[i].YAML, after[i].YAML, names, tag)
		if !same {
			return false
		}
		pins = pins || pinned
	}
	return pins
}

// sum matches checksums, which charts make of what changes.
var sum = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// compare reports whether an object has references with the probe, and whether it is the
// same without them. What the same values do not make again is random, and not compared.
func compare(before, again, after []byte, names []string, tag string) (pinned, same bool) {
	was, repeated, is := bytes.Split(before, []byte("\n")), bytes.Split(again, []byte("\n")), bytes.Split(after, []byte("\n"))
	if len(was) != len(is) || len(repeated) != len(was) {
		return false, false
	}
	for i := range is {
		line := string(is[i])
		for _, name := range names {
			for _, reference := range []string{name + ":" + tag + "@" + Probe, name + "@" + Probe} {
				pinned = pinned || strings.Contains(line, reference)
				line = strings.ReplaceAll(line, reference, name+":"+tag)
			}
		}
		switch {
		case strings.Contains(line, Probe):
			return false, false
		case bytes.Equal(was[i], repeated[i]) && sum.ReplaceAllString(line, "") != sum.ReplaceAllString(string(was[i]), ""):
			return false, false
		}
	}
	return pinned, true
}
