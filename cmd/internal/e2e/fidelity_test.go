//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// checkStored compares byte for byte what can be: the manifest that Helm
// stored, and what Argo CD's repo-server made, which is in the annotation that
// it applies with.
func (f *fixture) checkStored(said []previewed) error {
	if f.target == "flux" {
		return f.checkHelm()
	}
	return f.checkApplied(said)
}

// checkHelm compares the manifest of the newest revision of both releases.
func (f *fixture) checkHelm() error {
	for key, release := range vendorReleases {
		revisions := f.revisions(release[0], release[1])
		if len(revisions) == 0 {
			return fmt.Errorf("Helm knows no release %s", release[1])
		}
		manifest, err := f.stored(release[0], revisions[len(revisions)-1])
		if err != nil {
			return err
		}
		want, got := documents(f.preview(key, "yaml")), documents(manifest)
		for i, document := range got {
			if i >= len(want) || document != want[i] {
				return fmt.Errorf("%s: document %d that Helm stored is not what preview said:\n%s\nwant:\n%s", key, i, document, strings.Join(want[min(i, len(want)):min(i+1, len(want))], ""))
			}
		}
		if len(want) != len(got) {
			return fmt.Errorf("%s: Helm stored %d documents, preview said %d", key, len(got), len(want))
		}
	}
	return nil
}

// stored is the manifest in a Secret of Helm's.
func (f *fixture) stored(namespace, name string) (string, error) {
	secret, err := f.Client.CoreV1().Secrets(namespace).Get(f.ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	packed, err := base64.StdEncoding.DecodeString(string(secret.Data["release"]))
	if err != nil {
		return "", err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(unpacked)
	if err != nil {
		return "", err
	}
	var release struct{ Manifest string }
	err = json.Unmarshal(data, &release)
	return release.Manifest, err
}

// documents is the YAML documents of a stream that are no hooks and not from a
// Secret's values, without comments.
func documents(stream string) []string {
	var all []string
	for _, document := range strings.Split("\n"+stream, "\n---") {
		lines := slices.DeleteFunc(strings.Split(document, "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
		text := strings.TrimSpace(strings.Join(lines, "\n"))
		if text != "" && !strings.Contains(text, "helm.sh/hook:") && !strings.Contains(text, "\nkind: Secret\n") {
			all = append(all, text)
		}
	}
	return all
}

// checkApplied compares what Argo CD applied: the last configuration of every
// object, without the annotation by which it knows its own.
func (f *fixture) checkApplied(said []previewed) error {
	const applied, tracking = "kubectl.kubernetes.io/last-applied-configuration", "argocd.argoproj.io/tracking-id"
	n := 0
	for _, one := range said {
		object := &unstructured.Unstructured{Object: one.Object}
		if one.Hook != nil || object.GetKind() == "Secret" {
			continue
		}
		live := f.get(object.GetAPIVersion()+" "+object.GetKind(), object.GetNamespace(), object.GetName())
		text := live.GetAnnotations()[applied]
		if text == "" {
			continue // applied server-side, or too large
		}
		n++
		last := &unstructured.Unstructured{}
		if err := json.Unmarshal([]byte(text), &last.Object); err != nil {
			return err
		}
		annotations := last.GetAnnotations()
		delete(annotations, tracking)
		last.SetAnnotations(annotations)
		if want := object.GetAnnotations(); len(want) == 0 {
			object.SetAnnotations(nil)
			if len(annotations) == 0 {
				last.SetAnnotations(nil)
			}
		}
		var want map[string]any
		data, err := json.Marshal(object.Object)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &want); err != nil {
			return err
		}
		if !reflect.DeepEqual(last.Object, want) {
			return fmt.Errorf("%s: Argo CD applied\n%v\nwant\n%v", identity(object), last.Object, want)
		}
	}
	if n < 15 {
		return fmt.Errorf("%d objects say what Argo CD applied, want most", n)
	}
	return nil
}
