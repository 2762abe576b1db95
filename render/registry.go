package render

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/verify"
)

// Repository is a place in an OCI registry, without scheme and tag.
type Repository string

// ChartURL is a chart in an OCI registry: oci://host/path/chart.
type ChartURL string

// ChartVersion is an exact semver version, with @sha256:… behind it to pin
// the digest.
type ChartVersion string

// Tag is an image tag.
type Tag string

// Validate refuses schemes, tags, digests and trailing slashes.
func (r Repository) Validate() error {
	if !ref.IsFolder(string(r)) {
		return fmt.Errorf("want a registry and a path such as registry.company.com/prefect, without scheme, tag and trailing slash, got %s", quotedURL(string(r)))
	}
	return nil
}

// Validate wants oci:// and a repository with a path.
func (u ChartURL) Validate() error {
	chart, isOCI := strings.CutPrefix(string(u), "oci://")
	if !isOCI || !strings.Contains(chart, "/") || !ref.IsFolder(chart) {
		return fmt.Errorf("want a chart such as oci://registry.company.com/charts/prefect-worker, without version, got %s", quotedURL(string(u)))
	}
	return nil
}

// Validate wants semver, as Helm with a v before it if the chart has one, and
// a whole digest behind an @.
func (v ChartVersion) Validate() error {
	version, digest, pinned := strings.Cut(string(v), "@")
	if _, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v")); err != nil {
		return fmt.Errorf("want an exact chart version such as 1.2.3, got %s", quoted(version))
	}
	if pinned && !ref.IsChartDigest(digest) {
		return fmt.Errorf("want sha256: and 64 hexadecimal digits behind the @, got %s", quoted(digest))
	}
	return nil
}

// Version is the part before the digest.
func (v ChartVersion) Version() string {
	version, _, _ := strings.Cut(string(v), "@")
	return version
}

// Digest is sha256:…, or empty where the version pins none.
func (v ChartVersion) Digest() string {
	_, digest, _ := strings.Cut(string(v), "@")
	return digest
}

// Validate refuses what no registry takes as a tag, and latest, which says
// nothing about what runs.
func (t Tag) Validate() error {
	switch {
	case t == "latest":
		return errors.New("want the tag of one build: latest may change at any time")
	case !ref.IsTag(string(t)):
		return fmt.Errorf("want an image tag of letters, digits, ., _ and -, got %s", quoted(string(t)))
	}
	return nil
}

// VendorRegistry is where the vendor's guide pulls images from; charts lie
// below it in charts/.
const VendorRegistry = "us-docker.pkg.dev/prefect-prd-customer-managed/cloud"

func (r Registry) source() string {
	if r.Source == "" {
		return VendorRegistry
	}
	return string(r.Source)
}

// relocation is a place in a registry, or a whole registry, and the place that
// everything there is pulled from instead.
type relocation struct{ from, to string }

// relocations gives the rules of a registry with a mirror in the order in which they
// are asked: the map's, that of the longest place first, and then the source's.
func (r Registry) relocations() []relocation {
	if r.Mirror == "" {
		return nil
	}
	var rules []relocation
	for _, from := range slices.Sorted(maps.Keys(r.Map)) {
		rules = append(rules, relocation{from, string(r.Map[from])})
	}
	slices.SortStableFunc(rules, func(a, b relocation) int { return len(b.from) - len(a.from) })
	return append(rules, relocation{r.source(), string(r.Mirror)})
}

// cutPlace gives what follows a place in a name, with its slash.
func cutPlace(name, place string) (rest string, isThere bool) {
	rest, isThere = strings.CutPrefix(name, place)
	return rest, isThere && (rest == "" || rest[0] == '/')
}

// locate names the place that something of a registry is pulled from: with a mirror, what
// the longest place of the map says, or else what follows the source below the mirror, or
// else the name below the mirror. What is on the host of a mirror already stays.
func (r Registry) locate(name string) string {
	rule, rest, isThere := r.rule(name)
	switch {
	case isThere:
		return rule.to + rest
	case r.Mirror == "" || isOnHost(name, r.relocations()):
		return name
	}
	return string(r.Mirror) + "/" + name
}

// rule finds the rule for a name, and what follows its place.
func (r Registry) rule(name string) (rule relocation, rest string, isThere bool) {
	for _, rule := range r.relocations() {
		if rest, isThere := cutPlace(name, rule.from); isThere {
			return rule, rest, true
		}
	}
	return relocation{}, "", false
}

// decides gives the field that says where one of the vendor's own images, server or
// ui, is pulled from.
func (r Registry) decides(image string) string {
	rule, _, _ := r.rule(r.source() + "/" + image)
	switch {
	case r.Mirror == "":
		return "spec.registry.source"
	case r.Map[rule.from] != "":
		return strictyaml.Join("spec.registry.map", rule.from)
	}
	return "spec.registry.mirror"
}

// isOnHost reports whether a name is on a host that rules pull from.
func isOnHost(name string, rules []relocation) bool {
	host, _, _ := strings.Cut(name, "/")
	return slices.ContainsFunc(rules, func(rule relocation) bool {
		to, _, _ := strings.Cut(rule.to, "/")
		return to == host
	})
}

