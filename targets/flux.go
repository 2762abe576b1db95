package targets

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/apis/meta"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Flux writes HelmReleases and their OCIRepositories, one overlay a release,
// and one Flux Kustomization an overlay that waits for the ones before.
type Flux struct{}

// Name returns flux.
func (Flux) Name() string { return "flux" }

// Traits describes Flux: helm-controller installs and upgrades with Helm, and
// reads values from Secrets in the cluster.
func (Flux) Traits(delivery render.Delivery) render.Traits {
	minor := delivery.Flux.Version.Minor()
	traits := render.Traits{
		Title: "Flux", Version: string(delivery.Flux.Version), Renderer: "flux",
		Applier: render.ByHelm, Controller: render.FluxControllers,
		AwaitsReadyPods:        minor < 8, // Helm 3
		AppliesServerSide:      minor >= 8,
		UpgradesFailedInstalls: minor >= 7,
		SkipsFirstWait:         minor < 7,
		LoginWithoutSecret:     "Flux is told provider: gcp, and logs in with the cluster's own identity, which then needs the right to read there",
		PinsDigests:            true,
		VerifiesCharts:         true,
		SecretsFrom:            []render.SecretsFrom{render.FromExisting},
		SecretsInto:            []render.SecretsInto{render.IntoValues, render.IntoChart},
		Layout:                 tree.Layout{Paths: layoutPaths()},
	}
	if minor == 8 {
		traits.CombinesHooks = "Flux 2.8.0 to 2.8.5"
	}
	return traits
}

const (
	retryInterval = time.Minute
	checkInterval = time.Hour // of what only changes when Git does
	driftInterval = 30 * time.Minute
	maxHistory    = 5
)

// Files returns the files of a plan: what Flux is pointed at, the bases, and an
// overlay for the prerequisites and for each release.
func (f Flux) Files(plan render.Plan) ([]render.File, error) {
	if err := f.check(plan); err != nil {
		return nil, err
	}
	w := fluxWriter{plan: plan, minor: plan.Delivery.Flux.Version.Minor()}
	files := []render.File{{Path: plan.ClusterFile(), Objects: w.kustomizations(), Applied: plan.ClusterPlace()}}
	files = append(files, namespaces(plan, plan.ClusterPlace(), pruneDisabled)...)
	for _, release := range plan.Releases() {
		overlay, err := w.release(release)
		if err != nil {
			return nil, err
		}
		files = append(files, overlay...)
	}
	return files, nil
}

// check refuses what Flux, or its target, cannot do.
func (f Flux) check(plan render.Plan) error {
	var problems render.Problems
	problems = append(problems, checkSecrets(plan, f)...)
	for _, release := range plan.Releases() {
		if release.Namespace == string(plan.Delivery.Flux.Namespace) {
			problems = append(problems, plan.Problem(plan.ReleasePath(release.Key)+".namespace", "the namespace %q belongs to Flux: want another one", release.Namespace))
		}
		if name := sourceName(release); validation.IsDNS1123Subdomain(name) != nil {
			problems = append(problems, plan.Problem(plan.ReleasePath(release.Key), "the chart version %q can be in no object name, and so not pinned by Flux: want another version", release.Chart.Version))
		}
		// kustomize-controller labels what it applies with the Kustomization's
		// name, and a label's value ends at 63 characters.
		if name := kustomizationName(plan, release.Key); len(name) > 63 {
			problems = append(problems, plan.Problem("metadata.name", "with the release's name behind it, %q has %d characters: want at most 63", name, len(name)))
		}
	}
	return problems.Err()
}

func kustomizationName(plan render.Plan, part string) string { return plan.Environment + "-" + part }

// fluxWriter writes one plan for one release of Flux. A field is written only
// if the oldest Flux that must work knows it: an unknown one fails the
// dry-run of its whole Flux Kustomization.
type fluxWriter struct {
	plan  render.Plan
	minor int // 7 for Flux 2.7
}

// kustomizations gives what Flux is pointed at: the prerequisites, then every
// release after what it needs. Names follow the releases, never the waves: a
// wave more must not rename, and so prune, anything.
func (w fluxWriter) kustomizations() []any {
	prereqs := w.kustomization(render.Prereqs, nil, 5*time.Minute)
	// Namespaces hold what no user wants to lose: nothing there is ever deleted.
	prereqs.Spec.Prune = false
	objects := []any{prereqs}
	for _, release := range w.plan.Releases() {
		// A failed install is retried as an upgrade; the wave waits for both.
		timeout := release.InstallTimeout + release.UpgradeTimeout + 5*time.Minute
		k := w.kustomization(release.Key, append([]string{render.Prereqs}, release.Needs...), timeout)
		if release.Protected && w.minor >= 5 {
			k.Spec.DeletionPolicy = kustomizev1.DeletionPolicyOrphan
		}
		if w.minor >= 5 {
			k.Spec.HealthCheckExprs = []kustomize.CustomHealthCheck{helmReleaseHealth()}
		}
		objects = append(objects, k)
	}
	return objects
}

