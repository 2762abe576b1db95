package roadmap_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/graph"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/roadmap"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

const (
	cloud  = upgrade.PrefectCloud
	server = upgrade.Server
)

// remark makes a remark of a rule.
func remark(rule upgrade.Rule, severity finding.Severity) upgrade.Remark {
	return upgrade.Remark{Rule: rule, Severity: severity, Message: "m", Do: "d"}
}

// compared is a chart whose comparison found this.
func compared(findings ...hop.Finding) roadmap.Chart {
	return roadmap.Chart{Release: "prefect-cloud", Analysis: &hop.Analysis{Renders: 1, Findings: findings}}
}

// TestJudgeHop looks at the verdict of hops.
func TestJudgeHop(t *testing.T) {
	edit := []hop.Edit{{Path: "a", To: "b"}}
	for name, tt := range map[string]struct {
		kind    upgrade.HopKind // of a patch, if it is empty
		remarks []upgrade.Remark
		todo    []roadmap.Todo
		charts  []roadmap.Chart
		want    roadmap.Verdict
	}{
		"tags alone":                             {want: roadmap.Routine},
		"a chart in which nothing matters":       {charts: []roadmap.Chart{compared(hop.Finding{Severity: finding.Info, Certainty: hop.Certain})}, want: roadmap.Routine},
		"a chart that was not compared":          {charts: []roadmap.Chart{{Release: "a", Unseen: "it is gone"}}, want: roadmap.Unknown},
		"a chart that does not render":           {charts: []roadmap.Chart{{Analysis: &hop.Analysis{Unrendered: "x"}}}, want: roadmap.Unknown},
		"not all was tried":                      {charts: []roadmap.Chart{{Analysis: &hop.Analysis{Exhausted: true}}}, want: roadmap.Unknown},
		"another line is never routine":          {kind: upgrade.LineHop, charts: []roadmap.Chart{compared()}, want: roadmap.Decisions},
		"what may be set, and need not":          {charts: []roadmap.Chart{compared(hop.Finding{Severity: finding.Info, Certainty: hop.Certain, Todo: "set it"})}, want: roadmap.Routine},
		"something suspected":                    {charts: []roadmap.Chart{compared(hop.Finding{Severity: finding.Info, Certainty: hop.Suspected})}, want: roadmap.Decisions},
		"a warning":                              {charts: []roadmap.Chart{compared(hop.Finding{Severity: finding.Warning, Certainty: hop.Certain})}, want: roadmap.Decisions},
		"an edit":                                {charts: []roadmap.Chart{compared(hop.Finding{Severity: finding.Warning, Certainty: hop.Certain, Edits: edit})}, want: roadmap.Breaking},
		"an error":                               {charts: []roadmap.Chart{compared(hop.Finding{Severity: finding.Error, Certainty: hop.Certain})}, want: roadmap.Breaking},
		"lost data":                              {charts: []roadmap.Chart{compared(hop.Finding{Severity: finding.Error, Blocks: true})}, want: roadmap.Blocked},
		"lost data, and an edit against it":      {charts: []roadmap.Chart{compared(hop.Finding{Severity: finding.Error, Blocks: true, Edits: edit})}, want: roadmap.Breaking},
		"a todo":                                 {todo: []roadmap.Todo{{Text: "a"}}, want: roadmap.Decisions},
		"a value that has to change":             {todo: []roadmap.Todo{{Text: "a", Breaks: true}}, want: roadmap.Breaking},
		"breaking says more than unknown":        {todo: []roadmap.Todo{{Text: "a", Breaks: true}}, charts: []roadmap.Chart{{Release: "a"}}, want: roadmap.Breaking},
		"a todo without which it must not go on": {todo: []roadmap.Todo{{Text: "a", Blocks: true, Breaks: true}}, want: roadmap.Blocked},
		"a version that is not there":            {remarks: []upgrade.Remark{remark(upgrade.NotThere, finding.Error)}, want: roadmap.Blocked},
		"a version that is not known":            {remarks: []upgrade.Remark{remark(upgrade.NotKnown, finding.Warning)}, want: roadmap.Unknown},
		"out of support":                         {remarks: []upgrade.Remark{remark(upgrade.NotSupported, finding.Warning)}, want: roadmap.Decisions},
		"good to know":                           {remarks: []upgrade.Remark{remark(upgrade.NotSupported, finding.Info)}, want: roadmap.Routine},
		"nothing documented, nothing compared":   {remarks: []upgrade.Remark{remark(upgrade.Undocumented, finding.Warning)}, charts: []roadmap.Chart{{Release: "a"}}, want: roadmap.Unknown},
		"nothing documented, and compared":       {remarks: []upgrade.Remark{remark(upgrade.Undocumented, finding.Warning)}, charts: []roadmap.Chart{compared()}, want: roadmap.Routine},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.kind == "" {
				tt.kind = upgrade.PatchHop
			}
			h := roadmap.Hop{Hop: upgrade.Hop{Kind: tt.kind, Remarks: tt.remarks, Versions: []upgrade.Transfer{{Part: cloud, From: "1", To: "2"}}}, Todo: tt.todo, Charts: tt.charts}
			if h.Judge(); h.Verdict != tt.want {
				t.Errorf("the verdict is %s, want %s", h.Verdict, tt.want)
			}
		})
	}
}