// checkMap wants places that can be told apart: what was relocated is not relocated
// once more, and it can be said where it comes from.
func (e Environment) checkMap() Problems {
	registry := e.Spec.Registry
	switch {
	case len(registry.Map) == 0:
		return nil
	case registry.Mirror == "":
		return Problems{e.problem("spec.registry.map", "the map says nothing without spec.registry.mirror, from which everything else is pulled")}
	}
	var problems Problems
	rules := registry.relocations()
	last := len(rules) - 1
	if rule, _, _ := registry.rule(registry.source()); rule != rules[last] {
		rules = rules[:last] // the source follows the map
	}
	for i, rule := range rules {
		if registry.Map[rule.from] == "" {
			continue // the source's own
		}
		at := strictyaml.Join("spec.registry.map", rule.from)
		if err := Repository(rule.from).Validate(); err != nil {
			problems = append(problems, e.problem(at, "%s", err))
		} else if image, err := ref.ParseImage(rule.from + "/a/b"); err == nil && !strings.HasPrefix(image.Name(), rule.from+"/") {
			problems = append(problems, e.problem(at, "images of Docker Hub are known by the host %s: want it here", ref.DockerHub))
		}
		for k, other := range rules {
			if i < k && other.to == rule.to {
				problems = append(problems, e.problem(at, "%s is where %s is pulled from too: nothing would say where an image there comes from", rule.to, other.from))
			}
			_, isBelow := cutPlace(rule.to, other.from)
			_, isAbove := cutPlace(other.from, rule.to)
			if isBelow || isAbove {
				problems = append(problems, e.problem(at, "%s and %s overlap: what is pulled from there would be relocated once more", rule.to, other.from))
			}
		}
	}
	return problems
}

// Mirror is where an environment pulls everything from, or empty.
func (p Plan) Mirror() string { return string(p.env.Spec.Registry.Mirror) }

// Mirrored is where an image or a chart, named without tag, is pulled from:
// what follows the registry's source is kept below the mirror, and names of
// other hosts get the mirror as prefix. Without a mirror, and for what is on
// the mirror's host already, it is the name.
func (p Plan) Mirrored(name string) string { return p.env.Spec.Registry.locate(name) }

// Mirrored is as [Plan.Mirrored], for a registry that no environment names.
func (r Registry) Mirrored(name string) string { return r.locate(name) }

// IsMirrored reports whether an image or a chart, named without tag, is on the host
// of the mirror, or on a host of the map. It is false without a mirror.
func (p Plan) IsMirrored(name string) bool { return isOnHost(name, p.env.Spec.Registry.relocations()) }

// Original undoes [Plan.Mirrored]: it is where the image or chart comes from
// that is pulled from name. It reports whether that is known: it is not for
// what is on the host of a mirror and would not be pulled from there.
func (p Plan) Original(name string) (string, bool) {
	registry := p.env.Spec.Registry
	rules := registry.relocations()
	if !isOnHost(name, rules) {
		return name, true
	}
	slices.SortStableFunc(rules, func(a, b relocation) int { return len(b.to) - len(a.to) })
	for _, rule := range rules {
		rest, isThere := cutPlace(name, rule.to)
		if !isThere {
			continue
		}
		if full := strings.TrimPrefix(rest, "/"); rule.to == string(registry.Mirror) && ref.HasHost(full) {
			return full, true
		}
		if origin := rule.from + rest; registry.locate(origin) == name {
			return origin, true
		}
	}
	return name, false
}

// readKeys reads the rules for signatures, and the public keys in files that they name.
func (e *Environment) readKeys(read ReadFile) Problems {
	const field = "spec.verify"
	var problems Problems
	e.policies, problems = verify.Read(field, e.Spec.Verify, func(at, name string) ([]byte, error) {
		return read(beside(e.source.At(at).File, name))
	})
	for i := range problems {
		problems[i].Position = e.source.At(problems[i].Path)
	}
	return problems
}

// Policies returns the rules for signatures, in the order of the file.
func (p Plan) Policies() verify.Policies { return p.env.policies }

// Policy finds out who must have signed an image or a chart, named without tag as it is
// pulled. The rule is found by where it comes from.
func (p Plan) Policy(name string) (policy verify.Policy, found bool) {
	origin, _ := p.Original(name)
	return p.env.policies.For(origin)
}

// unverified warns of signatures that must be there, and that the delivery system does
// not verify before it installs a chart.
func (p Plan) unverified() (warnings Problems) {
	instead := ""
	if p.Mirror() != "" {
		instead = "; pm-gitops mirror verifies the copies"
	}
	for i, rule := range p.env.policies {
		var charts []string
		for _, release := range p.Releases() {
			if policy, found := p.Policy(release.Chart.Repository); found && policy.Match == rule.Match {
				charts = append(charts, release.Key)
			}
		}
		if rule.Required && charts != nil {
			warnings = append(warnings, p.Problem(strictyaml.Index("spec.verify", i), "%s does not verify signatures of charts: nothing in the cluster verifies %s%s", p.Traits().Title, strings.Join(charts, ", "), instead))
		}
	}
	return warnings
}
