package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestHarmlessKeepsValues: what is printed as JSON or YAML cannot steer the
// terminal, and is the value that it was.
func TestHarmlessKeepsValues(t *testing.T) {
	for _, text := range []string{
		"plain", "x\u202ey", "two\nlines \u2066\nof it\n", "it's \"\u200f\" \\", "\u061c: # \u202e", "\x1b[2J",
	} {
		want := map[string]any{"a": []any{text, map[string]any{text: text}}, "n": 1.5, "s": "1"}
		source, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"json", "yaml"} {
			got, err := valuesOptions{output: format}.reformat(source)
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsFunc(got, steers) {
				t.Errorf("%s of %q = %q, which steers", format, text, got)
			}
			if format == "json" && !json.Valid([]byte(got)) {
				t.Errorf("JSON of %q = %s, which is none", text, got)
			}
			var back map[string]any
			if err := yaml.Unmarshal([]byte(got), &back); err != nil {
				t.Errorf("%s of %q = %s: %v", format, text, got, err)
			}
			if diff := cmp.Diff(want, back); diff != "" {
				t.Errorf("%s of %q (-want +got):\n%s", format, text, diff)
			}
		}
	}
}

// TestHarmless: what is printed as it is shows such characters.
func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{"a\r\nb\tc\n": "a\r\nb\tc\n", "x\u202ey\x1b": `x"\u202e"y"\x1b"`, "a\rb": `a"\x00"b`} {
		if got := harmless(text); got != want {
			t.Errorf("harmless(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"{\"a\": \"\u202e\"}\r\n": "{\"a\": \"\\u202e\"}\n"} {
		if got := harmlessJSON(text); got != want {
			t.Errorf("harmlessJSON(%q) = %q, want %q", text, got, want)
		}
	}
}
