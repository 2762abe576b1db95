package chart

import (
	"cmp"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/pm-gitops/pm-gitops/render/apis"
)

// DefaultKubeVersion is the Kubernetes of a cluster of which nothing is known:
// that of the Kubernetes libraries that Helm is linked with, as in Helm's own
// releases (https://github.com/helm/helm/blob/v3.22.0/Makefile, K8S_MODULES_VER).
// Helm as a library would take 1.20, which no chart of today supports.
const DefaultKubeVersion = "v1.37.0"

// KubeForm is how much of a Kubernetes version charts are told.
type KubeForm string

// The forms.
const (
	// NumbersOnly is v1.33.1 of v1.33.1-gke.1386000: what helm's --kube-version
	// keeps.
	NumbersOnly KubeForm = ""
	// WholeVersion is all of it: an install or upgrade of Helm has the cluster's
	// own words (getCapabilities in
	// https://github.com/helm/helm/blob/v3.22.0/pkg/action/action.go, and the same in
	// v4.2.4). A suffix is a pre-release to Helm's comparisons.
	WholeVersion KubeForm = "whole"
	// MinorOnly is v1.33: what Argo CD asks a cluster for before 3.4
	// (GetServerVersion in gitops-engine's pkg/utils/kube/ctl.go).
	MinorOnly KubeForm = "minor"
)

// KubeVersionError is the error that a chart wants another Kubernetes.
type KubeVersionError struct{ Wanted, Got string }

func (e KubeVersionError) Error() string {
	return fmt.Sprintf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", e.Wanted, e.Got)
}

// Fits reports whether a chart that wants a Kubernetes, a constraint or empty,
// can be installed on a version.
func Fits(wanted, version string) bool {
	return wanted == "" || chartutil.IsCompatibleRange(wanted, version)
}

// fits refuses a cluster that the chart does not want.
func fits(wanted string, caps *chartutil.Capabilities) error {
	if !Fits(wanted, caps.KubeVersion.Version) {
		return KubeVersionError{wanted, caps.KubeVersion.Version}
	}
	return nil
}

// capabilities composes what templates are told of the cluster. Helm's own list
// of API versions is in it wherever Helm renders without a cluster.
func capabilities(in Input) (*chartutil.Capabilities, error) {
	said := cmp.Or(in.KubeVersion, DefaultKubeVersion)
	version, err := chartutil.ParseKubeVersion(said)
	if err != nil {
		return nil, fmt.Errorf("invalid kube version %q: %w", in.KubeVersion, err)
	}
	served := in.APIs
	if served == nil && !in.As.Verbatim {
		served = apis.Kubernetes(apis.Minor(said))
	}
	switch in.As.KubeForm {
	case WholeVersion:
		version.Version = "v" + strings.TrimPrefix(said, "v")
	case MinorOnly:
		version.Version = "v" + version.Major + "." + version.Minor
	}
	caps := &chartutil.Capabilities{KubeVersion: *version, HelmVersion: chartutil.DefaultCapabilities.HelmVersion}
	switch {
	case in.As.FromCluster:
		caps.APIVersions = apis.Names(served)
	case in.As.Syncs != nil:
		caps.APIVersions = append(caps.APIVersions, chartutil.DefaultVersionSet...)
		caps.APIVersions = append(caps.APIVersions, apis.ListedNames(served)...)
	default:
		caps.APIVersions = append(caps.APIVersions, chartutil.DefaultVersionSet...)
		caps.APIVersions = append(caps.APIVersions, apis.Names(served)...)
	}
	caps.APIVersions = append(caps.APIVersions, in.APIVersions...)
	return caps, nil
}
