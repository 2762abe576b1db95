//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// installByHand installs both releases with helm, and gives their pods by UID.
func (f *fixture) installByHand() []string {
	f.Helper()
	f.write("environments/catalog.yaml", catalog)
	f.write(f.env.file, f.env.text(f))
	for _, namespace := range []string{istioNamespace, cloudNamespace} {
		f.check(f.Apply(f.ctx, fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {istio-injection: enabled}}}", namespace)))
	}
	f.keepSecrets()
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
