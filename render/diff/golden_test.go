package diff_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/diff"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample is a result with everything in it, and secrets in every place that
// has any.
func sample(t testing.TB) diff.Result {
	t.Helper()
	read := func(name string) []diff.Document {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return []diff.Document{{Within: "prod prefect-cloud", Source: "templates/all.yaml", Namespace: "apps", YAML: data}}
	}
	return diff.Compare(read("old.yaml"), read("new.yaml")).Effects(render.ByHelm)
}

// marked shows what a terminal would get as a colour.
func marked(style diff.Style, text string) string { return "<" + string(style) + ">" + text + "</>" }

// formats is every format of a result.
func formats(t testing.TB, r diff.Result) map[string]string {
	t.Helper()
	data, err := diff.JSON(r)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"text": diff.Text(r, nil), "colour": diff.Text(r, marked), "unified": diff.Unified(r, nil),
		"json": string(data), "md": diff.Markdown(r, diff.MaxMarkdown),
	}
}

// TestSettled: who lets go of the objects loses nothing.
func TestSettled(t *testing.T) {
	whole, settled := formats(t, sample(t)), formats(t, sample(t).Settled(true))
	if d := cmp.Diff(whole, settled); d != "" {
		t.Errorf("(-whole +settled):\n%s", d)
	}
	if light := formats(t, sample(t).Settled(false)); light["text"] != whole["text"] || light["json"] != whole["json"] {
		t.Error("text or JSON needs the objects")
	}
}

func TestGolden(t *testing.T) {
	for name, got := range formats(t, sample(t)) {
		file := filepath.Join("testdata", "golden."+name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestNoSecret looks for the canaries in every format, as they are and in the
// encoding of Secrets, and for control characters.
func TestNoSecret(t *testing.T) {
	for name, got := range formats(t, sample(t)) {
		for _, canary := range []string{"CANARY", "Q0FOQVJZ"} {
			if strings.Contains(got, canary) {
				t.Errorf("%s has a secret:\n%s", name, got)
			}
		}
		if strings.ContainsAny(got, "\x1b\x00\x07") {
			t.Errorf("%s steers the terminal", name)
		}
	}
}
