package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Plan is what an environment comes to, for any delivery system: releases in
// ordered waves, with everything that a target writes down.
type Plan struct {
	Environment string
	Cluster     string // the folder below clusters/
	Path        string // the folder that bases and overlays are written to
	Delivery    Delivery
	KubeVersion string      // of the cluster, empty if the environment does not say
	APIVersions []string    // that the cluster serves besides Kubernetes' own
	APIs        []apis.API  // all that the cluster serves, as it was recorded; nil if it was not
	Namespaces  []Namespace // by name
	Waves       []Wave
	Secrets     Secrets  // with From and Into filled in
	Warnings    Problems // the environment's, and what planning noticed
	Unlocked    Problems // what the lock lacks of a pinned environment: [Render] refuses it

	target     Target
	env        Environment
	line       catalog.Line        // of prefect-cloud
	chartReads map[string][]string // the Secrets that the chart reads itself: name to keys
	pinned     []pinned
}

// Target is the target that the plan was made for; nil of [NewPlan].
func (p Plan) Target() Target { return p.target }

// Traits are those of the target for this plan's delivery.
func (p Plan) Traits() Traits { return p.target.Traits(p.Delivery) }

// ReleasePath is the field of the environment that names a release, for
// problems.
func (p Plan) ReleasePath(key string) string { return p.env.releasePath(key) }

// Problem is a problem at a field of the environment, such as
// spec.delivery.path, for a target that cannot do what the plan asks.
func (p Plan) Problem(path, format string, args ...any) Problem {
	return p.env.problem(path, format, args...)
}

// Wave is releases that may be installed side by side, in name order, once
// the waves before are ready.
type Wave []Release

// ExternalDatabase reports whether the environment names a database, so that the
// chart should start none.
func (p Plan) ExternalDatabase() bool { return p.env.Spec.Database != nil }

// Loops is the services of prefect-cloud of which exactly one may run, as far
// as the catalog knows them.
func (p Plan) Loops() []string { return p.line.Loops }

// MigrationJobs is the names of the Jobs that migrate the databases of
// prefect-cloud, as far as the catalog knows them.
func (p Plan) MigrationJobs() []string {
	if p.line.Migrations == nil {
		return nil
	}
	return p.line.Migrations.Jobs
}

// Releases is the releases of all waves in order.
func (p Plan) Releases() []Release { return slices.Concat(p.Waves...) }

// Namespace is a namespace that releases are installed in.
type Namespace struct {
	Name   string
	Labels map[string]string
}

// Release is one Helm release.
type Release struct {
	Key       string // names files and objects: prefect-istiod, prefect-cloud or the name under releases
	Name      string // Helm's name for it
	Namespace string
	Chart     Chart
	Needs     []string // keys of the releases that must be ready before, by name
	Protected bool     // never uninstalled because its manifests went away
	Values    Values
	// SecretInputs are the values that must not be in Git, by path.
	SecretInputs []SecretInput
	// InstallTimeout bounds the first install, UpgradeTimeout every upgrade.
	InstallTimeout, UpgradeTimeout time.Duration
	// MigratesAfterInstall says that the release migrates databases once its
	// services were created, and that these wait for it.
	MigratesAfterInstall bool
}

// Chart is a chart in an OCI registry.
type Chart struct {
	Repository string // host, path and the chart's name, without oci://
	Version    string
	Digest     string // sha256:…, or empty where only the version is pinned
	PullSecret string // a dockerconfigjson Secret in the release's namespace, or empty
	CASecret   string // a Secret with ca.crt in the release's namespace, or empty
}

// DefaultTimeout bounds the install and upgrade of a release of which nothing
// else is known. Helm's own default of five minutes is short for images that
// are pulled for the first time.
const DefaultTimeout = 10 * time.Minute

// NewPlan puts the releases of an environment into waves and composes their
// values through the layout of the chart's line. A release goes into the
// first wave after everything it needs; releases of one wave are in name
// order. The way secrets reach the chart is the environment's, or else into.
// The error is every problem at once, as [Problems].
func NewPlan(env Environment, cat catalog.Catalog, into SecretsInto) (Plan, error) {
	spec := env.Spec
	if spec.Secrets.Into != "" {
		into = spec.Secrets.Into
	}
	c := composer{env: env, into: into, fields: env.fields(into), used: map[string]bool{}}
	c.findLine(cat)
	if c.problems != nil {
		return Plan{}, c.problems.Err()
	}
	c.checkLayout()
	releases := c.releases()
	c.checkUnused()
	waves, problem := env.waves(releases)
	if problem != nil {
		c.problems = append(c.problems, *problem)
	}
	c.problems = append(c.problems, env.checkDuplicates(releases)...)
	if c.problems != nil {
		return Plan{}, c.problems.Err()
	}
	var chartReads map[string][]string
	if into == IntoChart {
		if chartReads = c.line.Secrets; len(chartReads) == 0 {
			c.warnings = append(c.warnings, env.problem("spec.secrets.into", "the chart reads Secrets that exist, and the catalog's line %q does not say which: pm-gitops secrets list --charts does, from the chart", c.line.Name))
		}
	}
	spec.Secrets.Into = into
	if spec.Secrets.From == "" {
		spec.Secrets.From = FromExisting
	}
	plan := Plan{
		Environment: string(env.Metadata.Name),
		Cluster:     string(or(spec.Cluster.Name, env.Metadata.Name)),
		Path:        string(or(spec.Delivery.Path, "prefect")),
		Delivery:    spec.Delivery.withDefaults(),
		KubeVersion: string(spec.Cluster.KubeVersion),
		APIVersions: texts(spec.Cluster.APIVersions),
		Namespaces:  env.namespaces(releases),
		Waves:       waves,
		Secrets:     spec.Secrets,
		Warnings:    append(env.Warnings(), c.warnings...).Sorted(),
		env:         env,
		line:        c.line,
		chartReads:  chartReads,
	}
	if r := env.recorded; r != nil {
		plan.KubeVersion, plan.APIVersions, plan.APIs = r.KubeVersion, nil, r.APIs
	}
	return plan, nil
}

