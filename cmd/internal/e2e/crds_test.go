//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/world"
)

// The API server takes what is written for each supported release, with that
// release's own definitions: a dry-run that refuses unknown fields. What only a
// newer release knows is refused.
func TestEveryRelease(t *testing.T) {
	t.Parallel()
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = "../../../../shared"
	}
	releases, err := filepath.Glob(filepath.Join(shared, "crds", "*-[0-9].*"))
	if err != nil || len(releases) == 0 {
		t.Skip("the definitions of each release are not in the shared folder")
	}
	f := start(t, "none")
	definitions := f.Dynamic.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	for _, folder := range releases {
		system, version, _ := strings.Cut(filepath.Base(folder), "-")
		if system != "flux" && system != "argo" {
			continue
		}
		f.check(f.Define(f.ctx, folder))
		objects := f.rendered(system, version)
		f.check(f.DryRun(f.ctx, objects...))
		f.check(f.refused(objects))
		f.check(definitions.DeleteCollection(f.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
		f.until("the definitions are gone", time.Minute, func() bool {
			left, err := definitions.List(f.ctx, metav1.ListOptions{})
			return err == nil && len(left.Items) == 0
		})
		t.Logf("%s %s: %d objects are taken", system, version, len(objects))
	}
}

// rendered is everything that reaches the cluster for a release of a delivery
// system, in namespaces that are there.
func (f *fixture) rendered(system, version string) []*unstructured.Unstructured {
	f.Helper()
	f.env.set("spec.delivery."+system+".version", version)
	f.write("environments/catalog.yaml", catalog)
	f.write(f.env.file, f.env.text(f))
	objects, err := world.Decode([]byte(f.run("pm-gitops", "render", "-f", f.env.file, "--target", system, "--built")))
	f.check(err)
	for _, object := range objects {
		if object.GetKind() == "Namespace" {
			f.check(f.Apply(f.ctx, fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", object.GetName())))
		}
	}
	return objects
}

// refused is that the API server refuses each kind of object with a field that
// it does not know: the check above can fail.
func (f *fixture) refused(objects []*unstructured.Unstructured) error {
	var kinds []string
	for _, object := range objects {
		if slices.Contains(kinds, object.GetKind()) {
			continue
		}
		kinds = append(kinds, object.GetKind())
		wrong := object.DeepCopy()
		f.check(unstructured.SetNestedField(wrong.Object, "x", "spec", "notAField"))
		if err := f.DryRun(f.ctx, wrong); err == nil {
			return fmt.Errorf("%s with an unknown field is taken", object.GetKind())
		}
	}
	return nil
}
