package render

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// LockFile returns the path of the environment's lock from the root of its
// repository.
func (e Environment) LockFile() string {
	return tree.LockPath(string(or(e.Spec.Delivery.Path, "prefect")), string(e.Metadata.Name))
}

// IsPinned reports whether the environment's versions are pinned by its lock.
func (e Environment) IsPinned() bool { return e.Spec.Versions.Pin && !e.unpinned }

// WithLock returns the environment with its lock, which pins its versions if it
// asks for that.
func (e Environment) WithLock(l lock.Lock) Environment {
	e.lock = &l
	return e
}

// Unpinned returns the environment as it is without spec.versions.pin: with the tags
// that the file names, whose digests are about to be locked.
func (e Environment) Unpinned() Environment {
	e.unpinned = true
	return e
}

// Lock returns the lock that pins the plan, if it is pinned and the lock is there.
func (p Plan) Lock() (lock.Lock, bool) {
	if p.env.lock == nil || !p.env.IsPinned() {
		return lock.Lock{}, false
	}
	return *p.env.lock, true
}

// LockedSource returns the reference under which a lock has a chart or an image that
// is pulled from name: where it comes from, with its tag.
func (p Plan) LockedSource(name, tag string) string {
	source, _ := p.Original(name)
	return source + ":" + strings.ReplaceAll(tag, "+", "_")
}

// Relock names the command that brings the lock of the plan up to date.
func (p Plan) Relock() string {
	if p.Mirror() == "" {
		return "pm-gitops images --lock"
	}
	return "pm-gitops mirror --lock"
}

// pinned is a chart value that takes a digest from the lock.
type pinned struct {
	release, path string
	value         string
	at            Position // of the image in the lock
}

// pin writes the digests of the lock into the plan: of charts where the target takes
// them, and of images into the values that take them. What the lock lacks, or has of
// another version, becomes Unlocked.
func (p *Plan) pin() {
	at := func(field, format string, args ...any) {
		p.Unlocked = append(p.Unlocked, p.env.problem(field, format, args...))
	}
	locked, there := p.Lock()
	switch {
	case !there:
		at("spec.versions.pin", "the versions are pinned, and there is no lock %s: run %s", p.env.LockFile(), p.Relock())
		return
	case locked.Environment != p.Environment:
		at("spec.versions.pin", "%s is the lock of environment %s: run %s", locked.File(), locked.Environment, p.Relock())
		return
	}
	pinsCharts := p.Traits().PinsDigests
	for _, wave := range p.Waves {
		for i := range wave {
			release := &wave[i]
			field := p.env.versionField(release.Key)
			source := p.LockedSource(release.Chart.Repository, release.Chart.Version)
			switch chart, known := locked.Chart(source); {
			case !known:
				at(field, "%s%s: run %s", locked.File(), lacks(locked.Charts, source), p.Relock())
			case release.Chart.Digest != "" && release.Chart.Digest != chart.Digest:
				at(field, "the version has the digest %s, and %s has %s", release.Chart.Digest, locked.File(), chart.Digest)
			case pinsCharts:
				release.Chart.Digest = chart.Digest
			}
		}
	}
	p.findStale(locked)
	p.pinImages(locked)
	p.Unlocked = slices.Compact(p.Unlocked.Sorted())
}

// lacks says that a lock has no artifact of a source, and which other tag of it.
func lacks(all []lock.Artifact, source string) string {
	name, _, _ := ref.Split(source)
	for _, other := range all {
		if of, _, _ := ref.Split(other.Source); of == name {
			return " has " + other.Source + ", and not " + source
		}
	}
	return " lacks " + source
}

// versionField names the field that has the version of a release's chart.
func (e Environment) versionField(key string) string {
	switch {
	case e.extra(key) != nil:
		return e.releasePath(key) + ".version"
	case key == PrefectIstiod:
		return "spec.versions.prefectIstiod"
	}
	return "spec.versions.prefectCloud"
}