// kustomization waits for everything in its overlay, and so, because the
// specification of a HelmRelease says all that makes a release new,
// for the upgrade and not for what was ready before.
func (w fluxWriter) kustomization(part string, needs []string, timeout time.Duration) kustomizev1.Kustomization {
	k := kustomizev1.Kustomization{
		TypeMeta:   metav1.TypeMeta{APIVersion: kustomizev1.GroupVersion.String(), Kind: kustomizev1.KustomizationKind},
		ObjectMeta: metav1.ObjectMeta{Name: kustomizationName(w.plan, part), Namespace: string(w.plan.Delivery.Flux.Namespace)},
		Spec: kustomizev1.KustomizationSpec{
			Interval:      metav1.Duration{Duration: checkInterval},
			RetryInterval: &metav1.Duration{Duration: retryInterval},
			Timeout:       &metav1.Duration{Duration: timeout},
			Path:          "./" + w.plan.Overlay(part),
			Prune:         true,
			Wait:          true,
			SourceRef:     kustomizev1.CrossNamespaceSourceReference{Kind: "GitRepository", Name: string(w.plan.Delivery.Flux.Source)},
		},
	}
	for _, need := range needs {
		k.Spec.DependsOn = append(k.Spec.DependsOn, kustomizev1.DependencyReference{Name: kustomizationName(w.plan, need)})
	}
	return k
}

// helmReleaseHealth ends the wait of a wave once its Helm action failed. A
// HelmRelease that will be tried again counts as in progress otherwise, and
// while a wave waits Flux applies no newer commit: the fix would have to wait
// until the wave's time is up. A wave that heals without a commit opens the
// next one within the retry interval
// (https://fluxcd.io/flux/components/kustomize/kustomizations/#health-check-expressions).
func helmReleaseHealth() kustomize.CustomHealthCheck {
	const condition = "has(status.conditions) && status.conditions.exists(c, c.type == 'Ready' && c.status == "
	return kustomize.CustomHealthCheck{
		APIVersion: helmv2.GroupVersion.String(),
		Kind:       helmv2.HelmReleaseKind,
		HealthCheckExpressions: kustomize.HealthCheckExpressions{
			Failed:  condition + "'False' && c.reason in ['InstallFailed', 'UpgradeFailed', 'TestFailed'])",
			Current: condition + "'True')",
		},
	}
}

// pruneDisabled keeps an object when its manifest, or the Kustomization that
// applied it, goes away, on every release of Flux
// (https://fluxcd.io/flux/components/kustomize/kustomizations/#prune).
var pruneDisabled = map[string]string{kustomizev1.GroupVersion.Group + "/prune": "disabled"}

// release gives the overlay of a release. The vendor's releases share a base
// with every other environment; a release of the user's own stands alone.
func (w fluxWriter) release(release render.Release) ([]render.File, error) {
	var base helmv2.HelmRelease
	folder := w.plan.Overlay(release.Key)
	source := fileOf("ocirepository.yaml", w.source(release)...)
	if vendor(release) {
		patch, err := w.helmRelease(release, typed(release.Key))
		if err != nil {
			return nil, err
		}
		base = helmReleaseBase(release)
		below := w.plan.Base("flux", release.Key)
		files := overlay(below, kustomization{Resources: []string{"helmrelease.yaml"}}, fileOf("helmrelease.yaml", base))
		return append(files, applied(w.plan.ClusterPlace(), overlay(folder, kustomization{
			Namespace: release.Namespace,
			Resources: []string{relative(folder, below), source.Path},
			Patches:   []string{"helmrelease-patch.yaml"},
		}, source, fileOf("helmrelease-patch.yaml", patch)))...), nil
	}
	full, err := w.helmRelease(release, helmReleaseBase(release))
	if err != nil {
		return nil, err
	}
	return applied(w.plan.ClusterPlace(), overlay(folder, kustomization{
		Namespace: release.Namespace,
		Resources: []string{"helmrelease.yaml", source.Path},
	}, source, fileOf("helmrelease.yaml", full))), nil
}

// vendor reports whether a release is one of the vendor's.
func vendor(release render.Release) bool {
	return release.Key == render.PrefectIstiod || release.Key == render.PrefectCloud
}

