// Package apis says which API versions a cluster serves: those of a release of
// Kubernetes, or those that were recorded from a cluster. Like package render it
// never touches disk, network, clock or environment variables.
package apis

import (
	"cmp"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/client-go/kubernetes/scheme"
)

// API is a version of an API group with its kinds.
type API struct {
	// Version is GROUP/VERSION, or v1.
	Version string `json:"apiVersion" yaml:"apiVersion"`
	// Kinds is sorted, and so is Unlisted: those that cannot be listed and
	// watched, such as reviews and subresources.
	Kinds    []string `json:"kinds,omitempty" yaml:"kinds,omitempty"`
	Unlisted []string `json:"unlisted,omitempty" yaml:"unlisted,omitempty"`
}

// Names gives what templates can ask for: each GROUP/VERSION, and each
// GROUP/VERSION/KIND. Helm counts every kind that discovery names
// (GetVersionSet in
// https://github.com/helm/helm/blob/v3.22.0/pkg/action/action.go).
func Names(all []API) []string { return names(all, true) }

// ListedNames gives the names without those of kinds that cannot be listed and
// watched, which Argo CD does not count (GetAPIResources in
// https://github.com/argoproj/argo-cd/blob/v3.5.1/gitops-engine/pkg/utils/kube/ctl.go).
func ListedNames(all []API) []string { return names(all, false) }

func names(all []API, unlisted bool) []string {
	var names []string
	for _, api := range all {
		kinds := api.Kinds
		if unlisted {
			kinds = slices.Concat(kinds, api.Unlisted)
		}
		if len(kinds) > 0 || unlisted {
			names = append(names, api.Version)
		}
		for _, kind := range kinds {
			names = append(names, path.Join(api.Version, kind))
		}
	}
	return names
}

// Newest is the minor release of Kubernetes 1 whose APIs are known: that of the
// Kubernetes libraries. Of a later one it is not known what it serves.
const Newest = 37

// Minor gives the minor release of a version such as 1.33 or v1.33.1-gke.1386000,
// 0 for what is no version of Kubernetes 1.
func Minor(kubeVersion string) int {
	parsed, err := version.ParseGeneric(kubeVersion)
	if err != nil || parsed.Major() != 1 {
		return 0
	}
	return int(parsed.Minor())
}

// firstOff is the minor release from which on new beta APIs are off unless an
// administrator switches them on
// (https://github.com/kubernetes/enhancements/tree/master/keps/sig-architecture/3136-beta-apis-off-by-default).
const firstOff = 24

// Kubernetes gives what Kubernetes 1.minor serves where an administrator says
// nothing else, sorted by API version; of a release after [Newest] what that one
// does.
func Kubernetes(minor int) []API {
	kinds := map[string]*API{}
	for _, k := range known() {
		if !k.servedBy(min(minor, Newest)) {
			continue
		}
		api := kinds[k.version]
		if api == nil {
			api = &API{Version: k.version}
			kinds[k.version] = api
		}
		if k.listed {
			api.Kinds = append(api.Kinds, k.name)
		} else {
			api.Unlisted = append(api.Unlisted, k.name)
		}
	}
	var all []API
	for _, api := range kinds {
		slices.Sort(api.Kinds)
		slices.Sort(api.Unlisted)
		all = append(all, *api)
	}
	slices.SortFunc(all, func(a, b API) int { return cmp.Compare(a.Version, b.Version) })
	return all
}

// kind is a kind of Kubernetes in a version of its group.
type kind struct {
	version, name string
	listed        bool
	// introduced and removed are minor releases, 0 where that is not known.
	introduced, removed int
}

func (k kind) servedBy(minor int) bool {
	legacy := k.introduced < firstOff || k.version == "flowcontrol.apiserver.k8s.io/v1beta3"
	switch {
	case k.introduced > minor, k.removed > 0 && k.removed <= minor, strings.Contains(k.version, "alpha"):
		return false
	}
	return legacy || !strings.Contains(k.version, "beta")
}

// unserved is the types of stable groups that no API server serves as kinds of
// their own.
var unserved = []string{
	"apiextensions.k8s.io/v1/ConversionReview", "authentication.k8s.io/v1/TokenRequest", "autoscaling/v1/Scale", "policy/v1/Eviction",
	"v1/PodLogOptions", "v1/RangeAllocation", "v1/SerializedReference",
}

// others is what is served and no type of the libraries says: subresources by
// the group that has them, what the aggregation layer serves, and what is gone
// from the libraries with the release that removed it
// (https://kubernetes.io/docs/reference/using-api/deprecation-guide/).
var others = []kind{
	{version: "v1", name: "Eviction"}, {version: "v1", name: "Scale"}, {version: "v1", name: "TokenRequest"}, {version: "apps/v1", name: "Scale"},
	{version: "apiregistration.k8s.io/v1", name: "APIService", listed: true, introduced: 10},
	{version: "apiregistration.k8s.io/v1beta1", name: "APIService", listed: true, removed: 22},
	{version: "apiextensions.k8s.io/v1beta1", name: "CustomResourceDefinition", listed: true, removed: 22},
	{version: "policy/v1beta1", name: "PodSecurityPolicy", listed: true, removed: 25},
}

// known is every kind of the libraries, with what its type says of its life.
var known = sync.OnceValue(func() []kind {
	types := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(types); err != nil {
			panic("the types of Kubernetes: " + err.Error())
		}
	}
	all := slices.Clone(others)
	for gvk, of := range types.AllKnownTypes() {
		k := kind{version: gvk.GroupVersion().String(), name: gvk.Kind}
		object := reflect.New(of).Interface()
		_, stored := object.(metav1.Object)
		_, list := object.(metav1.ListInterface)
		if list && !stored || gvk.Version == runtime.APIVersionInternal || strings.HasPrefix(of.PkgPath(), "k8s.io/apimachinery/") || slices.Contains(unserved, path.Join(k.version, k.name)) {
			continue
		}
		k.listed = types.Recognizes(gvk.GroupVersion().WithKind(gvk.Kind+"List")) && k.name != "ComponentStatus"
		if life, ok := object.(interface{ APILifecycleIntroduced() (int, int) }); ok {
			_, k.introduced = life.APILifecycleIntroduced()
		}
		if life, ok := object.(interface{ APILifecycleRemoved() (int, int) }); ok {
			_, k.removed = life.APILifecycleRemoved()
		}
		all = append(all, k)
	}
	return all
})