// or is the first text that is not empty.
func or[T ~string](texts ...T) T {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func texts[T ~string](list []T) []string {
	var all []string
	for _, text := range list {
		all = append(all, string(text))
	}
	return all
}

func (d Delivery) withDefaults() Delivery {
	d.Flux.Version = or(d.Flux.Version, "2.7")
	d.Flux.Namespace = or(d.Flux.Namespace, "flux-system")
	d.Flux.Source = or(d.Flux.Source, "flux-system")
	d.Argo.Version = or(d.Argo.Version, "2.14")
	d.Argo.Namespace = or(d.Argo.Namespace, "argocd")
	d.Argo.Charts = or(d.Argo.Charts, ChartsHelm)
	if d.Argo.Destination == (ArgoDestination{}) {
		d.Argo.Destination.Server = "https://kubernetes.default.svc"
	}
	if d.Git != nil {
		git := *d.Git
		git.Branch = or(git.Branch, "main")
		d.Git = &git
	}
	return d
}

// findLine finds the line of prefect-cloud, and notices what does not fit it.
func (c *composer) findLine(cat catalog.Catalog) {
	versions := c.env.Spec.Versions
	version := versions.PrefectCloud.Version()
	line, ok, err := cat.Find(PrefectCloud, version)
	var problem Problem
	at := func(field string) string { return "spec.versions." + field }
	warn := func(field, format string, args ...any) {
		c.warnings = append(c.warnings, c.env.problem(at(field), format, args...))
	}
	switch {
	case errors.As(err, &problem):
		c.problems = append(c.problems, problem)
		return
	case err != nil:
		c.problems = append(c.problems, c.env.problem(at("prefectCloud"), "%s", err))
		return
	case len(line.Layout) == 0:
		c.problems = append(c.problems, c.env.problem(at("prefectCloud"), "the catalog's line %q has no layout: nothing says which chart values the fields set; add one in a catalog (spec.catalog)", line.Name))
		return
	case !ok:
		warn("prefectCloud", "no line of the catalog covers %s: the layout of the newest, %q, is used", version, line.Name)
	}
	c.line = line
	c.warnings = append(c.warnings, c.env.doubtVersions(cat, line)...)
	if !ok {
		return
	}
	if r, known := line.Charts[PrefectIstiod]; known && versions.PrefectIstiod != "" && !r.Contains(versions.PrefectIstiod.Version()) {
		warn("prefectIstiod", "%s does not belong to line %q of prefect-cloud %s: want %s", versions.PrefectIstiod.Version(), line.Name, version, r)
	}
	c.checkTag(cat, "server", versions.Server, func(l catalog.Line) []catalog.Pattern { return l.Server })
	c.checkTag(cat, "ui", versions.UI, func(l catalog.Line) []catalog.Pattern { return l.UI })
}

// checkTag warns of a tag that the catalog does not list for the line, or that it lists for
// another one where it lists none for this one.
func (c *composer) checkTag(cat catalog.Catalog, field string, tag Tag, listed func(catalog.Line) []catalog.Pattern) {
	warn := func(format string, args ...any) {
		c.warnings = append(c.warnings, c.env.problem("spec.versions."+field, format, args...))
	}
	switch own := listed(c.line); {
	case catalog.Matches(own, string(tag)):
	case len(own) > 0:
		warn("%s does not belong to line %q: want %s", tag, c.line.Name, patterns(own))
	default:
		for _, other := range cat.Lines {
			if catalog.Matches(listed(other), string(tag)) {
				warn("%s belongs to line %q, and prefectCloud to line %q", tag, other.Name, c.line.Name)
				return
			}
		}
	}
}

func patterns(ps []catalog.Pattern) string {
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = string(p)
	}
	return text.OneOf(texts)
}

// String is the plan on a line: environment and waves.
func (p Plan) String() string {
	waves := make([]string, len(p.Waves))
	for i, wave := range p.Waves {
		keys := make([]string, len(wave))
		for j, release := range wave {
			keys[j] = release.Key
		}
		waves[i] = strings.Join(keys, ", ")
	}
	return fmt.Sprintf("%s: %s", p.Environment, strings.Join(waves, " -> "))
}
