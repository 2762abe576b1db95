package render

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	yamlv3 "go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// TestTextsStayTexts asks two YAML readers of different ages, and kubectl's
// own, to read back texts that look like something else.
func TestTextsStayTexts(t *testing.T) {
	texts := []string{
		"", "yes", "No", "ON", "off", "y", "N", "true", "False", "null", "~", "NULL", "=", "<<",
		"2025.10", "2025.10.202511042343", "1.20", "0123", "0x10", "1_000", "1e3", "12:30:45", "+1", "-1", ".5", ".inf", "-.INF", ".nan",
		"2025-10-23", "v1.19.1", "10.0.0.1", "5m", "1h30m", "0", "0s",
		" lead", "trail ", "a: b", "a #b", "#a", "- a", "? a", "[a]", "{a}", "*a", "&a", "!a", "|", ">", "@a", "`a", "%a", "'", `"`, `\`,
		"two\nlines", "two\nlines\n", "  indented\nless\n", "tab\there", "\ttab", "\ttab\nline\n", "ends\n\n", "é✓🎉", "\u0085", "\u2028", "\ufeff", "\x7f", "\r", "a\r\nb", "${var}", "$(var)", "{{ .Values }}",
	}
	for _, text := range texts {
		checkText(t, text)
	}
}

func FuzzTextsStayTexts(f *testing.F) {
	for _, text := range []string{"", "2025.10", "a: b\n", "\t", "no", "\u2028"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if data, _ := json.Marshal(text); !bytes.Contains(data, []byte("\ufffd")) && !strings.Contains(text, "\ufffd") && strings.ToValidUTF8(text, "") == text && printable(text) {
			checkText(t, text)
		}
	})
}

// printable is what YAML can hold at all: no control characters but breaks and tabs.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xfffe || r == 0xffff
	})
}

func checkText(t *testing.T, text string) {
	t.Helper()
	var out bytes.Buffer
	if err := marshal(&out, map[string]any{"values": map[string]any{"key": text, "list": []any{text}}}); err != nil {
		t.Fatalf("marshal %q: %v", text, err)
	}
	want := map[string]any{"values": map[string]any{"key": text, "list": []any{text}}}
	var v11, v12 map[string]any
	if err := yaml.Unmarshal(out.Bytes(), &v11); err != nil {
		t.Fatalf("sigs.k8s.io/yaml does not read %q:\n%s%v", text, out.String(), err)
	}
	if err := yamlv3.Unmarshal(out.Bytes(), &v12); err != nil {
		t.Fatalf("yaml.v3 does not read %q:\n%s%v", text, out.String(), err)
	}
	for reader, got := range map[string]any{"sigs.k8s.io/yaml": v11, "yaml.v3": v12} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s reads %q otherwise (-want +got):\n%s\n%s", reader, text, diff, out.String())
		}
	}
}

// TestVersionsAreQuoted says how a person finds tags and versions written.
func TestVersionsAreQuoted(t *testing.T) {
	var out bytes.Buffer
	if err := marshal(&out, map[string]any{"tag": "2025.10.202511042343", "chart": "v1.19.1", "host": "10.0.0.1", "interval": "30m", "apiVersion": "v1", "name": "a"}); err != nil {
		t.Fatal(err)
	}
	want := "apiVersion: v1\nchart: \"v1.19.1\"\nhost: \"10.0.0.1\"\ninterval: 30m\nname: a\ntag: \"2025.10.202511042343\"\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestOnlyWhatWasSet drops what Kubernetes types print of themselves, and
// nothing of what is the user's.
func TestOnlyWhatWasSet(t *testing.T) {
	type spec struct {
		Interval metav1.Duration  `json:"interval"`
		Timeout  *metav1.Duration `json:"timeout"`
		Ref      struct {
			Name string `json:"name"`
		} `json:"ref"`
		Prune  bool           `json:"prune"`
		List   []string       `json:"list"`
		Values map[string]any `json:"values"`
	}
	object := struct {
		metav1.ObjectMeta `json:"metadata"`
		Spec              spec                   `json:"spec"`
		Status            corev1.NamespaceStatus `json:"status"`
	}{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Annotations: map[string]string{"empty": ""}},
		Spec: spec{
			Timeout: &metav1.Duration{Duration: 90 * time.Minute},
			Values:  map[string]any{"empty": "", "map": map[string]any{}, "list": []any{}, "off": false, "zero": 0, "interval": "30m0s", "big": int64(math.MaxInt64), "half": 0.5},
		},
	}
	var out bytes.Buffer
	if err := marshal(&out, object); err != nil {
		t.Fatal(err)
	}
	want := `metadata:
  annotations:
    empty: ""
  name: a
spec:
  prune: false
  timeout: 1h30m
  values:
    big: 9223372036854775807
    empty: ""
    half: 0.5
    interval: 30m0s
    list: []
    map: {}
    "off": false
    zero: 0
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
}
