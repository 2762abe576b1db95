//go:build e2e

package e2e

import (
	"errors"
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
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/world"
)

// definitionsOf is a release of a delivery system, and the folder with its
// CustomResourceDefinitions.
type definitionsOf struct{ system, version, folder string }

// The API server takes what is written for each supported release, with that
// release's own definitions: a dry-run that refuses unknown fields. What only a
// newer release knows is refused.
func TestEveryRelease(t *testing.T) {
	t.Parallel()
	flux, argo := supported(t, "flux"), supported(t, "argo")
	if len(flux) == 0 || len(argo) == 0 {
		t.Skip("the definitions of each release are not in the shared folder")
	}
	f := start(t, "none")
	f.everything()
	newest := f.rendered(flux[len(flux)-1])
	for i := range max(len(flux), len(argo)) { // one of each at a time: nothing of theirs meets
		var round []definitionsOf
		for _, releases := range [][]definitionsOf{flux, argo} {
			if i < len(releases) {
				round = append(round, releases[i])
				f.check(f.Define(f.ctx, releases[i].folder))
			}
		}
		for _, release := range round {
			objects := f.rendered(release)
			f.check(f.DryRun(f.ctx, objects...))
			f.check(f.refused(objects))
			t.Logf("%s %s: %d objects are taken", release.system, release.version, len(objects))
		}
		if i == 0 && f.DryRun(f.ctx, newest...) == nil {
			t.Errorf("Flux %s takes what is written for %s", flux[0].version, flux[len(flux)-1].version)
		}
		f.undefine()
	}
}

// supported is the releases of a system whose definitions are there, the oldest first.
func supported(t *testing.T, system string) []definitionsOf {
	t.Helper()
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = "../../../../shared"
	}
	folders, err := filepath.Glob(filepath.Join(shared, "crds", system+"-*"))
	if err != nil {
		t.Fatal(err)
	}
	var releases []definitionsOf
	for _, folder := range folders {
		releases = append(releases, definitionsOf{system, strings.TrimPrefix(filepath.Base(folder), system+"-"), folder})
	}
	slices.SortFunc(releases, func(a, b definitionsOf) int {
		order, err := version.MustParseGeneric(a.version).Compare(b.version)
		if err != nil {
			t.Fatal(err)
		}
		return order
	})
	return releases
}

// everything makes the environment say all that comes to be a field of its own
// of what Flux and Argo CD are given.
func (f *fixture) everything() {
	f.env.set("spec.registry.pullSecret", "prefect-registry")
	f.env.set("spec.registry.caSecret", "registry-ca")
	protected := f.app("protected", "prefect-cloud")
	protected["protect"] = true
	f.env.set("spec.releases", []any{protected, f.app("other", "protected")})
}

// rendered is everything that reaches the cluster for a release of a delivery
// system, in namespaces that are there.
func (f *fixture) rendered(release definitionsOf) []*unstructured.Unstructured {
	f.Helper()
	into := map[string]string{"flux": "values", "argo": "chart"}
	f.env.set("spec.secrets.into", into[release.system])
	f.env.set("spec.delivery."+release.system+".version", release.version)
	f.write("environments/catalog.yaml", catalog)
	f.write(f.env.file, f.env.text(f))
	objects, err := world.Decode([]byte(f.run("pm-gitops", "render", "-f", f.env.file, "--target", release.system, "--built")))
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
	var errs []error
	for _, object := range objects {
		if slices.Contains(kinds, object.GetKind()) {
			continue
		}
		kinds = append(kinds, object.GetKind())
		wrong := object.DeepCopy()
		errs = append(errs, unstructured.SetNestedField(wrong.Object, "x", "spec", "notAField"))
		if err := f.DryRun(f.ctx, wrong); err == nil || !strings.Contains(err.Error(), "notAField") {
			errs = append(errs, fmt.Errorf("%s with an unknown field is taken: %v", object.GetKind(), err))
		}
	}
	return errors.Join(errs...)
}

// undefine takes the definitions away, and waits until they are gone.
func (f *fixture) undefine() {
	f.Helper()
	definitions := f.Dynamic.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	f.check(definitions.DeleteCollection(f.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	f.until("the definitions are gone", time.Minute, func() bool {
		left, err := definitions.List(f.ctx, metav1.ListOptions{})
		return err == nil && len(left.Items) == 0
	})
}
