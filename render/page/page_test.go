package page_test

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/graph"
	"github.com/pm-gitops/pm-gitops/render/page"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// waves gives a graph of an environment whose last release has hostile texts.
func waves(hostile string) graph.Graph {
	return graph.Graph{Environments: []graph.Environment{{Name: "prod", Waves: []graph.Wave{
		{Releases: []graph.Release{{Key: "istiod", Namespace: "istio-system", Version: "1.0.0", Protected: true}}},
		{Releases: []graph.Release{{Key: "app", Namespace: hostile, Version: hostile, Needs: []string{"istiod", hostile}}, {Key: "same", Namespace: "same", Version: "2"}}},
	}}}}
}

// document makes an object of the release app.
func document(within, text string) diff.Document {
	return diff.Document{Within: within, Source: "app/templates/all.yaml", Namespace: "apps", YAML: []byte(text)}
}

const canary = "CANARY"

// compared compares objects: one is deleted, one restarts, one hides what it holds, one
// changed in nothing but a label, and one of another release goes with it.
func compared() diff.Result {
	old := []diff.Document{
		document("prod app", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gone}\n"),
		document("prod app", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: server}\nspec: {template: {spec: {containers: [{name: a, image: a:1}]}}}\n"),
		document("prod app", "apiVersion: v1\nkind: Secret\nmetadata: {name: hidden}\nstringData: {a: "+canary+"1}\n"),
		document("prod app", "apiVersion: v1\nkind: Service\nmetadata: {name: labels, labels: {helm.sh/chart: a-1}}\n"),
		document("prod old", "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"),
	}
	new := []diff.Document{
		document("prod app", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: server}\nspec: {template: {spec: {containers: [{name: a, image: a:2}]}}}\n"),
		document("prod app", "apiVersion: v1\nkind: Secret\nmetadata: {name: hidden}\nstringData: {a: "+canary+"2}\n"),
		document("prod app", "apiVersion: v1\nkind: Service\nmetadata: {name: labels, labels: {helm.sh/chart: a-2}}\n"),
	}
	result := diff.Compare(old, new).Effects(render.ByHelm)
	result.Unseen = []string{"prod istiod"}
	result.Errors = []string{"istiod: no chart"}
	return result
}

// body gives the page without its head, which is the style.
func body(t *testing.T, text []byte) string {
	t.Helper()
	_, after, found := strings.Cut(string(text), "</head>\n")
	if !found {
		t.Fatalf("no head: %s", text)
	}
	return after
}

// TestDiffIsGolden compares the page of a comparison with the one that was read.
func TestDiffIsGolden(t *testing.T) {
	text, err := page.Diff{Name: "main", Result: compared(), Graph: waves("apps"), ByRelease: true, Was: map[string]string{"prod app": "1", "prod same": "2", "prod old": "3"}}.HTML()
	if err != nil {
		t.Fatal(err)
	}
	got := body(t, text)
	const file = "testdata/diff.html"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the page (-want +got):\n%s", diff)
	}
	if bytes.Contains(text, []byte(canary)) {
		t.Error("the page shows what a Secret holds")
	}
}

// TestDiffOfFiles has the files as parts of the page, and no effects.
func TestDiffOfFiles(t *testing.T) {
	text, err := page.Diff{Name: "main", Result: diff.Compare([]diff.Document{document("a.yaml", "a: 1\n")}, []diff.Document{document("a.yaml", "a: 2\n"), document("b.yaml", "b: 1\n")}), Graph: waves("apps")}.HTML()
	if err != nil {
		t.Fatal(err)
	}
	got := body(t, text)
	for _, want := range []string{`<h1><span class="verdict warning">files change</span>`, "<h2>a.yaml</h2>", "<h2>b.yaml</h2>", `<span class="plus">&#43;a: 2</span>`} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(got, "no objects change") {
		t.Error("the page says of releases what was not compared")
	}
}

// TestVerdict looks at the worst of what a cluster does.
func TestVerdict(t *testing.T) {
	effect := func(action diff.Action) diff.Change { return diff.Change{Effect: &diff.Effect{Action: action}} }
	for _, tt := range []struct {
		changes []diff.Change
		errors  []string
		want    string
	}{
		{nil, nil, "no differences"},
		{nil, []string{"a"}, "not everything could be compared"},
		{[]diff.Change{effect(diff.Update)}, nil, "no pod restarts"},
		{[]diff.Change{effect(diff.Update), effect(diff.Run)}, nil, "hooks run"},
		{[]diff.Change{effect(diff.Run), effect(diff.Restart)}, nil, "pods restart"},
		{[]diff.Change{effect(diff.Restart)}, []string{"a"}, "not everything could be compared"},
		{[]diff.Change{effect(diff.Restart), effect(diff.Delete)}, []string{"a"}, "objects are deleted"},
		{[]diff.Change{effect(diff.Recreate), effect(diff.Refuse)}, nil, "the cluster refuses a change"},
		{compared().Changes, nil, "data may be lost"},
	} {
		if got := (page.Diff{Result: diff.Result{Changes: tt.changes, Errors: tt.errors}, ByRelease: true}).Verdict(); got.Words != tt.want {
			t.Errorf("%d changes, %d errors: %s, want %s", len(tt.changes), len(tt.errors), got.Words, tt.want)
		}
	}
}

// TestHostileTexts parses the page as a browser does: no element and no attribute comes
// from a chart or a file.
func TestHostileTexts(t *testing.T) {
	const hostile = "</pre></style></title><script>alert(1)</script><img src=x onerror=y>\"onmouseover=\"z\u202e"
	changed := document("prod app", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '"+hostile+"'}\ndata: {a: '"+hostile+"'}\n")
	changed.Source = hostile
	result := diff.Compare(nil, []diff.Document{changed}).Effects(render.ByHelm)
	result.Errors = []string{hostile}
	for i := range result.Changes {
		result.Changes[i].Effect.Why, result.Changes[i].Effect.Fields, result.Changes[i].Effect.Source = hostile, []string{hostile}, "javascript:"+hostile
	}
	text, err := page.Diff{Name: hostile, Result: result, Graph: waves(hostile), ByRelease: true}.HTML()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	texts := 0
	for node := range doc.Descendants() {
		if node.Type == html.TextNode && strings.Contains(node.Data, "<script>alert(1)") {
			texts++
		}
		if node.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"script", "img", "a", "link", "iframe", "base", "form", "object"}, node.Data) {
			t.Errorf("the page has an element %s", node.Data)
		}
		for _, attribute := range node.Attr {
			if strings.HasPrefix(attribute.Key, "on") || attribute.Key == "style" || strings.Contains(attribute.Val, "alert") {
				t.Errorf("%s has an attribute %s=%q", node.Data, attribute.Key, attribute.Val)
			}
		}
	}
	if texts < 9 {
		t.Errorf("%d hostile texts are on the page", texts)
	}
	if bytes.Contains(text, []byte("\u202e")) {
		t.Error("a mark on the page turns its text around")
	}
}
