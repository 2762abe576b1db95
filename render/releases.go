package render

import (
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// releases is every release of the environment, the vendor's first.
func (c *composer) releases() []Release {
	var releases []Release
	spec := c.env.Spec
	if c.env.mesh() == MeshPrefectIstiod {
		istiod := c.vendor(PrefectIstiod, spec.Versions.PrefectIstiod)
		releases = append(releases, istiod)
	}
	cloud := c.vendor(PrefectCloud, spec.Versions.PrefectCloud)
	if c.env.mesh() == MeshPrefectIstiod {
		cloud.Needs = append(cloud.Needs, PrefectIstiod)
	}
	c.migrate(&cloud)
	releases = append(releases, cloud)
	for i, extra := range spec.Releases {
		releases = append(releases, c.further(extra, strictyaml.Index("spec.releases", i)))
	}
	for i := range releases {
		slices.Sort(releases[i].Needs)
		releases[i].Needs = slices.Compact(releases[i].Needs)
	}
	return releases
}

// DefaultNames is the Helm release name and the namespace of a release of the
// vendor where the environment names none: those of the vendor's guide, so
// that an installation made by hand is adopted.
func DefaultNames(key string) ReleaseNames {
	if key == PrefectIstiod {
		return ReleaseNames{"istiod", "istio-system"}
	}
	return ReleaseNames{"customer-managed", "customer-managed"}
}

// vendor is a release of the vendor.
func (c *composer) vendor(key string, version ChartVersion) Release {
	spec, names := c.env.Spec, DefaultNames(key)
	values, secrets := c.layout(key)
	values = c.overlay(values, spec.Values[key], strictyaml.Join("spec.values", key))
	secrets = append(secrets, c.furtherSecrets(key)...)
	c.checkSecrets(strictyaml.Join("spec.values", key), spec.Values[key], values, secrets)
	release := Release{
		Key:            key,
		Name:           string(or(spec.Names[key].Release, names.Release)),
		Namespace:      string(or(spec.Names[key].Namespace, names.Namespace)),
		Chart:          spec.Registry.chart(spec.Registry.source()+"/charts/"+key, version),
		Protected:      true,
		Values:         values,
		SecretInputs:   byPath(secrets),
		InstallTimeout: DefaultTimeout,
		UpgradeTimeout: DefaultTimeout,
	}
	for _, need := range spec.Needs[key] {
		release.Needs = append(release.Needs, string(need))
	}
	return release
}

// further is a release of the user's own.
func (c *composer) further(extra ExtraRelease, path string) Release {
	key := string(extra.Name)
	secrets := c.furtherSecrets(key)
	c.checkSecrets(path+".values", extra.Values, extra.Values, secrets)
	release := Release{
		Key:            key,
		Name:           key,
		Namespace:      string(extra.Namespace),
		Chart:          c.env.Spec.Registry.chart(strings.TrimPrefix(string(extra.Chart), "oci://"), extra.Version),
		Protected:      extra.Protect,
		Values:         extra.Values,
		SecretInputs:   byPath(secrets),
		InstallTimeout: DefaultTimeout,
		UpgradeTimeout: DefaultTimeout,
	}
	for _, need := range extra.Needs {
		release.Needs = append(release.Needs, string(need))
	}
	return release
}

// chart is where a chart is pulled from, and how.
func (r Registry) chart(repository string, version ChartVersion) Chart {
	return Chart{
		Repository: r.locate(repository),
		Version:    version.Version(),
		Digest:     version.Digest(),
		PullSecret: string(r.PullSecret),
		CASecret:   string(r.CASecret),
	}
}

// furtherSecrets is the secretValues of a release.
func (c *composer) furtherSecrets(key string) []SecretInput {
	var secrets []SecretInput
	for _, value := range c.env.Spec.SecretValues {
		if string(value.Release) == key {
			secrets = append(secrets, SecretInput{string(value.Path), SecretRef{value.Secret, value.Key}})
		}
	}
	return secrets
}

func byPath(secrets []SecretInput) []SecretInput {
	slices.SortFunc(secrets, func(a, b SecretInput) int { return strings.Compare(a.Path, b.Path) })
	return secrets
}

// migrate gives the release the time that its migrations take. Where these
// run after the install and the services wait for them, a first install that
// waits for the services hangs until its timeout and heals with the upgrade
// that follows: so the install keeps its short one.
func (c *composer) migrate(release *Release) {
	own, line := c.env.Spec.Migrations, c.line.Migrations
	var timeout Duration
	if line != nil {
		timeout = Duration(line.Timeout)
		release.MigratesAfterInstall = line.AfterInstall != nil && *line.AfterInstall
	}
	if own.AfterInstall != nil {
		release.MigratesAfterInstall = *own.AfterInstall
	}
	if t := or(own.Timeout, timeout).Duration(); t > 0 {
		release.UpgradeTimeout = max(t, DefaultTimeout)
	}
	if !release.MigratesAfterInstall {
		release.InstallTimeout = release.UpgradeTimeout
	}
}

// namespaces is the namespaces of the releases, labelled so that the sidecar
// injector sees those of the vendor.
func (e Environment) namespaces(releases []Release) []Namespace {
	byName := map[string]map[string]string{}
	for _, release := range releases {
		if byName[release.Namespace] == nil {
			byName[release.Namespace] = map[string]string{}
		}
		if release.Key == PrefectIstiod || release.Key == PrefectCloud {
			label, value := e.injection()
			byName[release.Namespace][label] = value
		}
	}
	var namespaces []Namespace
	for name, labels := range byName {
		delete(labels, "")
		namespaces = append(namespaces, Namespace{name, labels})
	}
	slices.SortFunc(namespaces, func(a, b Namespace) int { return strings.Compare(a.Name, b.Name) })
	return namespaces
}

// injection is the label that the sidecar injector looks for: the guide's
// istio-injection=enabled, or the revision of an Istio that is there already
// (https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/).
func (e Environment) injection() (label, value string) {
	switch {
	case e.mesh() == MeshNone:
		return "", ""
	case e.Spec.Mesh.Revision != "":
		return "istio.io/rev", string(e.Spec.Mesh.Revision)
	default:
		return "istio-injection", "enabled"
	}
}

// waves orders releases by what they need. The problem is one cycle, named
// from its first release in name order.
func (e Environment) waves(releases []Release) ([]Wave, *Problem) {
	pending := slices.SortedFunc(slices.Values(releases), func(a, b Release) int { return strings.Compare(a.Key, b.Key) })
	var waves []Wave
	done := map[string]bool{}
	for len(pending) > 0 {
		var wave Wave
		var rest []Release
		for _, release := range pending {
			if slices.ContainsFunc(release.Needs, func(need string) bool { return !done[need] }) {
				rest = append(rest, release)
			} else {
				wave = append(wave, release)
			}
		}
		if len(wave) == 0 {
			problem := e.cycle(rest)
			return nil, &problem
		}
		for _, release := range wave {
			done[release.Key] = true
		}
		waves, pending = append(waves, wave), rest
	}
	return waves, nil
}

// cycle names one cycle among releases that all wait for each other.
func (e Environment) cycle(releases []Release) Problem {
	needs := map[string][]string{}
	for _, release := range releases {
		needs[release.Key] = release.Needs
	}
	var path []string
	for key := releases[0].Key; ; {
		if i := slices.Index(path, key); i >= 0 {
			cycle := append(path[i:], key)
			return e.problem(e.needsPath(cycle[0]), "releases wait for each other: %s", strings.Join(cycle, " -> "))
		}
		path = append(path, key)
		for _, need := range needs[key] {
			if needs[need] != nil {
				key = need
				break
			}
		}
	}
}

// releasePath is the field that says what a release is called.
func (e Environment) releasePath(key string) string {
	for i, release := range e.Spec.Releases {
		if string(release.Name) == key {
			return strictyaml.Index("spec.releases", i)
		}
	}
	return strictyaml.Join("spec.names", key)
}

// needsPath is the field that says what a release needs.
func (e Environment) needsPath(key string) string {
	if e.extra(key) != nil {
		return e.releasePath(key) + ".needs"
	}
	return strictyaml.Join("spec.needs", key)
}

// checkDuplicates finds releases that Helm could not tell apart.
func (e Environment) checkDuplicates(releases []Release) Problems {
	var problems Problems
	first := map[string]string{}
	for _, release := range releases {
		id := release.Namespace + "/" + release.Name
		if other, taken := first[id]; taken {
			problems = append(problems, e.problem(e.releasePath(release.Key), "%s and %s are both the Helm release %q in namespace %q", other, release.Key, release.Name, release.Namespace))
			continue
		}
		first[id] = release.Key
	}
	return problems
}
