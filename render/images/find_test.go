package images_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/images"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// object is an object of a chart with this YAML.
func object(t testing.TB, text string) chart.Object {
	t.Helper()
	var head struct {
		APIVersion string
		Kind       string
		Metadata   struct{ Name, Namespace string }
	}
	if err := yaml.Unmarshal([]byte(text), &head); err != nil {
		t.Fatal(err)
	}
	return chart.Object{Source: "a/templates/b.yaml", APIVersion: head.APIVersion, Kind: head.Kind, Name: head.Metadata.Name, Namespace: head.Metadata.Namespace, YAML: []byte(text)}
}

func find(t testing.TB, objects ...chart.Object) images.Result {
	t.Helper()
	result, err := images.Find(objects)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// lines is what was found, a line each.
func lines(found []images.Image) []string {
	lines := []string{}
	for _, image := range found {
		name := image.Reference.String()
		if image.Problem != "" {
			name = "problem " + image.Written
		}
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", image.Sure, image.How, name, image.Path))
	}
	return lines
}

// TestPods: every kind that makes pods, and every place in a pod.
func TestPods(t *testing.T) {
	const pod = "{containers: [{name: a, image: a:1}]}"
	for _, test := range []struct{ head, want string }{
		{"{apiVersion: v1, kind: Pod, spec: %s}", "certain spec"},
		{"{apiVersion: v1, kind: PodTemplate, template: {spec: %s}}", "certain template.spec"},
		{"{apiVersion: v1, kind: ReplicationController, spec: {template: {spec: %s}}}", "certain spec.template.spec"},
		{"{apiVersion: apps/v1, kind: Deployment, spec: {template: {spec: %s}}}", "certain spec.template.spec"},
		{"{apiVersion: apps/v1, kind: DaemonSet, spec: {template: {spec: %s}}}", "certain spec.template.spec"},
		{"{apiVersion: apps/v1, kind: StatefulSet, spec: {template: {spec: %s}}}", "certain spec.template.spec"},
		{"{apiVersion: apps/v1, kind: ReplicaSet, spec: {template: {spec: %s}}}", "certain spec.template.spec"},
		{"{apiVersion: batch/v1, kind: Job, spec: {template: {spec: %s}}}", "certain spec.template.spec"},
		{"{apiVersion: batch/v1, kind: CronJob, spec: {jobTemplate: {spec: {template: {spec: %s}}}}}", "certain spec.jobTemplate.spec.template.spec"},
		{"{apiVersion: v1, kind: List, items: [{}, {apiVersion: v1, kind: Pod, spec: %s}]}", "certain items[1].spec"},
		{"{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: PodList, items: [{apiVersion: v1, kind: Pod, spec: %s}]}]}", "certain items[0].items[0].spec"},
		{"{apiVersion: apps.kruise.io/v1, kind: CloneSet, spec: {template: {spec: %s}}}", "likely spec.template.spec"},
		{"{apiVersion: argoproj.io/v1, kind: Workflow, spec: {steps: [{pod: %s}]}}", "likely spec.steps[0].pod"},
		{"{apiVersion: apps/v1, kind: Deployment, spec: {elsewhere: %s}}", "likely spec.elsewhere"},
	} {
		sure, path, _ := strings.Cut(test.want, " ")
		got := lines(find(t, object(t, fmt.Sprintf(test.head, pod))).Images)
		if want := []string{sure + " container docker.io/library/a:1: " + path + ".containers[0].image"}; !cmp.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", test.head, got, want)
		}
	}
}

// TestItems: what is in a list is an object of its own.
func TestItems(t *testing.T) {
	got := find(t, object(t, "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}, spec: {containers: [{image: c:1}]}}]}")).Images
	want := images.Object{Source: "a/templates/b.yaml", APIVersion: "v1", Kind: "Pod", Namespace: "b", Name: "a"}
	if len(got) != 1 || got[0].Object != want {
		t.Errorf("got %+v, want one image of %+v", got, want)
	}
}

const everywhere = `
apiVersion: v1
kind: Pod
spec:
  initContainers: [{name: i, image: i:1}]
  containers:
  - {name: a, image: "a:1", env: [{name: X, value: y}]}
  - {name: proxy, image: auto}
  - {name: none}
  - {name: bad, image: "Not An Image"}
  ephemeralContainers: [{name: e, image: e:1}]
  volumes: [{name: v, image: {reference: "v:1", pullPolicy: Always}}, {name: w, emptyDir: {}}]
`