// TestJudge looks at the verdict of a roadmap and of a report: the next hop counts, and
// what could not be planned.
func TestJudge(t *testing.T) {
	patch := roadmap.Hop{Hop: upgrade.Hop{Kind: upgrade.PatchHop}}
	blocked := roadmap.Hop{Hop: upgrade.Hop{Kind: upgrade.LineHop, Remarks: []upgrade.Remark{remark(upgrade.NotThere, finding.Error)}}}
	for _, tt := range []struct {
		hops    []roadmap.Hop
		remarks []upgrade.Remark
		want    roadmap.Verdict
	}{
		{nil, nil, roadmap.Routine},
		{[]roadmap.Hop{patch, blocked}, nil, roadmap.Routine},
		{[]roadmap.Hop{blocked, patch}, nil, roadmap.Blocked},
		{nil, []upgrade.Remark{remark(upgrade.Stays, finding.Warning)}, roadmap.Unknown},
		{[]roadmap.Hop{patch}, []upgrade.Remark{remark(upgrade.Stays, finding.Info)}, roadmap.Routine},
		{[]roadmap.Hop{patch}, []upgrade.Remark{remark(upgrade.MixedLines, finding.Error)}, roadmap.Blocked},
		{[]roadmap.Hop{patch}, []upgrade.Remark{remark(upgrade.Swapped, finding.Warning)}, roadmap.Decisions},
	} {
		r := roadmap.Roadmap{Hops: tt.hops, Remarks: tt.remarks}
		r.Judge()
		if got := roadmap.NewReport([]roadmap.Roadmap{{Verdict: roadmap.Routine}, r}, nil).Verdict; r.Verdict != tt.want || got != tt.want {
			t.Errorf("%d hops, %v: %s, and of the report %s: want %s", len(tt.hops), tt.remarks, r.Verdict, got, tt.want)
		}
	}
	if got := roadmap.NewReport(nil, []string{"it is broken"}).Verdict; got != roadmap.Unknown {
		t.Errorf("a report of failures is %s", got)
	}
}

// hostile is a text of a stranger, such as a chart.
const hostile = "</code><script>alert(1)</script>\n::error::x\n<img src=x onerror=y> | @all [a](http://b) `c`"

// hostileReport is a report in which every text is hostile.
func hostileReport(hostile string) roadmap.Report {
	chart := compared(hop.Finding{Class: hop.Class(hostile), Severity: finding.Error, Certainty: hop.Certainty(hostile), Evidence: hostile, Message: hostile, Todo: hostile, Edits: []hop.Edit{{Path: hostile, To: hostile}}})
	chart.Release, chart.From, chart.To = hostile, hostile, hostile
	chart.Analysis.Parity = []hop.Parity{{Path: hostile, Fate: hop.Fate(hostile), To: hostile, Why: hostile}}
	chart.Effects = []roadmap.Effect{{Action: "restart", Objects: []string{hostile}}}
	chart.Analysis.Images = []string{hostile}
	chart.Changes = diff.Compare(nil, []diff.Document{{Within: "a b", Source: hostile, YAML: []byte("kind: Secret\napiVersion: v1\nmetadata: {name: " + strconv.Quote(hostile) + "}\nstringData: {a: CANARY}\n")}}).Effects(render.ByHelm)
	step := roadmap.Step{Title: hostile, Why: hostile, Commands: []string{hostile}, Proof: []string{hostile}, Expect: hostile, Limit: hostile}
	say := upgrade.Remark{Severity: finding.Info, Message: hostile}
	line := upgrade.Stop{Line: hostile, Notes: "javascript:" + hostile, SupportEnds: hostile}
	h := roadmap.Hop{
		Hop:    upgrade.Hop{Kind: upgrade.LineHop, From: line, To: line, Remarks: []upgrade.Remark{say}, Versions: []upgrade.Transfer{{Part: upgrade.Part(hostile), From: hostile, To: hostile}, {Part: server, Unknown: hostile, Default: hostile}}},
		Todo:   []roadmap.Todo{{Text: hostile, File: hostile, Line: 1}},
		Charts: []roadmap.Chart{chart, {Release: hostile, From: hostile, Unseen: hostile}}, Verdict: roadmap.Breaking,
		Waves:   []graph.Wave{{Releases: []graph.Release{{Key: hostile, Namespace: hostile, Version: hostile, Needs: []string{hostile}}}}},
		Runbook: roadmap.Runbook{Steps: []roadmap.Step{step}, Restarts: []string{hostile}, Final: []string{hostile}, Back: []roadmap.Step{step}},
	}
	one := roadmap.Roadmap{Environment: hostile, File: hostile, Verdict: roadmap.Breaking, From: line, Goal: upgrade.Goal{Line: hostile, Why: hostile}, Remarks: []upgrade.Remark{say}, Hops: []roadmap.Hop{h, h}, Unseen: []string{hostile}}
	return roadmap.NewReport([]roadmap.Roadmap{one}, []string{hostile})
}

