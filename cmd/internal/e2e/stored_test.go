//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// checkStored compares byte for byte what can be: the manifest that Helm
// stored, and what Argo CD's repo-server made.
func (f *fixture) checkStored(said []previewed) error {
	if f.target == "flux" {
		return f.checkHelm()
	}
	return f.checkGenerated(said)
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

// checkGenerated compares what Argo CD's repo-server made of both releases. It
// makes them anew for every commit: one of its results must be what preview says.
func (f *fixture) checkGenerated(said []previewed) error {
	for release := range vendorReleases {
		want := map[string]string{}
		for _, one := range said {
			if one.Release == release {
				object := &unstructured.Unstructured{Object: one.Object}
				want[identity(object)] = canonical(object)
			}
		}
		results, err := f.ArgoManifests(f.env.name + "-" + release)
		if err != nil {
			return err
		}
		if len(results) == 0 {
			return fmt.Errorf("the repo-server made nothing of %s", release)
		}
		var nearest string
		same := slices.ContainsFunc(results, func(manifests []string) bool {
			var difference string
			difference, err = generated(manifests, want)
			nearest = cmp.Or(difference, nearest)
			return err == nil && difference == ""
		})
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("%s: what the repo-server made is not what preview says: %s", release, nearest)
		}
	}
	return nil
}

// generated is how a result of the repo-server differs from what is wanted. It
// has the chart's tests, too, which Argo CD never applies.
func generated(manifests []string, want map[string]string) (string, error) {
	n := 0
	for _, manifest := range manifests {
		object := &unstructured.Unstructured{}
		if err := json.Unmarshal([]byte(manifest), &object.Object); err != nil {
			return "", err
		}
		if object.GetAnnotations()["helm.sh/hook"] == "test" {
			continue
		}
		n++
		if got := canonical(object); got != want[identity(object)] {
			return fmt.Sprintf("got %s, want %s", got, want[identity(object)]), nil
		}
	}
	if n != len(want) {
		return fmt.Sprintf("%d objects, want %d", n, len(want)), nil
	}
	return "", nil
}

// canonical is an object as JSON without the annotation by which Argo CD knows
// its own.
func canonical(object *unstructured.Unstructured) string {
	object = object.DeepCopy()
	unstructured.RemoveNestedField(object.Object, "metadata", "annotations", "argocd.argoproj.io/tracking-id")
	if len(object.GetAnnotations()) == 0 {
		unstructured.RemoveNestedField(object.Object, "metadata", "annotations")
	}
	data, err := json.Marshal(object.Object)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