func TestPlacesInPods(t *testing.T) {
	want := []string{
		"certain container problem Not An Image: spec.containers[3].image",
		"certain container docker.io/library/a:1: spec.containers[0].image",
		"certain ephemeralContainer docker.io/library/e:1: spec.ephemeralContainers[0].image",
		"certain initContainer docker.io/library/i:1: spec.initContainers[0].image",
		"certain imageVolume docker.io/library/v:1: spec.volumes[0].image.reference",
	}
	found := find(t, object(t, everywhere), object(t, everywhere)).Images // a hook that runs twice
	if diff := cmp.Diff(want, lines(found)); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	for _, image := range found {
		if image.Hidden() {
			t.Errorf("%s is hidden, want it to be a pod's", image.Path)
		}
	}
}

// TestHidden: images that no pod names, and what is none. Each case is a field
// of a custom resource.
func TestHidden(t *testing.T) {
	for field, want := range map[string]string{
		// A key says so.
		`image: a:1`:                                    "likely field docker.io/library/a:1: spec.image",
		`image: a.b/c`:                                  "likely field a.b/c: spec.image",
		`proxyImage: a/b:1`:                             "likely field docker.io/a/b:1: spec.proxyImage",
		`x/proxyImage: a/b:1`:                           `likely field docker.io/a/b:1: spec["x/proxyImage"]`,
		`RELATED_IMAGE_A: a/b:1`:                        "likely field docker.io/a/b:1: spec.RELATED_IMAGE_A",
		`images: [a.b/c, d:1]`:                          "likely field a.b/c: spec.images[0]\nlikely field docker.io/library/d:1: spec.images[1]",
		`images: {a: "a.b/c:1"}`:                        "likely field a.b/c:1: spec.images.a",
		`image: a@` + digest:                            "likely field docker.io/library/a@" + digest + ": spec.image",
		`image: {repository: a.b/c, tag: "1"}`:          "likely field a.b/c:1: spec.image",
		`image: {repository: a/c, tag: "1"}`:            "likely field docker.io/a/c:1: spec.image",
		`x: {repository: a.b/c, tag: "1"}`:              "likely field a.b/c:1: spec.x",
		`x: {registry: a.b, repository: c/d, tag: "1"}`: "likely field a.b/c/d:1: spec.x",
		`x: {registry: a.b/, repository: c, digest: "` + digest + `"}`: "likely field a.b/c@" + digest + ": spec.x",
		`x: {hub: a.b/c, image: d, tag: "1"}`:                          "likely field a.b/c/d:1: spec.x",
		`x: {hub: a.b/c, image: d, tag: "1", variant: debug}`:          "likely field a.b/c/d:1-debug: spec.x",
		`x: {image: a.b/c, tag: "1"}`:                                  "likely field a.b/c:1: spec.x",
		`x: {image: "a.b/c:1", tag: "2"}`:                              "likely field a.b/c:1: spec.x.image",

		// A key says so, of something else or of a part.
		`image: proxyv2`:                           "",
		`image: auto`:                              "",
		`image: ""`:                                "",
		`imagePullPolicy: IfNotPresent`:            "",
		`imagePullSecrets: [{name: a}]`:            "",
		`imageRegistry: docker.io/istio`:           "",
		`imageRepository: ghcr.io/a/b`:             "",
		`imageTag: "1.2.3"`:                        "",
		`image: https://a.b/c:1`:                   "",
		`image: /var/lib/a:1`:                      "",
		`logoImage: a.b/logo.png`:                  "",
		`image: "{{ .Values.image }}:1"`:           "",
		`image: {name: a, tag: 1}`:                 "",
		`image: {repository: a, tag: ""}`:          "",
		`x: {repository: a/c, tag: "1"}`:           "", // as sources of other things are named
		`x: {repository: https://a.b/c, tag: "1"}`: "",

		// Only the form says so.
		`x: a.b/c:v1`:                      "possible field a.b/c:v1: spec.x",
		`x: a.b:5000/c@` + digest:          "possible field a.b:5000/c@" + digest + ": spec.x",
		`x: a.b/c:8080`:                    "",
		`x: a.b/c`:                         "",
		`x: a/c:v1`:                        "",
		`x: a:1`:                           "",
		`x: a.b:8080`:                      "",
		`x: istiod.istio-system.svc:15012`: "",
		`x: https://a.b/c:v1`:              "",
		`x: oci://a.b/c:v1`:                "",
		`x: ./a.b/c:v1`:                    "",
		`x: /a.b/c:v1`:                     "",
		`x: user@a.b/c:v1`:                 "",
		`x: see a.b/c:v1`:                  "",
		`x: "12:30"`:                       "",
		`x: a.b/C:v1`:                      "",
		`x: networking.istio.io/v1`:        "",
		`x: 1.2.3.4/24`:                    "",

		// Documents and scripts.
		`x: "image: a:1\n"`:                                               "likely text docker.io/library/a:1: spec.x: image",
		`x: "{\"image\": \"a:1\"}"`:                                       "likely text docker.io/library/a:1: spec.x: image",
		`x: "y: 1\n---\nimage: a:1\n"`:                                    "likely text docker.io/library/a:1: spec.x: [1].image",
		`x: "w: |\n  image: a:1\n  z: 1\n"`:                               "likely text docker.io/library/a:1: spec.x: w: image",
		`x: "containers:\n- name: a\n  image: a\n"`:                       "likely text docker.io/library/a: spec.x: containers[0].image",
		`x: "containers:\n- image: '{{ .A }}'\n"`:                         "",
		`x: "{{ if .A }}\nimage: \"a:1\"\n{{ end }}\n"`:                   "likely text docker.io/library/a:1: spec.x: line 2",
		`x: "#!/bin/sh\nrun --image=a.b/c:1 --name=x\n"`:                  "likely text a.b/c:1: spec.x: line 2",
		`x: "#!/bin/sh\nIMAGE=a.b/c:1 run\n"`:                             "likely text a.b/c:1: spec.x: line 2",
		`x: "The image: it is like a.b/c:1, see\nhttps://a.b/image: x\n"`: "",
		`x: "{{ if .A }}\nimage: {{ .B }}:1\nimage: auto\n{{ end }}"`:     "",
	} {
		got := strings.Join(lines(find(t, object(t, "{apiVersion: a.b/v1, kind: Thing, spec: {"+field+"}}")).Images), "\n")
		if got != want {
			t.Errorf("%s:\n got %q\nwant %q", field, got, want)
		}
	}
}

