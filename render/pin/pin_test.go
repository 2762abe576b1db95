package pin_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/pin"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// found finds the pins of a chart's images: path and image, one a line.
func found(t *testing.T, files map[string][]byte, values map[string]any) string {
	t.Helper()
	own, err := chart.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := own.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	render := func(values map[string]any) ([]chart.Object, error) {
		out, err := own.Render(context.Background(), chart.Input{As: chart.Helm(), Release: "r", Namespace: "n", Values: values, KubeVersion: "1.33"})
		return out.Objects, err
	}
	objects, err := render(values)
	if err != nil {
		t.Fatal(err)
	}
	all, err := images.Find(objects)
	if err != nil {
		t.Fatal(err)
	}
	pins, err := pin.Find(pin.Release{Key: "r", Defaults: defaults, Values: values, Images: all.Images, Render: render})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for image, some := range pins {
		for _, one := range some {
			if one.Release != "r" {
				t.Errorf("the release of %v is not r", one)
			}
			line := image + " " + one.Path()
			if one.Tag != "" {
				line += "@"
			}
			lines = append(lines, line)
			proves(t, own, values, image, one)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// proves renders with one pin, and wants the image with the digest.
func proves(t *testing.T, own chart.Chart, values map[string]any, image string, one lock.Pin) {
	t.Helper()
	digest := "sha256:" + strings.Repeat("4", 64)
	with, fits := one.In(values, image[strings.LastIndex(image, ":")+1:], digest)
	out, err := own.Render(context.Background(), chart.Input{As: chart.Helm(), Release: "r", Namespace: "n", Values: with, KubeVersion: "1.33"})
	if err != nil || !fits {
		t.Fatalf("with %v: %v", one, err)
	}
	all, err := images.Find(out.Objects)
	if err != nil {
		t.Fatal(err)
	}
	pinned := slices.ContainsFunc(all.Images, func(i images.Image) bool {
		return i.Reference.Digest == digest && strings.HasPrefix(image, i.Reference.Name()+":")
	})
	if !pinned {
		t.Errorf("with %v nothing is pulled as %s@%s", one, image, digest)
	}
}

// app is a chart with a template and values.
func app(template, values string) map[string][]byte {
	return map[string][]byte{
		"Chart.yaml": []byte("apiVersion: v2\nname: app\nversion: 1.0.0\n"), "values.yaml": []byte(values),
		"templates/all.yaml": []byte(template),
	}
}

func pod(name, image, more string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + more + "}\nspec: {containers: [{name: a, image: \"" + image + "\"}]}\n---\n"
}

func TestFind(t *testing.T) {
	const whole = "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
	const values = "image: {repository: r.b.c/a, tag: '1.0'}\n"
	digest := "{{ with .Values.image.digest }}@{{ . }}{{ end }}"
	for _, test := range []struct {
		name, template, values string
		over                   map[string]any
		want                   string
	}{
		{"a tag", pod("a", whole, ""), values, nil, "r.b.c/a:1.0 image.tag@"},
		{"a digest beside the tag", pod("a", whole+digest, ""), "image: {repository: r.b.c/a, tag: '1.0', digest: ''}\n", nil, "r.b.c/a:1.0 image.digest"},
		{"a digest in place of the tag", pod("a", "{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag }}{{ end }}", ""), "image: {repository: r.b.c/a, tag: '1.0', digest: ''}\n", nil, "r.b.c/a:1.0 image.digest"},
		{"a digest that nothing reads", pod("a", whole, ""), "image: {repository: r.b.c/a, tag: '1.0', digest: ''}\n", nil, "r.b.c/a:1.0 image.tag@"},
		{"the environment's tag", pod("a", whole, ""), values, map[string]any{"image": map[string]any{"tag": "2.0"}}, "r.b.c/a:2.0 image.tag@"},
		{"the version of the chart", pod("a", "r.b.c/a:{{ default .Chart.Version .Values.image.tag }}"+digest, ""), "image: {tag: '', digest: ''}\n", nil, "r.b.c/a:1.0.0 image.digest"},
		{"Docker Hub's short names", pod("a", whole, ""), "image: {repository: postgres, tag: '17'}\n", nil, "docker.io/library/postgres:17 image.tag@"},
		{"a checksum", pod("a", whole, ", annotations: {checksum/config: {{ toYaml .Values | sha256sum }}}"), values, nil, "r.b.c/a:1.0 image.tag@"},
		{"what is random", pod("a", whole, ", annotations: {a: {{ randAlphaNum 12 | quote }}}"), values, nil, "r.b.c/a:1.0 image.tag@"},
		{"two places", pod("a", whole, "") + pod("b", "r.b.c/a:{{ .Values.b.tag }}", ""), values + "b: {tag: '1.0'}\n", nil, "r.b.c/a:1.0 b.tag@\nr.b.c/a:1.0 image.tag@"},
		{"a label of the tag", pod("a", whole, ", labels: {version: {{ .Values.image.tag | quote }}}"), values, nil, ""},
		{"a tag of two images", pod("a", whole, "") + pod("b", "r.b.c/b:{{ .Values.image.tag }}", ""), values, nil, ""},
		{"a tag that decides", pod("a", whole, "") + `{{ if eq .Values.image.tag "1.0" }}` + pod("b", "r.b.c/b:2", "") + "{{ end }}", values, nil, ""},
		{"a tag that is checked", `{{ if contains "@" .Values.image.tag }}{{ fail "no" }}{{ end }}` + pod("a", whole, ""), values, nil, ""},
		{"a digest that is no text", pod("a", whole, ""), "image: {repository: r.b.c/a, tag: '1.0', digest: {a: b}}\n", nil, "r.b.c/a:1.0 image.tag@"},
		{"pinned already", pod("a", whole+"@sha256:"+strings.Repeat("a", 64), ""), values, nil, ""},
		{"a key with a dot", pod("a", `r.b.c/a:{{ index .Values "a.b" }}`, ""), "a.b: '1.0'\n", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, found(t, app(test.template, test.values), test.over)); diff != "" {
				t.Errorf("pins (-want +got):\n%s", diff)
			}
		})
	}
}

// The stand-in of prefect-cloud has values for digests, unless a label is made of the tag and
// digest; a tag of Istio's is that of several images.
func TestStandIns(t *testing.T) {
	files := func(name string) map[string][]byte {
		all, err := charts.Files(name, "1.2.900")
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	values := map[string]any{"global": map[string]any{"frontendUrl": "https://a.b.c", "backendUrl": "https://b.b.c", "ownerEmail": "a@b.c", "authProvider": map[string]any{"type": "okta"}}}
	got := found(t, files(charts.Cloud), values)
	for _, want := range []string{"global.backend.app.image.digest", "ui.cloud2.image.digest"} {
		if !strings.Contains(got, " "+want) {
			t.Errorf("the pins of prefect-cloud are\n%s\nwant %s", got, want)
		}
	}
	if got := found(t, files(charts.Istiod), nil); got != "" {
		t.Errorf("the pins of prefect-istiod are %s, want none", got)
	}
}

// A chart that does not render with its own values is an error, and no pin is found with
// an endless number of renderings.
func TestFindLimits(t *testing.T) {
	failed := errors.New("no")
	if _, err := pin.Find(pin.Release{Render: func(map[string]any) ([]chart.Object, error) { return nil, failed }}); !errors.Is(err, failed) {
		t.Errorf("Find: %v, want %v", err, failed)
	}
	values := map[string]any{}
	for i := range 100 {
		values[fmt.Sprint("a", i)] = "1"
	}
	image := images.Image{Written: "r.b.c/a:1", Sure: images.Certain}
	image.Reference.Host, image.Reference.Repository, image.Reference.Tag = "r.b.c", "a", "1"
	rendered := 0
	_, err := pin.Find(pin.Release{Values: values, Images: []images.Image{image}, Render: func(map[string]any) ([]chart.Object, error) {
		rendered++
		return nil, nil
	}})
	if err != nil || rendered != 42 {
		t.Errorf("%d renderings, %v: want 42", rendered, err)
	}
}