// findStale finds images of the vendor that the lock has with another tag than the
// environment.
func (p *Plan) findStale(locked lock.Lock) {
	paths, cloud := p.ValuePaths(), p.release(PrefectCloud)
	for _, image := range []string{"server", "ui"} {
		path := paths["versions."+image]
		name, _ := getPath(cloud.Values, paths["images."+image+".repository"])
		tag, _ := getPath(cloud.Values, path)
		if name, isText := name.(string); isText {
			p.findStaleTag(locked, cloud.Key, path, name, tag)
		}
	}
}

// ValuePaths gives the dotted chart values of prefect-cloud that fields of the environment
// set on its release line, by the field, such as versions.server.
func (p Plan) ValuePaths() map[string]string {
	c := composer{env: p.env, into: p.Secrets.Into, line: p.line, fields: p.env.fields(p.Secrets.Into), used: map[string]bool{}}
	paths := map[string]string{}
	for _, a := range c.assignments(PrefectCloud) {
		paths[a.rule.Field] = a.path
	}
	return paths
}

// findStaleTag finds that a lock has an image with other tags than the one at a path.
func (p *Plan) findStaleTag(locked lock.Lock, release, path, name string, tag any) {
	text, isText := tag.(string)
	if source := p.LockedSource(name, text); isText && text != "" {
		if _, known := locked.Image(source); !known && strings.HasPrefix(lacks(locked.Images, source), " has") {
			p.unlock(release, path, "%s%s: run %s", locked.File(), lacks(locked.Images, source), p.Relock())
		}
	}
}

// unlock notes a problem at a chart value.
func (p *Plan) unlock(release, path, format string, args ...any) {
	releases := p.Explain().Releases
	i := slices.IndexFunc(releases, func(r ExplainedRelease) bool { return r.Release == release })
	p.Unlocked = append(p.Unlocked, p.ValueProblem(releases[i], path, format, args...))
}

// release returns the release of a key, or nil.
func (p *Plan) release(key string) *Release {
	for _, wave := range p.Waves {
		for i := range wave {
			if wave[i].Key == key {
				return &wave[i]
			}
		}
	}
	return nil
}

// pinImages writes the digests of images into the chart values that take them.
func (p *Plan) pinImages(locked lock.Lock) {
	for _, image := range locked.Images {
		name, tag, _ := ref.Split(image.Source)
		for _, pin := range image.Pins {
			release := p.release(pin.Release)
			if release == nil {
				p.Unlocked = append(p.Unlocked, p.env.problem("spec.versions.pin", "%s pins an image in release %s, which the environment has not: run %s", image.Position, pin.Release, p.Relock()))
				continue
			}
			tagAt := cmp.Or(pin.Tag, besideDigest(pin.Digest))
			has, _ := getPath(release.Values, tagAt)
			own, _ := getPath(release.Values, pin.Path())
			value := pin.Value(tag, image.Digest)
			values, fits := pin.In(release.Values, tag, image.Digest)
			_, isText := has.(string)
			switch {
			case !fits || !means(own, tag, value) && (pin.Digest != "" || !isText):
				p.unlock(release.Key, pin.Path(), "%s pins %s here, and the value is another one already", locked.File(), image.Source)
			case !means(has, tag, value):
				p.unlock(release.Key, tagAt, "%s has %s, and not %s:%v: run %s", locked.File(), image.Source, name, has, p.Relock())
			default:
				release.Values = values
				p.pinned = append(p.pinned, pinned{pin.Release, pin.Path(), value, image.Position})
			}
		}
	}
}

// besideDigest names the value that has the tag by convention, beside one for the
// digest.
func besideDigest(digest string) string {
	folder, _ := strings.CutSuffix(digest, "digest")
	return folder + "tag"
}

// means reports whether a chart value is not set, or one of some texts.
func means(value any, texts ...string) bool {
	text, isText := value.(string)
	return value == nil || isText && (text == "" || slices.Contains(texts, text))
}

// explainPins lays the values that come from the lock over the others of a release.
func (x *explainer) explainPins(tree *strictyaml.Value, pins []pinned, release string) *strictyaml.Value {
	for _, pin := range pins {
		if pin.release == release {
			node := x.node(pin.value, func(string) said { return said{origin: origin(FromLock, pin.at, "spec.versions.pin")} }, "")
			node.Replaces = tree.Find(pin.path)
			tree = tree.With(pin.path, node)
		}
	}
	return tree
}
