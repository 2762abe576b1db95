package render

import (
	"fmt"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Traits describes a delivery system: whatever depends on the system asks a
// trait, and never for the name of the target.
type Traits struct {
	// Title is the name of the delivery system as people write it, and Version
	// its release, such as "2.7", where the environment names one.
	Title, Version string
	// Renderer is the name of the way in which charts are rendered, one of
	// package chart.
	Renderer string
	// Applier applies what charts make.
	Applier Applier
	// Controller is what in the cluster knows how far a release is.
	Controller Controller
	// WholeWaves: a release waits for all releases of the waves before it, and
	// not only for those that it needs.
	WholeWaves bool
	// AwaitsReadyPods: an install waits for every pod to be ready, also for one
	// that has done its work and never will be.
	AwaitsReadyPods bool
	// UpgradesFailedInstalls: an install that failed is tried again as an
	// upgrade, with an upgrade's hooks.
	UpgradesFailedInstalls bool
	// AppliesServerSide: objects are applied on the API server's side, which
	// refuses a list that has two entries with one key.
	AppliesServerSide bool
	// CombinesHooks names releases of the delivery system, such as "Flux 2.8.0 to
	// 2.8.5", that may be meant by Version and refuse hooks that have a name in
	// common with another object of their chart; empty for none.
	CombinesHooks string
	// SkipsFirstWait: nothing waits for the first install of a release that
	// migrates after it.
	SkipsFirstWait bool
	// LoginWithoutSecret says how charts of [VendorRegistry] are pulled where the
	// environment names no pull secret.
	LoginWithoutSecret string
	// PinsDigests: a chart can be pinned by its digest.
	PinsDigests bool
	// VerifiesCharts: the signatures of charts are verified in the cluster.
	VerifiesCharts bool
	// SecretsFrom is the ways in which Secrets can be made.
	SecretsFrom []SecretsFrom
	// SecretsInto is the ways in which charts can get their secrets, first the
	// one for environments that do not say; IntoChart if there are none.
	SecretsInto []SecretsInto
	// Layout describes what an environment writes. It is the same for every
	// release of the delivery system.
	Layout tree.Layout
}

// Applier is who applies the objects of a chart: it decides what happens to
// hooks, to objects that are no longer rendered, and to changes that the API
// server refuses.
type Applier int

const (
	// ByHelm: installs and upgrades of Helm, which runs hooks, waits, and keeps
	// releases in Secrets.
	ByHelm Applier = iota
	// BySync: Argo CD's syncs of what a chart makes; every one of them renders
	// a first install, outside the cluster.
	BySync
)

// Controller is what can be asked, in a cluster, how far a release is.
type Controller int

const (
	// NoController: nothing in the cluster knows the environment.
	NoController Controller = iota
	// FluxControllers: Flux's Kustomizations and HelmReleases.
	FluxControllers
	// ArgoCD: Argo CD's Applications.
	ArgoCD
)

// PlanFor makes the plan of an environment for a target, as [NewPlan] does:
// secrets reach charts in the target's way where the environment does not say.
func PlanFor(env Environment, cat catalog.Catalog, target Target) (Plan, error) {
	into := IntoChart
	if ways := target.Traits(env.Spec.Delivery).SecretsInto; len(ways) > 0 {
		into = ways[0]
	}
	plan, err := NewPlan(env, cat, into)
	plan.target = target
	if err == nil && env.IsPinned() {
		plan.pin()
	}
	if err == nil && !plan.Traits().VerifiesCharts {
		plan.Warnings = append(plan.Warnings, plan.unverified()...).Sorted()
	}
	return plan, err
}

// Installation is a release as manifests that were written say it.
type Installation struct {
	// Release has everything that decides what its chart makes, but for where
	// secret values go, which no manifest says. A chart that is pinned by its
	// digest alone has no version where the manifests do not say one.
	Release
	// HasSecrets: values of it come from a Secret.
	HasSecrets bool
}

// Targets is the delivery systems that a program writes for, in the order in
// which help lists them, the default first.
type Targets []Target

// Names returns the names of the targets.
func (t Targets) Names() []string {
	var names []string
	for _, target := range t {
		names = append(names, target.Name())
	}
	return names
}

// ByName returns the target of a name, or an error that lists the names.
func (t Targets) ByName(name string) (Target, error) {
	for _, target := range t {
		if target.Name() == name {
			return target, nil
		}
	}
	return nil, fmt.Errorf("unknown target %q: want %s", name, text.OneOf(t.Names()))
}

// Choice chooses the target of an environment. Its errors are [Problems].
type Choice func(Environment) (Target, error)

// Only returns the choice of one target for all environments.
func Only(target Target) Choice {
	return func(Environment) (Target, error) { return target, nil }
}

// Choose returns the choice of what an environment says under spec.delivery.target,
// and of the first target for those that do not say.
func (t Targets) Choose() Choice {
	return func(env Environment) (Target, error) {
		name := string(env.Spec.Delivery.Target)
		if name == "" {
			return t[0], nil
		}
		target, err := t.ByName(name)
		if err != nil {
			return nil, Problems{env.problem("spec.delivery.target", "unknown target %q%s", name, text.Suggest(name, t.Names()))}.Err()
		}
		return target, nil
	}
}

// Layouts returns what each target writes, by its name.
func (t Targets) Layouts() tree.Layouts {
	layouts := tree.Layouts{}
	for _, target := range t {
		layouts[target.Name()] = target.Traits(Delivery{}).Layout
	}
	return layouts
}
