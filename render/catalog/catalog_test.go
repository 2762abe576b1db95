package catalog_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/catalog"
)

func parse(t *testing.T, lines string) catalog.Catalog {
	t.Helper()
	c, err := catalog.Parse("own.yaml", []byte("apiVersion: pm-gitops/v1\nkind: Catalog\nlines:\n"+lines))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// paths is where a line's layout takes fields.
func paths(line catalog.Line) map[string]string {
	m := map[string]string{}
	for _, rule := range line.Layout {
		if rule.Field != "" {
			m[rule.Field] = string(rule.Path)
		}
	}
	return m
}

// TestEmbeddedLines is the upgrade path as the vendor's upgrade guide has it.
func TestEmbeddedLines(t *testing.T) {
	var names []string
	for _, line := range catalog.Embedded().Lines {
		names = append(names, line.Name)
		if line.Source == "" {
			t.Errorf("line %s has no source", line.Name)
		}
		for _, rule := range line.Layout {
			if rule.Source == "" {
				t.Errorf("%s: a rule has no source", rule.Position)
			}
		}
	}
	if diff := cmp.Diff([]string{"0.4", "0.5", "0.6", "0.7", "0.8", "1.2", "1.3"}, names); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestFind(t *testing.T) {
	tests := []struct {
		version, line, frontendURL string
		covered                    bool
	}{
		{"0.8.3", "0.8", "frontendUrl", true},
		{"1.2.0", "1.2", "global.frontendUrl", true},
		{"1.2.900", "1.2", "global.frontendUrl", true},
		{"1.3.4", "1.3", "global.frontendUrl", true},
		{"1.4.0", "1.3", "global.frontendUrl", false},
		{"0.9.0", "1.3", "global.frontendUrl", false},
		{"1.2.7-rc.1", "1.2", "global.frontendUrl", true},
		{"1.3.0-rc.1+build", "1.3", "global.frontendUrl", true},
	}
	for _, tt := range tests {
		line, covered, err := catalog.Embedded().Find("prefect-cloud", tt.version)
		if err != nil {
			t.Fatal(err)
		}
		if line.Name != tt.line || covered != tt.covered || paths(line)["instance.frontendUrl"] != tt.frontendURL {
			t.Errorf("Find(%s) = line %s, covered %t, frontendUrl at %s; want %s, %t, %s",
				tt.version, line.Name, covered, paths(line)["instance.frontendUrl"], tt.line, tt.covered, tt.frontendURL)
		}
	}
}

// TestLine is a line with what it takes from those it is like.
func TestLine(t *testing.T) {
	line, err := catalog.Embedded().Line("0.8")
	if err != nil || paths(line)["instance.frontendUrl"] != "frontendUrl" || paths(line)["instance.name"] != "global.instanceName" {
		t.Errorf("Line(0.8) = %v, %v", paths(line), err)
	}
	if _, err := catalog.Embedded().Line("9.9"); err == nil || err.Error() != `the catalog has no line "9.9"` {
		t.Errorf("Line(9.9): %v", err)
	}
}

// TestWith adds lines and corrects them without touching the catalog it is laid over.
func TestWith(t *testing.T) {
	own := parse(t, `- name: "1.4"
  charts: {prefect-cloud: ">=1.4.0 <1.5.0"}
  like: "1.2"
  layout:
  - {field: instance.frontendUrl, path: ui.url}
  - {when: database, set: {db.embedded.enabled: false}}
- name: "1.2"
  server: ["2025.10.*"]
  layout:
  - {field: instance.name}
  - {field: ingress.name, path: ingress.name}
  migrations: {timeout: 2h}
- name: "0.10"
  charts: {prefect-cloud: ">=0.10.0 <0.11.0"}
`)
	before := catalog.Embedded()
	c := before.With(own)
	if diff := cmp.Diff(catalog.Embedded(), before); diff != "" {
		t.Errorf("With changed the catalog (-want +got):\n%s", diff)
	}
	var names []string
	for _, line := range c.Lines {
		names = append(names, line.Name)
	}
	if diff := cmp.Diff([]string{"0.4", "0.5", "0.6", "0.7", "0.8", "0.10", "1.2", "1.3", "1.4"}, names); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	line, _, err := c.Find("prefect-cloud", "1.4.1")
	if err != nil {
		t.Fatal(err)
	}
	got := paths(line)
	for field, want := range map[string]string{
		"instance.frontendUrl": "ui.url",              // the line's own rule
		"instance.backendUrl":  "global.backendUrl",   // from the line it is like
		"instance.name":        "",                    // a correction that drops a rule
		"ingress.name":         "ingress.name",        // a correction that adds one
		"versions.ui":          "ui.cloud2.image.tag", // not corrected
		"database.primary":     "db.host.primary",     // not corrected
	} {
		if got[field] != want {
			t.Errorf("%s goes to %q, want %q", field, got[field], want)
		}
	}
	sets := map[string]any{}
	for _, rule := range line.Layout {
		maps.Copy(sets, rule.Set)
	}
	if _, there := sets["db.use_embedded"]; there || sets["db.embedded.enabled"] != false || sets["redis.use_embedded"] != false {
		t.Errorf("fixed values are %v, want those under the same condition replaced, and others as they were", sets)
	}
	if m := line.Migrations; m.Timeout != "2h" || m.AfterInstall == nil || !*m.AfterInstall {
		t.Errorf("migrations = %+v, want the corrected timeout of 2h, and the rest as it was", m)
	}
}

func TestParseProblems(t *testing.T) {
	tests := []struct{ lines, want string }{
		{`- {name: "1.x"}`, `own.yaml:4:4: lines[0].name: want MAJOR.MINOR of the line's charts, got "1.x"`},
		{"- name: \"1.2\"\n- name: \"1.2\"", `own.yaml:5:3: lines[1].name: the line "1.2" is defined twice`},
		{`- {name: "1.2", charts: {prefect-cloud: "~>a"}}`, `own.yaml:4:41: lines[0].charts.prefect-cloud: want a semver range such as ">=1.2.0 <1.3.0", got "~>a"`},
		{`- {name: "1.2", server: ["[a"]}`, `own.yaml:4:26: lines[0].server[0]: want an image tag or a pattern such as "2025.10.*", got "[a"`},
		{`- {name: "1.2", layout: [{path: a}]}`, `own.yaml:4:26: lines[0].layout[0]: want either field and path, or set`},
		{`- {name: "1.2", layout: [{field: a, path: ui.$patch}]}`, `own.yaml:4:43: lines[0].layout[0].path: want dotted keys such as global.frontendUrl, got "ui.$patch"`},
		{`- {name: "1.2", layout: [{set: {a..b: 1}}]}`, `own.yaml:4:33: lines[0].layout[0].set["a..b"]: want dotted keys such as global.frontendUrl, got "a..b"`},
		{`- {name: "1.2", migrations: {timeout: 45 minutes}}`, `own.yaml:4:39: lines[0].migrations.timeout: want a length of time such as 30m, got "45 minutes"`},
		{`- {name: "1.2", layout: [{when: "", set: {a: 1}}]}`, `own.yaml:4:33: lines[0].layout[0].when: want a condition: NAME, !NAME or NAME=VALUE`},
		{`- {name: "1.2", layout: [{set: {a: null}}]}`, `own.yaml:4:36: lines[0].layout[0].set.a: null is not written, since Helm 3 and Helm 4 treat it differently: give a value or leave the key out`},
	}
	for _, tt := range tests {
		_, err := catalog.Parse("own.yaml", []byte("apiVersion: pm-gitops/v1\nkind: Catalog\nlines:\n"+tt.lines+"\n"))
		if err == nil || err.Error() != tt.want {
			t.Errorf("Parse(%s):\ngot  %v\nwant %s", tt.lines, err, tt.want)
		}
	}
}

// TestLinesLikeEachOther must not hang.
func TestLinesLikeEachOther(t *testing.T) {
	for lines, want := range map[string]string{
		"- {name: \"2.0\", like: \"2.1\"}\n- {name: \"2.1\", like: \"2.0\"}\n": "lines that are like each other: 2.1 -> 2.0 -> 2.1",
		"- {name: \"2.0\", like: \"9.9\"}\n":                                   `line "2.0" is like the unknown line "9.9"`,
	} {
		_, _, err := catalog.Embedded().With(parse(t, lines)).Find("prefect-cloud", "99.0.0")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Find: got %v, want %s", err, want)
		}
	}
}