func typed(name string) helmv2.HelmRelease {
	return helmv2.HelmRelease{
		TypeMeta:   metav1.TypeMeta{APIVersion: helmv2.GroupVersion.String(), Kind: helmv2.HelmReleaseKind},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
}

// helmReleaseBase gives what is the same for a release in every environment and
// for every release of Flux. Its text is fixed for ever (see render.Plan.Base).
func helmReleaseBase(release render.Release) helmv2.HelmRelease {
	history := maxHistory
	base := typed(release.Key)
	if release.Protected {
		base.Annotations = maps.Clone(pruneDisabled)
	}
	base.Spec = helmv2.HelmReleaseSpec{
		ChartRef:   &helmv2.CrossNamespaceSourceReference{Kind: "OCIRepository"},
		Interval:   metav1.Duration{Duration: driftInterval},
		MaxHistory: &history,
		// Helm itself never updates the CRDs of a chart's crds folder.
		Install: &helmv2.Install{CRDs: helmv2.CreateReplace},
		Upgrade: &helmv2.Upgrade{CRDs: helmv2.CreateReplace},
		// A HorizontalPodAutoscaler, or a person in an incident, owns replicas.
		DriftDetection: &helmv2.DriftDetection{
			Mode:   helmv2.DriftDetectionEnabled,
			Ignore: []helmv2.IgnoreRule{ignore("/spec/replicas", "apps", "Deployment")},
		},
	}
	if release.Key == render.PrefectIstiod {
		// istiod turns the policy from Ignore to Fail once it is up
		// (https://github.com/istio/istio/issues/52785).
		base.Spec.DriftDetection.Ignore = append(base.Spec.DriftDetection.Ignore,
			ignore("/webhooks/0/failurePolicy", "admissionregistration.k8s.io", "ValidatingWebhookConfiguration"))
	}
	return base
}

func ignore(path, group, kind string) helmv2.IgnoreRule {
	return helmv2.IgnoreRule{Paths: []string{path}, Target: &kustomize.Selector{Group: group, Kind: kind}}
}

// helmRelease fills in what an environment says. The name of the source
// carries the version, so that a new chart is a new specification: bumping
// the version inside the source would leave the HelmRelease ready with the
// old one, and open the next wave too early.
func (w fluxWriter) helmRelease(release render.Release, hr helmv2.HelmRelease) (helmv2.HelmRelease, error) {
	values, err := json.Marshal(release.Values)
	if err != nil {
		return hr, fmt.Errorf("write the values of %s: %w", release.Key, err)
	}
	hr.Spec.ReleaseName = release.Name
	hr.Spec.Timeout = &metav1.Duration{Duration: release.UpgradeTimeout}
	hr.Spec.ChartRef = &helmv2.CrossNamespaceSourceReference{Name: sourceName(release)}
	if !vendor(release) {
		hr.Spec.ChartRef.Kind = "OCIRepository"
	}
	if w.minor >= 9 {
		// As with every release before, the labels of kustomize are not for
		// hooks. Otherwise the release fails if a hook has the name of another
		// object of the chart, such as its ServiceAccount
		// (https://github.com/fluxcd/helm-controller/blob/v1.6.3/CHANGELOG.md#160).
		hr.Spec.PostRenderStrategy = helmv2.PostRenderStrategyNoHooks
	}
	if len(release.Values) > 0 {
		hr.Spec.Values = &apiextensionsv1.JSON{Raw: values}
	}
	if len(release.SecretInputs) > 0 {
		// One Secret with a whole document: single keys with targetPath go
		// through the parser of --set, which mangles passwords
		// (https://github.com/fluxcd/flux2/issues/2625).
		hr.Spec.ValuesFrom = []meta.ValuesReference{{Kind: "Secret", Name: render.ValuesSecret(release)}}
	}
	w.failures(release, &hr.Spec)
	return hr, nil
}

// failures says what happens when an install or upgrade fails: it is tried
// again, and never rolled back or uninstalled, since neither can undo a
// database migration.
func (w fluxWriter) failures(release render.Release, spec *helmv2.HelmReleaseSpec) {
	install, upgrade := helmv2.Install{}, helmv2.Upgrade{}
	if spec.Install != nil {
		install, upgrade = *spec.Install, *spec.Upgrade
	}
	if traits := (Flux{}).Traits(w.plan.Delivery); traits.UpgradesFailedInstalls {
		if release.InstallTimeout != release.UpgradeTimeout {
			install.Timeout = &metav1.Duration{Duration: release.InstallTimeout}
		}
		retry := &metav1.Duration{Duration: retryInterval}
		install.Strategy = &helmv2.InstallStrategy{Name: string(helmv2.ActionStrategyRetryOnFailure), RetryInterval: retry}
		upgrade.Strategy = &helmv2.UpgradeStrategy{Name: string(helmv2.ActionStrategyRetryOnFailure), RetryInterval: retry}
	} else {
		never := false
		install.Remediation = &helmv2.InstallRemediation{RemediateLastFailure: &never}
		upgrade.Remediation = &helmv2.UpgradeRemediation{RemediateLastFailure: &never}
		// Without a strategy that retries, an install that waits for services
		// that wait for the migration after it would fail for good.
		install.DisableWait = traits.SkipsFirstWait && release.MigratesAfterInstall
	}
	spec.Install, spec.Upgrade = &install, &upgrade
}
