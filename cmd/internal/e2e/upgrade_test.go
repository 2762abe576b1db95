//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"
)

// A patch: new server and ui tags change the Deployments that have these
// images, the migration, and nothing else.
func TestPatch(t *testing.T) {
	both(t, func(f *fixture) {
		f.install(nil)
		before := f.Journal.Now()
		f.patch(nil)
		f.check(f.checkPatch(before))
	})
}

func (f *fixture) patch(mistake mutation) {
	f.Helper()
	f.env.versions(oldChart, patchServer, patchUI)
	f.deliverAs("patch", mistake)
	f.awaitUpgrade(patchServer)
}

// awaitUpgrade waits until a server tag is everywhere, and everything is ready.
func (f *fixture) awaitUpgrade(tag string) {
	f.Helper()
	f.until("the server is "+tag, 4*time.Minute, func() bool {
		_, err := f.first(0, withImage(available(cloudNamespace, "server"), tag))
		return err == nil
	})
	f.awaitReady()
}

// checkPatch is that a patch changed what has the images, and once.
func (f *fixture) checkPatch(before uint64) error {
	images := map[string]string{} // of Deployments before: name to image
	for _, e := range f.Journal.Events() {
		if e.Version <= before && of("Deployment", cloudNamespace, "")(e) {
			images[e.Object.GetName()] = imageOf(e.Object)
		}
	}
	var want []string
	for name, image := range images {
		if repository := image[:strings.LastIndex(image, ":")+1]; strings.HasSuffix(repository, "/server:") || strings.HasSuffix(repository, "/ui:") {
			want = append(want, "Deployment "+cloudNamespace+"/"+name)
		}
	}
	slices.Sort(want)
	if got := f.changed(before); !slices.Equal(got, want) {
		return fmt.Errorf("the patch changed %q, want %q", got, want)
	}
	return f.inOrder(before, migrated, withImage(available(cloudNamespace, "server"), patchServer))
}

// changed is the objects of releases whose specification changed after a
// version, sorted: those that the charts made, but for migrations.
func (f *fixture) changed(after uint64) []string {
	specs, changed := map[string]map[string]any{}, map[string]bool{}
	for _, e := range f.Journal.Events() {
		object := e.Object
		release := object.GetLabels()["app.kubernetes.io/managed-by"] == "Helm" || object.GetLabels()["helm.sh/chart"] != ""
		if !release || migrates(object) {
			continue
		}
		name := fmt.Sprintf("%s %s/%s", object.GetKind(), object.GetNamespace(), object.GetName())
		content := maps.Clone(object.Object)
		for _, noise := range []string{"metadata", "status"} {
			delete(content, noise)
		}
		if e.Version > after && (e.Type == watch.Deleted || specs[name] == nil || !equal(specs[name], content)) {
			changed[name] = true
		}
		specs[name] = content
	}
	return slices.Sorted(maps.Keys(changed))
}

func equal(a, b map[string]any) bool {
	return fmt.Sprint(a) == fmt.Sprint(b) // maps are printed in order
}

// Adoption: what was installed by hand with helm, as the vendor's guide does it,
// is taken over: no second installation, and no pod is replaced.
func TestAdoption(t *testing.T) {
	both(t, func(f *fixture) {
		pods := f.installByHand()
		f.deliver()
		f.bootstrap()
		f.awaitReady()
		f.check(f.checkAdoption(pods))
	})
}

// installByHand installs both releases with helm, and gives their pods by UID.
func (f *fixture) installByHand() []string {
	f.Helper()
	f.write("environments/catalog.yaml", catalog)
	f.write(f.env.file, f.env.text(f))
	for _, namespace := range []string{istioNamespace, cloudNamespace} {
		f.check(f.Apply(f.ctx, fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {istio-injection: enabled}}}", namespace)))
	}
	f.keepSecrets(secretValue)
	for _, release := range []struct{ key, name, namespace string }{{"prefect-istiod", "istiod", istioNamespace}, {"prefect-cloud", "customer-managed", cloudNamespace}} {
		values := f.values(release.key)
		f.run("helm", "install", release.name, "oci://"+f.Registry.Host+"/prefect/charts/"+release.key, "--version", oldChart,
			"-n", release.namespace, "-f", values, "--wait", "--timeout", "2m")
	}
	return f.podIDs()
}

