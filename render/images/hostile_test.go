package images_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/images"
)

// configMap is a ConfigMap with one text.
func configMap(text string) chart.Object {
	return chart.Object{Kind: "ConfigMap", APIVersion: "v1", Name: "a", YAML: fmt.Appendf(nil, "{apiVersion: v1, kind: ConfigMap, data: {a: %q}}", text)}
}

// bomb is a document whose aliases make much of little.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [\"image: a:1\\n\"]\n")
	for i := range 30 {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i, i)
	}
	return b.String()
}

// TestHostile: what nobody would write ends, in one way or the other.
func TestHostile(t *testing.T) {
	nested := "image: a:1\n"
	for range 12 {
		nested = fmt.Sprintf("{\"x\": %q}", nested)
	}
	for name, text := range map[string]string{
		"deep":           strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "\n",
		"deep maps":      strings.Repeat("{a: ", 9000) + strings.Repeat("}", 9000) + "\n",
		"aliases":        bomb(),
		"itself":         "a: &a\n  b: *a\n",
		"texts in texts": nested,
		"a long line":    strings.Repeat("image: a:1 ", 50_000) + "\n{{",
		"a large text":   strings.Repeat("image: a:1\n", 200_000),
		"a long key":     "{\"" + strings.Repeat("k", 500_000) + "\": {\"image\": \"a:1\"}}",
		"many documents": strings.Repeat("a: 1\n---\n", 50_000),
		"tags":           "!!binary image: !!float a:1\n? [a]\n: b\n",
		"steering":       "image: \"a\x1b[31m:1\"\n",
	} {
		result, err := images.Find([]chart.Object{configMap(text)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, image := range result.Images {
			if len(image.Path) > 2000 || strings.Contains(image.Path+image.Written, "\x1b") {
				t.Errorf("%s: path of %d letters: %.100q", name, len(image.Path), image.Path)
			}
		}
	}
}

// TestTooMuch: what is left out is said.
func TestTooMuch(t *testing.T) {
	large := configMap(strings.Repeat("# image: a:1\n", 100_000))
	if got := find(t, large); len(got.Images) > 0 || len(got.Unread) != 1 || got.Unread[0].Name != "a" {
		t.Errorf("Find gave %d images and did not read %v, want no image and one object", len(got.Images), got.Unread)
	}
	texts := []string{strings.Repeat("# none\n", 140_000), "image: a:1\n"}
	var full []chart.Object
	for range 18 {
		full = append(full, configMap(texts[0]))
	}
	if got := find(t, append(full, configMap(texts[1]))...); len(got.Images) > 0 || len(got.Unread) == 0 {
		t.Errorf("behind 18 MB of texts %d images were found, %v not read", len(got.Images), got.Unread)
	}
	var many strings.Builder
	for i := range images.MaxImages + 1 {
		fmt.Fprintf(&many, "- image: a:%d\n", i)
	}
	if _, err := images.Find([]chart.Object{configMap(many.String())}); err == nil || !strings.Contains(err.Error(), "more than 10000 places") {
		t.Errorf("error %v, want that there are too many", err)
	}
	if _, err := images.Find([]chart.Object{{Source: "x", YAML: []byte("{")}}); err == nil || !strings.Contains(err.Error(), "x") {
		t.Errorf("error %v, want that x is no YAML", err)
	}
}

// TestDeep: what lies too deep is not looked at.
func TestDeep(t *testing.T) {
	list := func(depth int) string {
		return strings.Repeat("{apiVersion: v1, kind: List, items: [", depth) + "{apiVersion: v1, kind: Pod, spec: {containers: [{image: a:1}]}}" + strings.Repeat("]}", depth)
	}
	texts := func(depth int) string {
		text := "image: a:1\n"
		for range depth {
			text = fmt.Sprintf("{\"x\": %q}", text)
		}
		return text
	}
	for name, object := range map[string]func(deep int) chart.Object{
		"lists": func(deep int) chart.Object {
			return chart.Object{APIVersion: "v1", Kind: "List", YAML: []byte(list(40 + 100*deep))}
		},
		"maps": func(deep int) chart.Object {
			n := 50 + 100*deep
			return chart.Object{Kind: "Thing", YAML: []byte(strings.Repeat("{a: ", n) + "{image: a:1}" + strings.Repeat("}", n))}
		},
		"texts": func(deep int) chart.Object { return configMap(texts(2 + 4*deep)) },
		"line": func(deep int) chart.Object {
			return configMap("{{\n" + strings.Repeat(" ", 1000+4000*deep) + "image: a:1\n")
		},
	} {
		if got := len(find(t, object(0)).Images); got != 1 {
			t.Errorf("%s: %d images, want 1", name, got)
		}
		if got := len(find(t, object(1)).Images); got != 0 {
			t.Errorf("%s, deeper: %d images, want none", name, got)
		}
	}
}

// TestProxyTags: the tag of a proxy's image, and its type, as istiod puts them
// together.
func TestProxyTags(t *testing.T) {
	for _, test := range []struct{ tag, imageType, want string }{
		{`"1.0"`, "", "1.0"},
		{`"1.0-debug"`, "", "1.0-debug"},
		{`"1.0"`, "distroless", "1.0-distroless"},
		{`"1.0-debug"`, "distroless", "1.0-distroless"},
		{`"1.0-debug-distroless"`, "own", "1.0-debug-own"},
		{`"1.0-debug"`, "default", "1.0"},
		{`"1.0-own"`, "default", "1.0-own"},
		{`2`, "", "2"},
	} {
		values := fmt.Sprintf(`{"global": {"hub": "a.b", "tag": %s}}`, test.tag)
		injector := fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: istio-sidecar-injector-x}, data: {config: '{{ .ProxyImage }}', values: %q}}", values)
		mesh := fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: istio-x}, data: {mesh: 'defaultConfig: {image: {imageType: %q}}'}}", test.imageType)
		other := "{apiVersion: v1, kind: ConfigMap, metadata: {name: istio}, data: {mesh: 'defaultConfig: {image: {imageType: other}}'}}"
		got := lines(find(t, object(t, other), object(t, mesh), object(t, injector)).Images)
		if want := "certain injector a.b/proxyv2:" + test.want + ": data.values: global.hub"; len(got) != 1 || got[0] != want {
			t.Errorf("tag %s, type %q: got %q, want %q", test.tag, test.imageType, got, want)
		}
	}
}
