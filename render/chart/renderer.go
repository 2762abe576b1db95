package chart

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Renderer is what a program that renders charts does in its own way. What
// none of these can know without the cluster is the same for all: `lookup`
// finds nothing, and host names have no address.
type Renderer struct {
	Name string
	// Title is the program's name as people write it.
	Title string
	// AlwaysInstall: every sync is a first install.
	AlwaysInstall bool
	// Verbatim: documents stay as the chart wrote them, in Helm's order. Else
	// they come in the order in which they are applied, with only the hooks
	// that the action runs.
	Verbatim bool
	// KeepsCRDs: definitions of a chart's folder crds stay when the chart no
	// longer has them.
	KeepsCRDs bool
	// DigestInVersion: .Chart.Version has the digest of the chart behind it, or
	// the first characters of [StandInDigest].
	DigestInVersion bool
	// FromCluster: the API versions are those that the cluster serves. Else Helm's
	// own are there too, for it renders without a cluster.
	FromCluster bool
	// KubeForm is how much of the cluster's version charts are told.
	KubeForm KubeForm
	// OriginGroup is the prefix of the labels name and namespace that
	// kustomize gives what the chart makes, but for hooks; empty if nothing
	// goes through kustomize.
	OriginGroup string
	// Helm4: the program is linked with Helm 4, which sends other manifests to
	// kustomize than Helm 3.
	Helm4 bool
	// Syncs is how Argo CD's syncs run hooks; nil where Helm runs them.
	Syncs *Syncs
}

// Helm is `helm template`.
func Helm() Renderer {
	return Renderer{Name: "helm", Title: "Helm", Verbatim: true, KeepsCRDs: true}
}

// Flux is helm-controller as of a release of Flux, such as "2.7": a real
// install or upgrade. It puts the digest behind the version
// (mutateChartWithSourceRevision in
// https://github.com/fluxcd/helm-controller/blob/v1.5.0/internal/controller/helmrelease_controller.go),
// labels the CRDs of folders crds itself (internal/action/crds.go), sends all
// other manifests but hooks through kustomize to label them
// (internal/postrender), and runs tests only where a HelmRelease enables them,
// which ours does not. Hooks stay as they are: Flux 2.4 to 2.7 have Helm 3,
// Flux 2.8 says so to Helm 4 since 2.8.6 (see [Output.Combined] for those before),
// and for 2.9 our HelmReleases say postRenderStrategy: nohooks.
func Flux(version string) Renderer {
	return Renderer{
		Name:            "flux",
		Title:           "Flux",
		KeepsCRDs:       true,
		DigestInVersion: true,
		FromCluster:     true,
		KubeForm:        WholeVersion,
		OriginGroup:     "helm.toolkit.fluxcd.io",
		Helm4:           since(version, 2, 8),
	}
}

// Argo is Argo CD as of a release, such as "2.14": `helm template` on every sync
// (https://github.com/argoproj/argo-cd/blob/v3.1.0/util/helm/cmd.go), whose
// hooks become phases of the sync
// (https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-hooks). The
// annotation or label that Argo CD tracks objects with is not shown.
func Argo(version string) Renderer {
	form := MinorOnly
	if since(version, 3, 4) {
		form = NumbersOnly
	}
	return Renderer{
		Name:          "argo",
		Title:         "Argo CD",
		AlwaysInstall: true,
		KubeForm:      form,
		Syncs:         &Syncs{PreDelete: since(version, 3, 3), Lists: since(version, 3, 4)},
	}
}

// since reports whether a release is a minor release or a later one.
func since(version string, major, minor uint64) bool {
	own, err := semver.NewVersion(version)
	return err == nil && !own.LessThan(semver.New(major, minor, 0, "", ""))
}

// Releases is the releases of the delivery systems, such as "2.7"; empty where
// they are not known.
type Releases struct{ Flux, Argo string }

// Names is the names of all renderers.
func Names() []string { return []string{"helm", "flux", "argo"} }

// ByName returns the renderer of a name, for the release of its delivery system.
func ByName(name string, of Releases) (Renderer, error) {
	for _, renderer := range []Renderer{Helm(), Flux(of.Flux), Argo(of.Argo)} {
		if renderer.Name == name {
			return renderer, nil
		}
	}
	return Renderer{}, fmt.Errorf("unknown way to render charts %q: want %s", name, text.OneOf(Names()))
}

// StandInDigest stands in the place of a digest that is not known: a version
// with some metadata is another than one without, for labels and names.
const StandInDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// version is the version that templates see: with the first twelve characters
// of the digest, in place of what metadata it has.
func (r Renderer) version(version, digest string) string {
	_, sum, ok := strings.Cut(cmp.Or(digest, StandInDigest), ":")
	own, err := semver.NewVersion(version)
	if !r.DigestInVersion || !ok || len(sum) < 12 || err != nil {
		return version
	}
	with, err := own.SetMetadata(sum[:12])
	if err != nil {
		return version
	}
	return with.String()
}