// values is a file with the values that pm-gitops hands to a release.
func (f *fixture) values(key string) string {
	f.Helper()
	objects := map[string]any{}
	for _, document := range strings.Split(f.run("pm-gitops", "render", "-f", f.env.file, "--target", f.target, "--built"), "\n---\n") {
		var object struct {
			Kind     string
			Metadata struct{ Name string }
			Spec     struct {
				Values any
				Source struct{ Helm struct{ ValuesObject any } }
			}
		}
		f.check(yaml.Unmarshal([]byte(document), &object))
		switch {
		case object.Kind == "HelmRelease":
			objects[object.Metadata.Name] = object.Spec.Values
		case object.Kind == "Application":
			objects[strings.TrimPrefix(object.Metadata.Name, f.env.name+"-")] = object.Spec.Source.Helm.ValuesObject
		}
	}
	data, err := yaml.Marshal(objects[key])
	f.check(err)
	file := filepath.Join(f.Dir, key+"-values.yaml")
	f.check(os.WriteFile(file, data, 0o600))
	return file
}

// podIDs is the pods of both namespaces that go on for ever, by UID, sorted.
func (f *fixture) podIDs() []string {
	f.Helper()
	var ids []string
	for _, namespace := range []string{istioNamespace, cloudNamespace} {
		for name, pod := range f.pods(namespace) {
			if !migrates(pod) {
				ids = append(ids, name+" "+string(pod.GetUID()))
			}
		}
	}
	slices.Sort(ids)
	return ids
}

func (f *fixture) checkAdoption(pods []string) error {
	if now := f.podIDs(); !slices.Equal(now, pods) {
		return fmt.Errorf("pods after the adoption are %q, want %q", now, pods)
	}
	for release, namespace := range map[string]string{"istiod": istioNamespace, "customer-managed": cloudNamespace} {
		want := []string{"sh.helm.release.v1." + release + ".v1"}
		if f.target == "flux" {
			want = append(want, "sh.helm.release.v1."+release+".v2")
		}
		var got []string
		secrets, err := f.Client.CoreV1().Secrets(namespace).List(f.ctx, metav1.ListOptions{LabelSelector: "owner=helm"})
		if err != nil {
			return err
		}
		for _, secret := range secrets.Items {
			got = append(got, secret.Name)
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("Helm's releases in %s are %q, want %q", namespace, got, want)
		}
	}
	return nil
}

// A line hop, istiod first: while its new pod cannot be scheduled, prefect-cloud
// stays as it was; then each release gets exactly one new revision.
func TestHop(t *testing.T) {
	both(t, func(f *fixture) {
		f.install(nil)
		f.hop(nil)
	})
}

func (f *fixture) hop(mistake mutation) {
	f.Helper()
	before := f.Journal.Now()
	f.check(f.Agent.Cordon(f.ctx, true))
	f.nextLine()
	f.deliverAs("hop", mistake)
	f.until("the new istiod waits for a node", 2*time.Minute, func() bool {
		return f.count(before, condition{"", func(e event) bool {
			return of("Pod", istioNamespace, "")(e) && strings.HasSuffix(imageOf(e.Object), ":1.28.900") && conditionOf(e.Object, "PodScheduled") == "False"
		}}) > 0
	})
	f.held(before)
	f.check(f.Agent.Cordon(f.ctx, false))
	f.awaitUpgrade(newServer)
	f.check(f.checkUpgrade(before, newServer, "1.28.900"))
}

// held waits until the delivery system has looked at the new commit often
// enough to have gone on if it were to: prefect-cloud must be what it was.
func (f *fixture) held(before uint64) {
	f.Helper()
	_, code := f.status()
	if code != notYet {
		f.Fatalf("status while istiod is held: exit code %d, want %d", code, notYet)
	}
	seen := f.looked()
	f.until("the delivery system looks five times", 2*time.Minute, func() bool { return f.looked() >= seen+5 })
	if n := f.count(before, f.cloudChanges()); n > 0 {
		f.Fatalf("prefect-cloud changed %d times while istiod was held", n)
	}
}