// TestWords: what a container is told.
func TestWords(t *testing.T) {
	for field, want := range map[string]string{
		`env: [{name: RELATED_IMAGE_A, value: "b:1"}]`:                                         "likely variable docker.io/library/b:1: env[0].value",
		`env: [{name: A}, {name: A_IMAGE, value: "a.b/c"}]`:                                    "likely variable a.b/c: env[1].value",
		`env: [{name: X, value: "a.b/c:v1"}]`:                                                  "possible variable a.b/c:v1: env[0].value",
		`env: [{name: X, value: "image: b:1\n"}]`:                                              "likely text docker.io/library/b:1: env[0].value: image",
		`env: [{name: X, value: "b:1"}]`:                                                       "",
		`env: [{name: A_IMAGE, value: auto}]`:                                                  "",
		`env: [{name: A_IMAGE, valueFrom: {configMapKeyRef: {name: image, key: "a.b/c:v1"}}}]`: "",
		`args: ["--image=b:1"]`:                                                                "likely argument docker.io/library/b:1: args[0]",
		`args: [--image, "b:1"]`:                                                               "likely argument docker.io/library/b:1: args[1]",
		`args: [image, "b:1"]`:                                                                 "",
		`args: [--name, "b:1"]`:                                                                "",
		`args: [--prometheus-config-reloader=a.b/c:v1]`:                                        "possible argument a.b/c:v1: args[0]",
		`args: ["--listen=:8080", "--address=a.b:8080", "a.b/c:8080", "--image-gc=80"]`:        "",
		`command: [sh, -c, "run --image=b:1\nexit"]`:                                           "likely text docker.io/library/b:1: command[2]: line 1",
	} {
		const before = "certain container docker.io/library/a:1: spec.containers[0].image"
		got := lines(find(t, object(t, "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: a:1, "+field+"}]}}")).Images)
		hidden := ""
		for _, line := range got {
			if line != before {
				hidden = strings.Replace(line, "spec.containers[0].", "", 1)
			}
		}
		if hidden != want || len(got) > 2 {
			t.Errorf("%s:\n got %q\nwant %q", field, got, want)
		}
	}
}

// TestNotLookedAt: what holds examples, what is a note, and what holds secrets.
func TestNotLookedAt(t *testing.T) {
	for _, text := range []string{
		`{apiVersion: v1, kind: Secret, stringData: {image: "a.b/c:1"}}`,
		`{apiVersion: v1, kind: SecretList, items: [{apiVersion: v1, kind: Secret, stringData: {image: "a.b/c:1"}}]}`,
		`{apiVersion: v1, kind: secret, stringData: {image: "a.b/c:1"}}`,
		`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {example: {image: "a.b/c:1"}}}`,
		`{apiVersion: v1, kind: ConfigMap, data: {original-values: "{}", merged-values: "{\"hub\": \"a.b\", \"image\": \"c\", \"tag\": \"1\"}"}}`,
		`{apiVersion: a.b/v1, kind: Thing, status: {image: "a.b/c:1"}}`,
	} {
		if got := find(t, object(t, text)).Images; len(got) > 0 {
			t.Errorf("%s: got %v, want nothing", text, lines(got))
		}
	}
}
