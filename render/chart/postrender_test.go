package chart

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/filters/labels"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// wholeStream does what helm-controller and its Helm do with the plain
// manifests of a release, with kustomize's code and all of them at once: it
// gives the objects in the order in which kustomize has them, or the error.
func wholeStream(plain []Object, helm4 bool, own map[string]string) ([]string, error) {
	var stream string
	if helm4 {
		var nodes []*kyaml.RNode
		plain = slices.Clone(plain)
		slices.SortStableFunc(plain, func(a, b Object) int { return strings.Compare(a.Source, b.Source) })
		for _, o := range plain {
			some, err := kio.ParseAll(string(o.YAML) + "\n")
			if err != nil {
				return nil, err
			}
			for _, node := range some {
				if err := node.PipeE(kyaml.SetAnnotation("postrenderer.helm.sh/postrender-filename", o.Source)); err != nil {
					return nil, err
				}
			}
			nodes = append(nodes, some...)
		}
		var err error
		if stream, err = kio.StringAll(nodes); err != nil {
			return nil, err
		}
	} else {
		for _, o := range plain {
			stream += fmt.Sprintf("---\n# Source: %s\n%s\n", o.Source, o.YAML)
		}
	}
	resources, err := resmap.NewFactory(provider.NewDefaultDepProvider().GetResourceFactory()).NewResMapFromBytes([]byte(stream))
	if err != nil {
		return nil, err
	}
	if err := resources.ApplyFilter(labels.Filter{Labels: own, FsSlice: types.FsSlice{{Path: "metadata/labels", CreateIfNotPresent: true}}}); err != nil {
		return nil, err
	}
	written, err := resources.AsYaml()
	if err != nil {
		return nil, err
	}
	var all []string
	if !helm4 {
		for _, one := range resources.Resources() {
			text, err := one.AsYAML()
			if err != nil {
				return nil, err
			}
			all = append(all, string(text))
		}
		return all, nil
	}
	nodes, err := kio.ParseAll(string(written))
	if err != nil {
		return nil, err
	}
	for _, node := range nodes {
		if err := node.PipeE(kyaml.ClearAnnotation("postrenderer.helm.sh/postrender-filename")); err != nil {
			return nil, err
		}
		text, err := kio.StringAll([]*kyaml.RNode{node})
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

func plainOf(t *testing.T, files map[string]string) []Object {
	t.Helper()
	made, err := documents(files)
	if err != nil {
		t.Fatal(err)
	}
	var plain []Object
	for _, d := range made {
		plain = append(plain, d.object(nil))
	}
	byKind(plain)
	return plain
}

func comparePostRender(t *testing.T, plain []Object, version string) {
	t.Helper()
	in := Input{As: Flux(version), OriginName: "r", OriginNamespace: "n"}
	want, failure := wholeStream(plain, in.As.Helm4, in.originLabels())
	known := map[string]postRendered{}
	for range 2 { // the second time from what is known
		objects, err := newPostRenderer(in, known).run(plain)
		if failure != nil {
			if err == nil || !strings.HasSuffix(err.Error(), failure.Error()) {
				t.Errorf("post-renderer of Flux %s: got %v, want %v", version, err, failure)
			}
			continue
		}
		if err != nil {
			t.Fatalf("post-renderer of Flux %s: %v", version, err)
		}
		var got []string
		for _, o := range objects {
			got = append(got, string(o.YAML)+"\n")
			if tree, err := o.Tree(); err != nil || tree["kind"] != o.Kind {
				t.Errorf("%s %s: %v", o.Kind, o.Name, err)
			}
		}
		if in.As.Helm4 { // Helm sorts by kind once more
			slices.Sort(want)
			slices.Sort(got)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("post-renderer of Flux %s (-kustomize +got):\n%s", version, diff)
		}
	}
}

// TestPostRender compares what is made document by document with what
// kustomize makes of the whole stream.
func TestPostRender(t *testing.T) {
	const a = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	for name, text := range map[string]string{
		"dates and words":             a + "data: {d: 2020-10-24, y: y, n: no, t: yes, o: 010, s: \"1\", f: 1.0, e: 1e3, big: 9007199254740993, nothing: ~}\n",
		"a key twice":                 a + "data: {}\ndata: {}\n",
		"a key twice, deep":           "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  labels:\n    app: a\n    app: b\n",
		"no name":                     "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a}\n",
		"no kind":                     "apiVersion: v1\nmetadata: {name: a}\n",
		"no object":                   a + "---\na: b\n",
		"nothing but a comment":       a + "---\n# no\n",
		"twice":                       a + "---\n" + a,
		"twice, as default":           a + "---\n" + strings.Replace(a, "name: a", "name: a, namespace: default", 1),
		"in two namespaces":           a + "---\n" + strings.Replace(a, "name: a", "name: a, namespace: b", 1),
		"of two kinds":                a + "---\n" + strings.Replace(a, "ConfigMap", "Secret", 1),
		"in no namespace, twice":      "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n",
		"of two versions":             "apiVersion: a.b/v1\nkind: C\nmetadata: {name: a}\n---\napiVersion: a.b/v2\nkind: C\nmetadata: {name: a}\n",
		"a list":                      "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n---\n" + a,
		"a list alone":                "apiVersion: v1\nkind: List\nmetadata: {name: l}\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n",
		"a list of a kind":            "apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: l}\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n---\n" + a,
		"a list with one twice":       "apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: l}\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\n" + a,
		"a list without items":        "apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: l}\n---\n" + a,
		"an empty list":               "apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: l}\nitems: []\n---\n" + a,
		"a list, a key twice":         "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {a: b, a: c}}\n---\n" + a,
		"a key twice in a list alone": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {a: b, a: c}}\n",
		"a resource list":             "apiVersion: v1\nkind: ResourceList\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n- ~\n---\n" + a,
		"an empty item":               "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [~]}\n",
		"an anchor":                   a + "data: {a: &x y, b: *x}\n",
		"a text at the end":           a + "data:\n  t: |\n    x\n    y\n---\n" + strings.Replace(a, "name: a", "name: b", 1) + "data:\n  t: |\n    x\n\n    y\n",
		"an annotation of no text":    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {n: 1, b: true}, labels: {n: 1}}\n",
		"labels that are a list":      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: [b]}\n",
		"Windows":                     strings.ReplaceAll(a+"data: {a: b}\n", "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			plain := plainOf(t, map[string]string{"c/templates/b.yaml": text, "c/templates/a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: z}\n"})
			if strings.HasSuffix(name, "alone") {
				plain = plainOf(t, map[string]string{"c/templates/b.yaml": text})
			}
			for _, version := range []string{"2.7", "2.9"} {
				comparePostRender(t, plain, version)
			}
		})
	}
}

