package render

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Keys of the vendor's releases, as an environment file knows them.
const (
	PrefectIstiod = "prefect-istiod"
	PrefectCloud  = "prefect-cloud"
)

// Prereqs names what is written before every release; no release has the name.
const Prereqs = "prereqs"

// Problem is a problem at a field of the environment, such as spec.catalog.
func (e Environment) Problem(path, format string, args ...any) Problem {
	return e.problem(path, format, args...)
}

// problem is Problem, which there are many of.
func (e Environment) problem(path, format string, args ...any) Problem {
	return Problem{Position: e.source.At(path), Path: path, Message: fmt.Sprintf(format, args...)}
}

// check is what the types alone cannot say: fields that need or exclude each
// other, and names that must be known.
func (e Environment) check() Problems {
	return slices.Concat(e.checkAuth(), e.checkVersions(), e.checkSecrets(), e.checkReleases(), e.checkNames(), e.checkDelivery(), e.checkMap(), e.checkIgnores())
}

func (e Environment) checkAuth() Problems {
	auth, set := e.Spec.Auth, 0
	for _, is := range []bool{auth.Okta != nil, auth.ADFS != nil, auth.Entra != nil} {
		if is {
			set++
		}
	}
	if set == 1 || e.source.Get("spec").Get("auth").IsNull() {
		return nil
	}
	return Problems{e.problem("spec.auth", "want exactly one of okta, adfs and entra, got %d", set)}
}

func (e Environment) checkVersions() Problems {
	if e.mesh() != MeshPrefectIstiod || e.Spec.Versions.PrefectIstiod != "" || e.source.Get("spec").Get("versions").IsNull() {
		return nil
	}
	return Problems{e.problem("spec.versions.prefectIstiod", "the field is missing: give a chart version, or say mesh: existing or mesh: none")}
}

func (e Environment) checkSecrets() Problems {
	var problems Problems
	sections := map[SecretsFrom]bool{
		"externalSecrets": e.Spec.Secrets.ExternalSecrets != nil,
		"sops":            e.Spec.Secrets.SOPS != nil,
		"sealedSecrets":   e.Spec.Secrets.SealedSecrets != nil,
	}
	from := e.Spec.Secrets.From
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		path := "spec.secrets." + string(section)
		switch {
		case sections[section] && from != section:
			problems = append(problems, e.problem(path, "the section says nothing while secrets.from is not %s", section))
		case !sections[section] && from == section:
			problems = append(problems, e.problem("spec.secrets.from", "%s wants the section %s", section, path))
		}
	}
	seen := map[string]bool{}
	for i, value := range e.Spec.SecretValues {
		path := strictyaml.Index("spec.secretValues", i)
		problems = append(problems, e.known(path+".release", string(value.Release))...)
		if id := string(value.Release) + " " + string(value.Path); seen[id] {
			problems = append(problems, e.problem(path+".path", "the value %s of %s is defined twice", value.Path, value.Release))
		} else {
			seen[id] = true
		}
	}
	return problems
}

func (e Environment) checkReleases() Problems {
	var problems Problems
	keys := e.releaseKeys()
	for i, release := range e.Spec.Releases {
		path, name := strictyaml.Index("spec.releases", i), string(release.Name)
		switch {
		case name == Prereqs || name == PrefectIstiod || name == PrefectCloud:
			problems = append(problems, e.problem(path+".name", "%q is taken: want another name", name))
		case slices.Index(keys, name) < len(keys)-len(e.Spec.Releases)+i:
			problems = append(problems, e.problem(path+".name", "the release %q is defined twice", name))
		case ReleaseName(name).Validate() != nil:
			problems = append(problems, e.problem(path+".name", "%s: the name is Helm's name for the release too", ReleaseName(name).Validate()))
		}
		problems = append(problems, e.checkNeeds(path+".needs", name, release.Needs)...)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Spec.Needs)) {
		path := strictyaml.Join("spec.needs", name)
		if name != PrefectIstiod && name != PrefectCloud {
			problems = append(problems, e.problem(path, "want %s or %s: a release of your own says what it needs under spec.releases", PrefectIstiod, PrefectCloud))
			continue
		}
		problems = append(problems, e.known(path, name)...)
		problems = append(problems, e.checkNeeds(path, name, e.Spec.Needs[name])...)
	}
	return problems
}

func (e Environment) checkNeeds(path, release string, needs []Name) Problems {
	var problems Problems
	for i, need := range needs {
		at := strictyaml.Index(path, i)
		if string(need) == release {
			problems = append(problems, e.problem(at, "the release %q depends on itself", release))
			continue
		}
		problems = append(problems, e.known(at, string(need))...)
	}
	return problems
}

