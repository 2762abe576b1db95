package chart

import (
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

// checkScan compares what is read without a parser with what a parser reads.
func checkScan(t *testing.T, text string) (sure bool) {
	t.Helper()
	got, sure := scanHead(text)
	if !sure {
		return false
	}
	var want head
	if err := yaml.Unmarshal([]byte(text), &want); err != nil {
		t.Fatalf("scanHead(%q) is sure, and a parser says: %v", text, err)
	}
	if want.Metadata == nil {
		want.Metadata = &metadata{}
	}
	if got.Metadata == nil {
		got.Metadata = &metadata{}
	}
	if len(want.Metadata.Annotations) == 0 {
		want.Metadata.Annotations = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("scanHead(%q) (-parser +scan):\n%s", text, diff)
	}
	return true
}

var plainDocuments = []string{
	"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    helm.sh/hook: pre-install\n    helm.sh/hook-weight: \"5\"\ndata:\n  x: |\n    kind: no\n\n     more\n  z: 1\n",
	"# a comment\napiVersion: apps/v1\nkind: Deployment\nmetadata: \n  labels:\n    app: x\n  name: 'b'\nspec:\n  containers:\n  - name: c\n    image: \"i:1\"\n    args:\n      - -v\n      - --x=y\n  -\n    name: d\n  list:\n  - a\n  - b\n  empty: {}\n",
	"kind: A\nmetadata:\n  name: x\n  annotations: {}\n",
}

// oddDocuments is documents that a parser must read, or refuse.
var oddDocuments = []string{
	"kind: A\nKind: B\n", "kind: yes\n", "kind: 1\n", "kind:\n", "metadata:\nkind: A\n", "kind: A\nkind: B\n", "kind: *a\n", "kind: &a b\n", "kind: !!str b\n", "a: b: c\n", "a: b\n  c\n", "a:\n    b: c\n  d: e\n",
	"a: \"x\n", "a: 'it''s'\n", "a: |\n  x\n y\n", "a: |2\n    x\n", "a: [\n", "a: {b: c}\n", "a:\tb\n", "a: \xff\n", "- a\n", "a\n", "a: .inf\n", "a: @b\n", "a:\n- b\n  c: d\n", "? a\n: b\n", "<<: {a: b}\n", "kind: A\n...\nkind: B\n", "a:\n  - b\n - c\n",
	"a: |\n      \n  x\n", "a: >-\n\n\n  x\nb: c\n", "metadata: x\n", "metadata:\n- a\n", "metadata:\n  annotations:\n    a: 1\n", "metadata:\n  annotations:\n    a: true\n", "metadata:\n  annotations:\n  - a\n", "a: b #c\n", "a: b#c\n", "a:#b\n", "a : b\n", "null: b\n", "a: - b\n",
	"a: b\n---\nc: d\n", "a: |\n  x\n# c\n  y\n", "a:\n  # c\n  b: c\n", "a:\n- |\n  x\n- y\n", "a:\n- b: |\n    x\n  c: d\n", "a:\n- - b\n", "a:\n-\n- b\n", "a:\n-\n  - b\n",
}

func TestScanHead(t *testing.T) {
	for _, text := range plainDocuments {
		if !checkScan(t, text) {
			t.Errorf("scanHead is not sure of %q", text)
		}
	}
	for _, text := range oddDocuments {
		checkScan(t, text)
	}
}

// TestScanHeadOfRandomDocuments puts documents together from pieces that a
// parser reads in odd ways. The seed is fixed: a failure comes again.
func TestScanHeadOfRandomDocuments(t *testing.T) {
	pieces := []string{"kind", "apiVersion", "metadata", "name", "annotations", "helm.sh/hook", "Name", "a", "b", "1", "yes", "~", "null", "\"q\"", "'q'", "{}", "[]", "x y", "-", "- ", "- a", "- a: b", "|", ">-", "|+", "#c", " #c", "-1", ".inf", "1e999", "0x1f", "1:30", "2001-01-01", "!x", "&x", "*x", "\\", "--- ", "--x", "/y", "a:b", "[a, \"b\"]", "[a b]", "[a,, b]", "['*']", "[a, \"b, c\"]", "[-, a]", "\u2013", "x\u00a0", "[1.2, y]"}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func() string { return pieces[random.IntN(len(pieces))] }
	sure := 0
	for range 60000 {
		var text strings.Builder
		indent := 0
		for range 1 + random.IntN(7) {
			text.WriteString(strings.Repeat(" ", indent))
			switch random.IntN(8) {
			case 0:
				text.WriteString(pick())
			case 1, 2, 3:
				text.WriteString(pieces[random.IntN(9)] + ":")
				indent += 2 * random.IntN(2)
			case 4:
				text.WriteString("- " + pieces[random.IntN(9)] + ": " + pick())
			default:
				text.WriteString(pieces[random.IntN(9)] + ": " + pick())
			}
			text.WriteString("\n")
			indent = max(0, indent+[]int{0, 0, 0, 2, -2, 1, -4}[random.IntN(7)])
		}
		if checkScan(t, text.String()) {
			sure++
		}
	}
	if sure < 1000 {
		t.Errorf("of 60,000 documents, scanHead was sure of %d", sure)
	}
}

func FuzzScanHead(f *testing.F) {
	for _, text := range slices.Concat(plainDocuments, oddDocuments) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkScan(t, text) })
}

// checkSort compares how a file is taken apart and sorted with how Helm does.
func checkSort(t *testing.T, content string) {
	t.Helper()
	files := map[string]string{"c/templates/a.yaml": content, "c/templates/b.yaml": "kind: Namespace\n", "c/templates/_c.yaml": "no"}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	made, ownErr := documents(files)
	if (err == nil) != (ownErr == nil) {
		t.Fatalf("%q: Helm says %v, we %v", content, err, ownErr)
	}
	if err != nil {
		return
	}
	var want, got []string
	for _, m := range manifests {
		want = append(want, path.Base(m.Name)+" "+m.Content)
	}
	for _, h := range hooks {
		want = append(want, path.Base(h.Path)+" "+h.Manifest)
		for _, event := range h.Events {
			want = append(want, event.String())
		}
	}
	var plain, own []Object
	for _, d := range made {
		hook, unknown := d.hook()
		switch {
		case unknown != "":
		case hook != nil:
			own = append(own, d.object(hook))
		default:
			plain = append(plain, d.object(nil))
		}
	}
	byKind(plain)
	byKind(own)
	for _, o := range slices.Concat(plain, own) {
		got = append(got, path.Base(o.Source)+" "+string(o.YAML))
		if o.Hook != nil {
			got = append(got, o.Hook.Events...)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%q (-helm +pm-gitops):\n%s", content, diff)
	}
}

func FuzzSort(f *testing.F) {
	for _, text := range []string{"---\n---\nkind: A\n", "a: b\n---\n\n--- # x\nkind: Secret\n", "kind: Pod\n---kind: B", "---", "\n--- \n\v\n---\n", "metadata: {annotations: {helm.sh/hook: 'test-success, Pre-Install'}}", "metadata: {annotations: {helm.sh/hook: nothing}}", "a: |\n  ---\n  x"} {
		f.Add(text)
	}
	f.Add(strings.Join(slices.Concat(plainDocuments, oddDocuments[:10]), "---\n"))
	f.Fuzz(checkSort)
}
