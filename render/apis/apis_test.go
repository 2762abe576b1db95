package apis_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pm-gitops/pm-gitops/render/apis"
)

// TestKubernetes compares the lists with what API servers serve: files made of
// the discovery documents in Kubernetes' own repository.
func TestKubernetes(t *testing.T) {
	for version, minor := range map[string]int{"1.31.0": 31, "1.33.4": 33, "1.35.4": 35} {
		data, err := os.ReadFile("testdata/kubernetes-" + version + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		served, err := apis.Parse("kubernetes-"+version+".yaml", data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(served.APIs, apis.Kubernetes(minor)); diff != "" {
			t.Errorf("Kubernetes %s (-API server +list):\n%s", version, diff)
		}
	}
}

// TestLives: what a release no longer serves, does not serve yet, or has off
// (https://kubernetes.io/docs/reference/using-api/deprecation-guide/).
func TestLives(t *testing.T) {
	for name, test := range map[string]struct{ from, to int }{ // to: the first that does not serve it, 0 for none
		"policy/v1beta1/PodDisruptionBudget":                                {10, 25},
		"policy/v1beta1/PodSecurityPolicy":                                  {10, 25},
		"policy/v1/PodDisruptionBudget":                                     {21, 0},
		"batch/v1beta1/CronJob":                                             {8, 25},
		"networking.k8s.io/v1/Ingress":                                      {19, 0},
		"extensions/v1beta1/Ingress":                                        {10, 22},
		"apiextensions.k8s.io/v1beta1/CustomResourceDefinition":             {10, 22},
		"flowcontrol.apiserver.k8s.io/v1beta3/FlowSchema":                   {26, 32},
		"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy":         {30, 0},
		"admissionregistration.k8s.io/v1beta1/MutatingWebhookConfiguration": {10, 22},
		"autoscaling/v2/HorizontalPodAutoscaler":                            {23, 0},
		"storage.k8s.io/v1alpha1/VolumeAttachment":                          {99, 0},
		"resource.k8s.io/v1beta1/ResourceClaim":                             {99, 0},
	} {
		for minor := 18; minor <= apis.Newest+3; minor++ {
			want := minor >= test.from && (test.to == 0 || minor < test.to)
			if got := slices.Contains(apis.Names(apis.Kubernetes(minor)), name); got != want {
				t.Errorf("Kubernetes 1.%d serves %s: %v, want %v", minor, name, got, want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	all := []apis.API{{Version: "authentication.k8s.io/v1", Unlisted: []string{"TokenReview"}}, {Version: "v1", Kinds: []string{"Pod"}, Unlisted: []string{"Binding"}}}
	if diff := cmp.Diff([]string{"authentication.k8s.io/v1", "authentication.k8s.io/v1/TokenReview", "v1", "v1/Pod", "v1/Binding"}, apis.Names(all)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"v1", "v1/Pod"}, apis.ListedNames(all)); diff != "" {
		t.Error(diff)
	}
}

func TestRecorded(t *testing.T) {
	want := apis.NewRecorded("v1.33.1-gke.1386000", apis.Kubernetes(33))
	data, err := want.YAML()
	if err != nil {
		t.Fatal(err)
	}
	got, err := apis.Parse("c.yaml", data)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-written +read):\n%s", err, diff)
	}
}

// TestParseProblems: every problem of a file at once, each with its place.
func TestParseProblems(t *testing.T) {
	const head = "apiVersion: pm-gitops/v1\nkind: Capabilities\nkubeVersion: v1.33.1\n"
	for text, want := range map[string]string{
		"apiVersion: pm-gitops/v1\nkind: Catalog\n": `f:2:7: kind: want Capabilities, got "Catalog"`,
		"apiVersion: v2\nkind: Capabilities\nkubeVersion: new\napis: []\n": "f:1:1: apiVersion: want pm-gitops/v1, got \"v2\"\nf:3:1: kubeVersion: want a Kubernetes version such as v1.33.4, got \"new\"\n" +
			"f:4:1: apis: want the API versions of the cluster: record them with `pm-gitops capabilities`",
		head: "f:1:1: apis: the field is missing",
		head + "apis:\n- apiVersion: Apps\n- {apiVersion: v1, kinds: [Pod, 1d], other: 1}\n- apiVersion: v1\n": "f:5:3: apis[0].apiVersion: want GROUP/VERSION such as apps/v1, or v1, got \"Apps\"\n" +
			"f:6:33: apis[1].kinds[1]: want a kind such as Deployment, got \"1d\"\nf:6:38: apis[1].other: unknown field: want apiVersion, kinds or unlisted\nf:7:3: apis[2].apiVersion: v1 is defined twice",
	} {
		_, err := apis.Parse("f", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("apiVersion: pm-gitops/v1\nkind: Capabilities\nkubeVersion: v1.33.1\napis:\n- {apiVersion: v1, kinds: [Pod]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := apis.Parse("f", data)
		if err != nil {
			return
		}
		written, err := read.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := apis.Parse("f", written)
		if diff := cmp.Diff(read, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%v (-read +again):\n%s", err, diff)
		}
	})
}