// TestPostRenderPublicCharts does so with public charts.
func TestPostRenderPublicCharts(t *testing.T) {
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	archives, _ := filepath.Glob(filepath.Join(shared, "charts", "*.tgz"))
	if len(archives) == 0 {
		t.Skipf("no public charts in %s (set PM_GITOPS_SHARED to the folder with charts)", shared)
	}
	for _, archive := range archives {
		t.Run(filepath.Base(archive), func(t *testing.T) {
			data, err := os.ReadFile(archive)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Load(data)
			if err != nil {
				t.Fatal(err)
			}
			as := Flux("2.7")
			as.OriginGroup = ""
			out, err := c.Render(context.Background(), Input{As: as, Release: "r", Namespace: "n"})
			if err != nil {
				t.Fatal(err)
			}
			plain := slices.DeleteFunc(out.Objects, func(o Object) bool { return o.Hook != nil || o.CRD })
			for _, version := range []string{"2.7", "2.9"} {
				comparePostRender(t, plain, version)
			}
		})
	}
}

// TestPostRenderedOnly: hooks stay as they are, definitions of a folder crds are
// labelled, and what Flux refuses is an error that says so.
func TestPostRenderedOnly(t *testing.T) {
	files := map[string]string{
		"Chart.yaml":          "apiVersion: v2\nname: c\nversion: 1.0.0\n",
		"crds/d.yaml":         "kind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\nmetadata: {name: d}\nspec: {a: y}\n",
		"templates/hook.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {helm.sh/hook: pre-install}}\ndata: {d: 2020-10-24, d: y}\n",
		"templates/a.yaml":    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {d: 2020-10-24}\n",
	}
	render := func(as Renderer) (Output, error) {
		read := map[string][]byte{}
		for name, text := range files {
			read[name] = []byte(text)
		}
		c, err := FromFiles(read)
		if err != nil {
			t.Fatal(err)
		}
		return c.Render(context.Background(), Input{As: as, Release: "r", Namespace: "n", OriginName: "r", OriginNamespace: "n"})
	}
	const labels = "  labels:\n    helm.toolkit.fluxcd.io/name: r\n    helm.toolkit.fluxcd.io/namespace: \"n\"\n"
	want := []string{
		"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n" + labels + "  name: d\nspec:\n  a: true",
		strings.TrimSpace(files["templates/hook.yaml"]),
		"apiVersion: v1\ndata:\n  d: \"2020-10-24T00:00:00Z\"\nkind: ConfigMap\nmetadata:\n" + labels + "  name: a",
	}
	for _, version := range []string{"2.4", "2.7", "2.8", "2.9"} {
		out, err := render(Flux(version))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range out.Objects {
			got = append(got, string(o.YAML))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Flux %s (-want +got):\n%s", version, diff)
		}
		if err := out.Combined(Input{As: Flux(version), OriginName: "r"}); err == nil || !strings.Contains(err.Error(), `mapping key "d" already defined`) && !strings.Contains(err.Error(), "already registered id: ConfigMap.v1.[noGrp]/a.[noNs]") {
			t.Errorf("combined with hooks: got %v", err)
		}
	}
	files["templates/b.yaml"] = files["templates/a.yaml"]
	_, err := render(Flux("2.9"))
	var refused RefusedError
	const text = "error while running post render on manifests: may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]"
	if !errors.As(err, &refused) || refused != (RefusedError{"Flux", text}) {
		t.Errorf("two objects of a name: got %v, want %s", err, text)
	}
	for _, as := range []Renderer{Helm(), Argo("2.14")} {
		if _, err := render(as); err != nil {
			t.Errorf("%s: %v", as.Name, err)
		}
	}
}

// TestPostRenderOrder: Helm 3 applies the items of lists last, Helm 4 sorts them
// by kind among the other objects.
func TestPostRenderOrder(t *testing.T) {
	plain := plainOf(t, map[string]string{
		"c/templates/a.yaml": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: n}}\n",
		"c/templates/b.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
	})
	for version, want := range map[string]string{"2.7": "c s n", "2.8": "n c s", "2.9": "n c s"} {
		objects, err := newPostRenderer(Input{As: Flux(version), OriginName: "r"}, nil).run(plain)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range objects {
			got = append(got, o.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("order with Flux %s: got %v, want %s", version, got, want)
		}
	}
}
