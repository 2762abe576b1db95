package targets

import (
	"fmt"
	"slices"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Argo writes a root Application over one child Application a release, each
// in the sync wave of its release, and two AppProjects.
type Argo struct{}

// Name returns argo.
func (Argo) Name() string { return "argo" }

// Traits describes Argo CD: every sync renders charts anew, in the order of
// waves, and values cannot come from a Secret
// (https://github.com/argoproj/argo-cd/issues/1786).
func (Argo) Traits(delivery render.Delivery) render.Traits {
	return render.Traits{
		Title: "Argo CD", Version: string(delivery.Argo.Version), Renderer: "argo",
		Applier: render.BySync, Controller: render.ArgoCD,
		WholeWaves:         true,
		AppliesServerSide:  true,
		LoginWithoutSecret: "Argo CD logs in only where a repository Secret in its own namespace has a login",
		PinsDigests:        delivery.Argo.Charts == render.ChartsOCI, // the classic form of charts has no digest
		SecretsFrom:        []render.SecretsFrom{render.FromExisting},
		SecretsInto:        []render.SecretsInto{render.IntoChart},
		Layout: tree.Layout{
			Paths:               layoutPaths(),
			Names:               []string{"{environment}", "{environment}-root"},
			NamesAcrossClusters: true, // Argo CD is often one for many clusters
		},
	}
}

// Files returns the files of a plan: what Argo CD is pointed at, the overlay of the
// root Application, and below it one for the prerequisites and one for each
// release.
func (a Argo) Files(plan render.Plan) ([]render.File, error) {
	if err := a.check(plan); err != nil {
		return nil, err
	}
	w := argoWriter{plan: plan, argo: plan.Delivery.Argo}
	files := []render.File{{Path: plan.ClusterFile(), Objects: w.entrance(), Applied: w.place()}}
	files = append(files, w.root()...)
	files = append(files, namespaces(plan, w.destinationPlace(), keptNamespace)...)
	for i, wave := range plan.Waves {
		for _, release := range wave {
			overlay, err := w.release(release, i+1)
			if err != nil {
				return nil, err
			}
			files = append(files, overlay...)
		}
	}
	return files, nil
}

// check refuses what Argo CD, or its target, cannot do.
func (a Argo) check(plan render.Plan) error {
	var problems render.Problems
	problem := func(path, format string, args ...any) {
		problems = append(problems, plan.Problem(path, format, args...))
	}
	argo, traits := plan.Delivery.Argo, a.Traits(plan.Delivery)
	problems = append(problems, checkSecrets(plan, a)...)
	if !slices.Contains(traits.SecretsInto, plan.Secrets.Into) {
		problem("spec.secrets.into", "Argo CD cannot hand a Secret to a chart as values: want chart, with which the chart reads Secrets that exist, or the flux target")
	}
	if plan.Environment == "default" {
		problem("metadata.name", "%q is the project that Argo CD gives to everybody: want another name", plan.Environment)
	}
	if plan.Delivery.Git == nil {
		problem("spec.delivery.git", "the field is missing: an Application names the Git repository that holds its manifests")
	}
	if argo.Charts == render.ChartsOCI && !argo.Version.NativeOCI() {
		problem("spec.delivery.argo.charts", "Argo CD %s does not know the native form of charts in OCI registries: want helm, or Argo CD 3.1", argo.Version)
	}
	for _, release := range plan.Releases() {
		if len(release.SecretInputs) > 0 && plan.Secrets.Into == render.IntoChart {
			problem("spec.secretValues", "Argo CD cannot hand a Secret to a chart as value %s of %s: let the chart read a Secret that exists, or use the flux target", release.SecretInputs[0].Path, release.Key)
		}
		if release.Chart.Digest != "" && !traits.PinsDigests {
			problem("spec.versions", "the version of %s pins a digest, and Argo CD's classic form of charts has none: leave it out, or say delivery.argo.charts: oci", release.Key)
		}
		if release.Namespace == string(argo.Namespace) {
			problem("spec.delivery.argo.namespace", "%s is installed in %q, and that namespace belongs to Argo CD: give the release another one", release.Key, release.Namespace)
		}
	}
	return problems.Err()
}

// argoWriter writes one plan for one Argo CD.
type argoWriter struct {
	plan render.Plan
	argo render.Argo
}

// The annotations that order and protect what Argo CD syncs
// (https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/).
const (
	syncWave    = "argocd.argoproj.io/sync-wave"
	syncOptions = "argocd.argoproj.io/sync-options"

	neverDelete   = "Prune=false,Delete=false"
	confirmDelete = "Prune=confirm,Delete=confirm"

	// ignoreGone keeps an Application Synced that has less in Git than in the
	// cluster: without it, a namespace that is kept would hold every wave.
	compareOptions = "argocd.argoproj.io/compare-options"
	ignoreGone     = "IgnoreExtraneous"

	// inCluster is the cluster that Argo CD itself runs in.
	inCluster = "https://kubernetes.default.svc"
)

// keptNamespace is the annotations of namespaces: they hold what no user wants
// to lose, and stay when they are no longer in Git.
var keptNamespace = map[string]string{syncOptions: neverDelete, compareOptions: ignoreGone}

// rootOverlay gives the folder of the root Application's children.
func (w argoWriter) rootOverlay() string { return w.plan.Overlay("") }

// rootProject gives the project of the root Application. A user who may write into
// Argo CD's own namespace is its administrator: so it is a project apart.
func (w argoWriter) rootProject() string { return w.plan.Environment + "-root" }

// entrance gives what Argo CD is pointed at: the projects and the root Application.
func (w argoWriter) entrance() []any {
	root := newApplication(w.plan.Environment)
	root.Namespace = string(w.argo.Namespace)
	root.Spec.Project = w.rootProject()
	root.Spec.Source = w.git(w.rootOverlay())
	root.Spec.Destination = argov1.ApplicationDestination{Server: inCluster, Namespace: string(w.argo.Namespace)}
	root.Spec.SyncPolicy = automated("PruneLast=true")
	root.Spec.SyncPolicy.Retry = w.retry()
	return []any{w.project(), w.projectOfRoot(), root}
}

// root gives the overlay that the root Application syncs: the child Applications.
func (w argoWriter) root() []render.File {
	child := newApplication(w.plan.Environment + "-" + render.Prereqs)
	child.Namespace = string(w.argo.Namespace)
	child.Annotations = map[string]string{syncWave: "0", syncOptions: confirmDelete}
	child.Spec.Project = w.plan.Environment
	child.Spec.Source = w.git(w.plan.Overlay(render.Prereqs))
	child.Spec.Destination = w.destination(w.plan.Namespaces[0].Name)
	child.Spec.SyncPolicy = automated()
	child.Spec.SyncPolicy.Retry = w.retry()
	resources := []string{"prereqs.yaml"}
	for _, release := range w.plan.Releases() {
		resources = append(resources, release.Key)
	}
	return applied(w.place(), overlay(w.rootOverlay(), kustomization{Resources: resources}, fileOf("prereqs.yaml", child)))
}

// place names the Argo CD that the Applications are in. Which one it is no
// environment says: those of one namespace name count as one, since Argo CD
// is often one for many clusters.
func (w argoWriter) place() string { return fmt.Sprintf("Argo CD in namespace %q", w.argo.Namespace) }

// destinationPlace gives the cluster that releases are installed in.
func (w argoWriter) destinationPlace() string {
	switch to := w.argo.Destination; {
	case to.Server == inCluster:
		return w.plan.ClusterPlace()
	case to.Name != "":
		return fmt.Sprintf("cluster %q", to.Name)
	default:
		return "cluster " + string(to.Server)
	}
}

// git gives a folder of the repository that holds the manifests.
func (w argoWriter) git(folder string) *argov1.ApplicationSource {
	git := w.plan.Delivery.Git
	return &argov1.ApplicationSource{RepoURL: string(git.URL), TargetRevision: string(git.Branch), Path: folder}
}

// destination gives a namespace of the cluster that releases are installed in.
func (w argoWriter) destination(namespace string) argov1.ApplicationDestination {
	to := w.argo.Destination
	return argov1.ApplicationDestination{Server: string(to.Server), Name: string(to.Name), Namespace: namespace}
}