// checkNames checks the mappings whose keys are releases.
func (e Environment) checkNames() Problems {
	var problems Problems
	for _, name := range slices.Sorted(maps.Keys(e.Spec.Names)) {
		if vendor := []string{PrefectIstiod, PrefectCloud}; !slices.Contains(vendor, name) {
			problems = append(problems, e.problem(strictyaml.Join("spec.names", name), "unknown release%s", text.Suggest(name, vendor)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Spec.Values)) {
		problems = append(problems, e.known(strictyaml.Join("spec.values", name), name)...)
		if e.extra(name) != nil {
			problems = append(problems, e.problem(strictyaml.Join("spec.values", name), "give the values of %q where the release is, under spec.releases", name))
		}
	}
	return problems
}

func (e Environment) checkDelivery() Problems {
	var problems Problems
	if first, _, _ := strings.Cut(string(e.Spec.Delivery.Path), "/"); strings.EqualFold(first, "clusters") {
		problems = append(problems, e.problem("spec.delivery.path", "want a folder outside clusters: the controller applies every file there as it is"))
	}
	for part := range strings.SplitSeq(string(e.Spec.Delivery.Path), "/") {
		if strings.HasPrefix(part, ".") {
			problems = append(problems, e.problem("spec.delivery.path", "want folders whose names begin with no dot: Git and its forges have their own, and run what is in .github/workflows and the like"))
			break
		}
	}
	if path.IsAbs(e.Spec.Catalog) {
		problems = append(problems, e.problem("spec.catalog", "want the path of a catalog, relative to this file"))
	}
	if path.IsAbs(e.Spec.Cluster.Capabilities) {
		problems = append(problems, e.problem("spec.cluster.capabilities", "want the path of a recorded file, relative to this file"))
	}
	if registry := e.Spec.Registry; registry.CASecret != "" && registry.CASecret == registry.PullSecret {
		problems = append(problems, e.problem("spec.registry.caSecret", "want another Secret than pullSecret: they are of different types"))
	}
	if or(e.Spec.Cluster.Name, e.Metadata.Name) == "flux-system" {
		problems = append(problems, e.problem("spec.cluster.name", "clusters/flux-system may belong to Flux itself: want another name"))
	}
	destination := e.Spec.Delivery.Argo.Destination
	if destination.Server != "" && destination.Name != "" {
		problems = append(problems, e.problem("spec.delivery.argo.destination", "want server or name, not both"))
	}
	return problems
}

// checkIgnores wants releases that exist. Defaults may name one of the vendor's
// that an environment has not.
func (e Environment) checkIgnores() Problems {
	var problems Problems
	for i, ignored := range e.Spec.Checks.Ignore {
		if release := string(ignored.Release); release != "" && release != PrefectIstiod && release != PrefectCloud {
			problems = append(problems, e.known(strictyaml.Index("spec.checks.ignore", i)+".release", release)...)
		}
		if at := strictyaml.Index("spec.checks.ignore", i); ignored.Check == PlaintextCheck && (ignored.Path == "" || ignored.Release != "" || ignored.Object != "") {
			problems = append(problems, e.problem(at, "%s wants a path, and neither release nor object: each value is accepted by itself", PlaintextCheck))
		}
	}
	return problems
}

// known is the problem that a release has no such name, if so.
func (e Environment) known(path, name string) Problems {
	keys := e.releaseKeys()
	if slices.Contains(keys, name) {
		return nil
	}
	return Problems{e.problem(path, "unknown release %s%s", text.Quoted(name), text.Suggest(name, keys))}
}

// releaseKeys is the keys of every release: the vendor's, then the extra ones
// in the order of the file.
func (e Environment) releaseKeys() []string {
	var keys []string
	if e.mesh() == MeshPrefectIstiod {
		keys = append(keys, PrefectIstiod)
	}
	keys = append(keys, PrefectCloud)
	for _, release := range e.Spec.Releases {
		keys = append(keys, string(release.Name))
	}
	return keys
}

func (e Environment) extra(key string) *ExtraRelease {
	for i := range e.Spec.Releases {
		if string(e.Spec.Releases[i].Name) == key {
			return &e.Spec.Releases[i]
		}
	}
	return nil
}

func (e Environment) mesh() MeshMode {
	if e.Spec.Mesh.Mode == "" {
		return MeshPrefectIstiod
	}
	return e.Spec.Mesh.Mode
}
