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
	var many strings.Builder
	for i := range images.MostImages + 1 {
		fmt.Fprintf(&many, "- image: a:%d\n", i)
	}
	if _, err := images.Find([]chart.Object{configMap(many.String())}); err == nil || !strings.Contains(err.Error(), "more than 10000 places") {
		t.Errorf("error %v, want that there are too many", err)
	}
	if _, err := images.Find([]chart.Object{{Source: "x", YAML: []byte("{")}}); err == nil || !strings.Contains(err.Error(), "x") {
		t.Errorf("error %v, want that x is no YAML", err)
	}
}
