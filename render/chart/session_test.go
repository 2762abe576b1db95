package chart

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"

	standins "github.com/pm-gitops/pm-gitops/testdata/charts"
)

// TestSession: what a template cannot make otherwise is not rendered again, and
// everything else is.
func TestSession(t *testing.T) {
	const plain = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {b: {{ .Values.b | quote }}}\n"
	for _, tt := range []struct {
		name, template string
		values         map[string]any
		more           map[string][]byte
		want           int // executions for an install and an upgrade, each twice, for two releases
	}{
		{"plain", plain, nil, nil, 4}, // the first release confirms both facts
		{"random", plain + "# {{ randAlphaNum 8 }}", nil, nil, 8},
		{"random in a pipe", plain + "# {{ 8 | randAlphaNum | quote }}", nil, nil, 8},
		{"order of a map", plain + "# {{ keys .Values }}", nil, nil, 8},
		{"time", plain + "# {{ if .Values.on }}{{ now }}{{ end }}", nil, nil, 8},
		{"off", "{{ if .Values.on }}" + plain + "# {{ randAlphaNum 8 }}{{ end }}", nil, nil, 4},
		{"off, but kept", "{{ if .Values.on }}" + plain + "{{ end }}{{ $_ := set .Values \"b\" (randAlphaNum 8) }}", nil, nil, 8},
		{"in a partial", plain + `# {{ include "p" . }}`, nil, map[string][]byte{"templates/_p.tpl": []byte(`{{ define "p" }}{{ if .Values.on }}{{ uuidv4 }}{{ end }}{{ end }}`)}, 8},
		{"action", plain + "# {{ .Release.IsUpgrade }}", nil, nil, 5},
		{"action, indexed", plain + `# {{ if .Values.on }}{{ index .Release "IsUpgrade" }}{{ end }}`, nil, nil, 5},
		{"action, passed on", plain + `# {{ toJson .Release }}`, nil, nil, 5},
		{"action, by name", plain + `# {{ if .Values.on }}{{ toJson (get . "Release") }}{{ end }}`, nil, nil, 5},
		{"everything passed on", plain + `# {{ toJson . }}`, nil, nil, 5},
		{"name", plain + "# {{ $.Release.Name }}", nil, nil, 4},
		{"template in values", plain + "# {{ tpl .Values.b . }}", map[string]any{"b": "{{ if .Values.on }}{{ randAlphaNum 8 }}{{ end }}"}, nil, 8},
		{"no template in values", plain + "# {{ tpl .Values.b . }}", map[string]any{"b": "randAlphaNum"}, nil, 4},
		{"template in defaults", plain + "# {{ tpl .Values.c . }}", nil, map[string][]byte{"values.yaml": []byte("c: '{{ if .Values.on }}{{ now }}{{ end }}'\n")}, 8},
		{"template in a file", plain + `# {{ tpl (.Files.Get "f") . }}`, nil, map[string][]byte{"f": []byte("{{ if .Values.on }}{{ uuidv4 }}{{ end }}")}, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string][]byte{"Chart.yaml": []byte("apiVersion: v2\nname: a\nversion: 1.0.0\n"), "templates/a.yaml": []byte(tt.template)}
			for name, content := range tt.more {
				files[name] = content
			}
			own, err := FromFiles(files)
			if err != nil {
				t.Fatal(err)
			}
			in := Input{As: Flux("2.7"), Release: "r", Namespace: "n", Values: tt.values, OriginName: "r", OriginNamespace: "n"}
			executed := 0
			for _, in.Release = range []string{"r", "s"} {
				session := own.Session()
				for _, in.IsUpgrade = range []bool{false, false, true, true} {
					if _, err := session.Render(context.Background(), in); err != nil {
						t.Fatal(err)
					}
				}
				executed += session.executed
			}
			if executed != tt.want {
				t.Errorf("executed %d times, want %d", executed, tt.want)
			}
		})
	}
}

// TestSessionMakesTheSame: the stand-ins come out of a session as they do of a
// render.
func TestSessionMakesTheSame(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "testdata", "guide", "values-override.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(guide, &values); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{standins.Cloud, standins.Istiod} {
		archive, err := standins.Archive(name, "1.2.900")
		if err != nil {
			t.Fatal(err)
		}
		own, err := Load(archive)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // nothing is confirmed yet, and everything
			session := own.Session()
			for _, as := range []Renderer{Helm(), Flux("2.9"), Argo("2.14")} {
				for _, upgrade := range []bool{false, false, true, true} {
					in := Input{As: as, Release: "r", Namespace: "n", Values: values, IsUpgrade: upgrade, OriginName: "r", OriginNamespace: "n"}
					want, err := own.Render(context.Background(), in)
					if err != nil {
						t.Fatal(err)
					}
					got, err := session.Render(context.Background(), in)
					if err != nil {
						t.Fatal(err)
					}
					if !reflect.DeepEqual(got, want) {
						t.Errorf("%s as %s, upgrade %v: a session makes something else", name, as.Name, upgrade)
					}
				}
			}
		}
	}
}