// TestHTMLOfHostileTexts parses the page as a browser does: no element, attribute or
// address comes from a stranger.
func TestHTMLOfHostileTexts(t *testing.T) {
	page, err := hostileReport(hostile).HTML()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(string(page)))
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
		if node.Data == "script" || node.Data == "img" || node.Data == "a" || node.Data == "link" {
			t.Errorf("the page has an element %s", node.Data)
		}
		for _, attribute := range node.Attr {
			if strings.HasPrefix(attribute.Key, "on") || attribute.Key == "src" || attribute.Key == "href" || strings.ContainsAny(attribute.Val, "<>") {
				t.Errorf("%s has an attribute %s=%q", node.Data, attribute.Key, attribute.Val)
			}
		}
	}
	if texts < 20 {
		t.Errorf("%d hostile texts are on the page", texts)
	}
	if strings.Contains(string(page), "CANARY") {
		t.Error("the page shows what a Secret holds")
	}
	if strings.Contains(string(page), "\n::error") {
		t.Error("a line of the page is a command to a runner")
	}
}

// TestPageShowsTheHop finds the waves, what happens in each with its diff, and the fates of
// the values on the page.
func TestPageShowsTheHop(t *testing.T) {
	chart := compared()
	chart.From, chart.To = "1.2.0", "1.3.0"
	chart.Analysis.Images = []string{"r.io/new:1"}
	chart.Analysis.Parity = []hop.Parity{{Path: "a", Fate: hop.Placed, To: "b", Why: "it moved"}, {Path: "c", Fate: hop.Landed}}
	chart.Changes = diff.Compare(nil, []diff.Document{{Within: "prod prefect-cloud", Source: "all.yaml", YAML: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\n")}}).Effects(render.ByHelm).Settled(true)
	h := roadmap.Hop{
		Hop:    upgrade.Hop{Kind: upgrade.LineHop, Versions: []upgrade.Transfer{{Part: cloud, From: "1.2.0", To: "1.3.0"}, {Part: server, From: "1", To: "2"}}},
		Charts: []roadmap.Chart{chart, {Release: "prefect-istiod", From: "1", To: "2", Unseen: "it is gone"}},
		Waves:  []graph.Wave{{Releases: []graph.Release{{Key: "prefect-istiod", Version: "2"}}}, {Releases: []graph.Release{{Key: "prefect-cloud", Version: "1.3.0"}}}},
	}
	got, err := roadmap.NewReport([]roadmap.Roadmap{{Environment: "prod", Hops: []roadmap.Hop{h}}}, nil).HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<strong>prefect-cloud</strong></p><p>1.2.0 → 1.3.0</p><p>server 1 → 2</p>",
		"<strong>prefect-istiod</strong></p><p>2</p><p class=\"quiet\">not compared</p>",
		"<h3>Wave 2: what happens in the cluster</h3>",
		"<summary><span class=\"tag create\">create</span> ConfigMap new</summary>",
		"<span class=\"plus\">&#43;kind: ConfigMap</span>",
		"<h3>Values of prefect-cloud: 1 stay, 1 move, 0 go, 0 unknown</h3>",
		"<li><code>r.io/new:1</code></li>",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(string(got), "Wave 1: what happens") {
		t.Error("the page says what happens in a wave that was not compared")
	}
}

// TestMarkdownOfHostileTexts looks for markup of strangers outside of code.
func TestMarkdownOfHostileTexts(t *testing.T) {
	inFence := false
	for _, line := range strings.Split(hostileReport(strings.ReplaceAll(hostile, "`", "")).Markdown(), "\n") {
		if strings.HasPrefix(line, "```") {
			inFence = !inFence
		}
		var outside []string
		for i, part := range strings.Split(line, "`") {
			if i%2 == 0 {
				outside = append(outside, part)
			}
		}
		if text := strings.Join(outside, ""); !inFence && (strings.Contains(text, "<script") || strings.Contains(text, "@all") || strings.Contains(text, "](")) {
			t.Errorf("markup of a stranger: %q", line)
		}
		if strings.HasPrefix(line, "::") {
			t.Errorf("a line is a command to a runner: %q", line)
		}
	}
}

// TestJSONIsDocumented finds every field of the JSON form in docs/plan.md.
func TestJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/plan.md")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(hostileReport(hostile))
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	seen := 0
	var walk func(node any)
	walk = func(node any) {
		switch node := node.(type) {
		case []any:
			for _, item := range node {
				walk(item)
			}
		case map[string]any:
			for key, value := range node {
				if seen++; !strings.Contains(string(page), "`"+key+"`") && !strings.Contains(string(page), "`"+key+"[]`") {
					t.Errorf("docs/plan.md does not have the field %s", key)
				}
				if key != "analysis" { // documented by package hop
					walk(value)
				}
			}
		}
	}
	walk(tree)
	if seen < 50 {
		t.Errorf("looked at %d fields", seen)
	}
}

// TestPlanOfMoves looks at what documented changes ask of an environment.
func TestPlanOfMoves(t *testing.T) {
	for name, tt := range map[string]struct {
		move catalog.Move
		want []string // text, with ! before what breaks
	}{
		"a field that the new layout takes along": {catalog.Move{From: "frontendUrl", To: "global.frontendUrl"}, nil},
		"a field that the new layout forgets":     {catalog.Move{From: "backendUrl", To: "global.backendUrl"}, []string{`!env.yaml:3: spec.instance.backendUrl sets the chart value backendUrl, which becomes global.backendUrl: the layout of line 1.2 has to say so`}},
		"a value of the user":                     {catalog.Move{From: "own", To: "new.own"}, []string{`!env.yaml:9: move spec.values.prefect-cloud.own.deep: the chart value becomes new.own.deep`}},
		"a value that is gone":                    {catalog.Move{From: "own", Why: "it does nothing"}, []string{`!env.yaml:9: take out spec.values.prefect-cloud.own.deep: the chart value is gone: it does nothing`}},
		"a value with a longer name":              {catalog.Move{From: "ow", To: "new"}, nil},
		"a value that is not set":                 {catalog.Move{From: "other", To: "new"}, nil},
		"required, and set":                       {catalog.Move{Require: "ingress.name", Was: "old"}, nil},
		"required, and set as a value":            {catalog.Move{Require: "own.deep"}, nil},
		"required, and its section is used":       {catalog.Move{Require: "ingress.className", Was: "old", Why: "it is another one"}, []string{`!set spec.ingress.className to old, the default so far: it is another one`}},
		"required, and nothing of it is used":     {catalog.Move{Require: "smtp.host"}, []string{`set the chart value of smtp.host under spec.values.prefect-cloud (the environment sets nothing of smtp: skip it if the installation has none)`}},
	} {
		t.Run(name, func(t *testing.T) {
			h := roadmap.Hop{Hop: upgrade.Hop{Moves: []catalog.Move{tt.move}}}
			h.Plan(explained, catalog.Line{Name: "1.2", Layout: []catalog.Rule{{Field: "instance.frontendUrl", Path: "global.frontendUrl"}, {Field: "instance.backendUrl", Path: "backendUrl"}, {Field: "ingress.className", Path: "ingress.className"}}})
			var got []string
			for _, todo := range h.Todo {
				mark := ""
				if todo.Breaks {
					mark = "!"
				}
				got = append(got, mark+todo.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("todos (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPlanOfFindings looks at what a comparison asks: what blocks comes first, what is good
// to know is left out, and an edit has its place.
func TestPlanOfFindings(t *testing.T) {
	h := roadmap.Hop{Hop: upgrade.Hop{Remarks: []upgrade.Remark{remark(upgrade.NotKnown, finding.Warning), remark(upgrade.NotSupported, finding.Info)}}, Charts: []roadmap.Chart{compared(
		hop.Finding{Severity: finding.Info, Message: "another default", Todo: "set it"},
		hop.Finding{Severity: finding.Error, Message: "own moved", Edits: []hop.Edit{{Path: "own", To: "new"}, {Path: "frontendUrl", Remove: true}}},
		hop.Finding{Severity: finding.Error, Blocks: true, Message: "data is lost", Todo: "save it"},
	)}}
	h.Plan(explained, catalog.Line{Name: "1.2"})
	want := []string{
		"prefect-cloud: data is lost: save it",
		"env.yaml:9: prefect-cloud: move own to new",
		"prefect-cloud: remove frontendUrl, in the layout of line 1.2 of a catalog: spec.instance.frontendUrl sets it",
		"m: d",
	}
	var got []string
	for _, todo := range h.Todo {
		got = append(got, todo.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("todos (-want +got):\n%s", diff)
	}
}
