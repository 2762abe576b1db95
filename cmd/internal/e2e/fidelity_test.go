//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// exception is a field that differs between what preview says and what the API
// server has, with its reason in docs/fidelity.md.
type exception struct {
	id   string
	kind string // an expression
	path string // an expression
}

// exceptions is all of them; TestFidelityIsExplained holds the page to it.
var exceptions = []exception{
	{"istiod-ca", `^(Mutating|Validating)WebhookConfiguration$`, `^webhooks\[\d+\]\.clientConfig\.caBundle$`},
	{"istiod-policy", `^ValidatingWebhookConfiguration$`, `^webhooks\[\d+\]\.failurePolicy$`},
	{"secret-values", `^Secret$`, `^data\.`},
}

func excepted(kind, path string) bool {
	return slices.ContainsFunc(exceptions, func(e exception) bool {
		return regexp.MustCompile(e.kind).MatchString(kind) && regexp.MustCompile(e.path).MatchString(path)
	})
}

// previewed is an object that pm-gitops preview prints.
type previewed struct {
	Release string
	CRD     bool
	Hook    *struct{ Events []string }
	Object  map[string]any
}

// vendorReleases is where the environment of every scenario has the vendor's
// releases: namespace and Helm's name.
var vendorReleases = map[string][2]string{"prefect-istiod": {istioNamespace, "istiod"}, "prefect-cloud": {cloudNamespace, "customer-managed"}}

// preview is what pm-gitops says that the delivery system applies, in a format.
func (f *fixture) preview(release, format string) string {
	f.Helper()
	args := []string{"preview", release, "-f", f.env.file, "--target", f.target, "-o", format, "--show-secrets"}
	at := vendorReleases[release]
	if f.target == "flux" && len(f.revisions(at[0], at[1])) > 1 {
		args = append(args, "--is-upgrade")
	}
	return f.run("pm-gitops", args...)
}

// checkPreview is that the cluster has what preview says of the vendor's
// releases, all of it and nothing else, field by field.
func (f *fixture) checkPreview() error {
	f.Helper()
	var said []previewed
	for _, release := range []string{"prefect-istiod", "prefect-cloud"} {
		var own []previewed
		f.check(json.Unmarshal([]byte(f.preview(release, "json")), &own))
		said = append(said, own...)
	}
	if len(said) < 40 {
		f.Fatalf("preview has %d objects, want those of both charts", len(said))
	}
	known := map[string]bool{}
	var wrong []string
	for _, one := range said {
		object := &unstructured.Unstructured{Object: one.Object}
		if object.GetNamespace() == "" {
			object.SetNamespace(vendorReleases[one.Release][0])
		}
		known[identity(object)] = true
		if one.Hook != nil {
			continue // gone again, or another one's
		}
		live := f.get(object.GetAPIVersion()+" "+object.GetKind(), object.GetNamespace(), object.GetName())
		if live == nil {
			wrong = append(wrong, identity(object)+": is not there")
			continue
		}
		if live.GetNamespace() == "" {
			object.SetNamespace("")
			known[identity(object)] = true
		}
		for _, difference := range differences("", object.Object, live.Object) {
			if path, _, _ := strings.Cut(difference, ": "); !excepted(object.GetKind(), path) {
				wrong = append(wrong, identity(object)+": "+difference)
			}
		}
	}
	wrong = append(wrong, f.unsaid(known)...)
	if wrong != nil {
		return fmt.Errorf("what preview said is not what is there:\n%s", strings.Join(wrong, "\n"))
	}
	return f.checkStored(said)
}

func identity(object *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s/%s", object.GetKind(), object.GetNamespace(), object.GetName())
}

// unsaid is the objects of the vendor's releases that preview did not know.
func (f *fixture) unsaid(known map[string]bool) []string {
	live := map[string]bool{}
	for _, e := range f.Journal.Events() {
		name := e.Object.GetLabels()["helm.toolkit.fluxcd.io/name"]
		if at := e.Object.GetLabels()["helm.toolkit.fluxcd.io/namespace"]; name != "" && at != vendorReleases[name][0] {
			continue // another environment's
		}
		if tracked, _, ok := strings.Cut(e.Object.GetAnnotations()["argocd.argoproj.io/tracking-id"], ":"); ok {
			name = strings.TrimPrefix(tracked, f.env.name+"-")
		}
		if name != "prefect-istiod" && name != "prefect-cloud" || e.Object.GetOwnerReferences() != nil {
			continue
		}
		live[identity(e.Object)] = e.Type != watch.Deleted
	}
	var unsaid []string
	for _, name := range slices.Sorted(maps.Keys(live)) {
		if live[name] && !known[name] {
			unsaid = append(unsaid, name+": preview did not say it")
		}
	}
	return unsaid
}

// differences is the places at which an object lacks what is wanted, or has
// something else, as PATH: WHY. Nothing is the same as empty, as the API server
// stores it.
func differences(path string, want, got any) []string {
	switch want := want.(type) {
	case nil:
		return nil
	case map[string]any:
		fields, _ := got.(map[string]any)
		var paths []string
		for _, key := range slices.Sorted(maps.Keys(want)) {
			at := strings.TrimPrefix(path+"."+key, ".")
			paths = append(paths, differences(at, want[key], fields[key])...)
		}
		return paths
	case []any:
		items, _ := got.([]any)
		if len(items) != len(want) {
			return []string{fmt.Sprintf("%s: want %d items, got %d", path, len(want), len(items))}
		}
		var paths []string
		for i := range want {
			paths = append(paths, differences(fmt.Sprintf("%s[%d]", path, i), want[i], items[i])...)
		}
		return paths
	}
	if fmt.Sprint(want) == fmt.Sprint(got) || sameQuantity(want, got) {
		return nil
	}
	return []string{fmt.Sprintf("%s: want %v, got %v", path, want, got)}
}

func sameQuantity(want, got any) bool {
	a, errA := resource.ParseQuantity(fmt.Sprint(want))
	b, errB := resource.ParseQuantity(fmt.Sprint(got))
	return errA == nil && errB == nil && a.Cmp(b) == 0
}
