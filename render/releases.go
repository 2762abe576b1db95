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