// looked is how often the delivery system has looked at the release that waits.
// Flux writes that into its log alone: what is as it was it does not write again.
func (f *fixture) looked() int {
	f.Helper()
	if f.target == "argo" {
		return f.count(0, f.looks())
	}
	log, err := os.ReadFile(filepath.Join(f.Dir, "log/kustomize-controller.log"))
	f.check(err)
	n := 0
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "Dependencies do not meet ready condition") && strings.Contains(line, f.env.name+"-prefect-cloud") {
			n++
		}
	}
	return n
}

// looks is that Argo CD has looked at its Applications.
func (f *fixture) looks() condition {
	return condition{"Argo CD looks at its Applications", of("Application", "argocd", "")}
}

// cloudChanges is a change of what the chart prefect-cloud made.
func (f *fixture) cloudChanges() condition {
	return condition{"prefect-cloud changes", func(e event) bool {
		return of("Job", cloudNamespace, "")(e) && e.Type == watch.Added ||
			of("Deployment", cloudNamespace, "")(e) && e.Object.GetGeneration() > f.generation(e)
	}}
}

// generation is that of an object when it was last seen ready before an event.
func (f *fixture) generation(e event) int64 {
	generation := int64(0)
	for _, earlier := range f.Journal.Events() {
		if earlier.Version >= e.Version {
			break
		}
		if earlier.Object.GetUID() == e.Object.GetUID() {
			generation = earlier.Object.GetGeneration()
		}
	}
	return generation
}

// checkUpgrade is that an upgrade of both releases came in order, and once.
func (f *fixture) checkUpgrade(before uint64, server, istio string) error {
	change := f.cloudChanges()
	if err := f.inOrder(before, withImage(available(istioNamespace, "istiod"), istio), change); err != nil {
		return err
	}
	if err := f.inOrder(before, change, migrated, withImage(available(cloudNamespace, "server"), server)); err != nil {
		return err
	}
	for name, pod := range f.pods(cloudNamespace) {
		if _, err := f.first(before, created("Pod", cloudNamespace, name)); err != nil {
			continue // a pod whose template did not change, as a gateway's, stays as it is
		}
		containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
		for _, container := range containers {
			if c := container.(map[string]any); c["name"] == "istio-proxy" && !strings.HasSuffix(c["image"].(string), ":"+istio) {
				return fmt.Errorf("pod %s has the proxy %s of before", name, c["image"])
			}
		}
	}
	return f.once(before)
}

// once is that each release got exactly one new revision after a version, with
// everything new in it.
func (f *fixture) once(before uint64) error {
	for release, namespace := range map[string]string{"prefect-istiod": istioNamespace, "prefect-cloud": cloudNamespace} {
		var got int
		if f.target == "flux" {
			got = f.count(before, condition{"", func(e event) bool {
				return e.Type == watch.Added && of("Secret", namespace, "")(e) && e.Object.GetLabels()["owner"] == "helm"
			}})
		} else {
			got = f.syncs(before, release)
		}
		if got != 1 {
			return fmt.Errorf("%s has %d new revisions, want 1", release, got)
		}
	}
	return nil
}

// syncs is how many syncs of a release Argo CD finished after a version.
func (f *fixture) syncs(after uint64, release string) int {
	finished := map[string]bool{}
	for _, e := range f.Journal.After(after) {
		if !of("Application", "argocd", f.env.name+"-"+release)(e) {
			continue
		}
		history, _, _ := unstructured.NestedSlice(e.Object.Object, "status", "history")
		for _, one := range history {
			finished[fmt.Sprint(one.(map[string]any)["id"])] = true
		}
	}
	for _, e := range f.Journal.Events() {
		if e.Version > after {
			break
		}
		if of("Application", "argocd", f.env.name+"-"+release)(e) {
			history, _, _ := unstructured.NestedSlice(e.Object.Object, "status", "history")
			for _, one := range history {
				delete(finished, fmt.Sprint(one.(map[string]any)["id"]))
			}
		}
	}
	return len(finished)
}

func (f *fixture) createSecret(name string, data map[string]string) {
	f.Helper()
	text, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name, "namespace": cloudNamespace}, "stringData": data})
	f.check(err)
	f.check(f.Apply(f.ctx, string(text)))
}
