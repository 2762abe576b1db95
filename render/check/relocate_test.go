package check_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// onlyMirror has the settings of a user who pulls everything from elsewhere.
const onlyMirror = "registry: {mirror: registry.company.com/prefect, pullSecret: pull}"

// relocation names the checks whose fixes move images and name the login for them.
func relocation(f finding.Finding) bool {
	return f.ID == "foreign-image" || f.ID == "missing-pull-secret"
}

// TestRelocates: from a mirror and a pull secret alone, everything that a chart takes
// from elsewhere gets a fix that is proved, however it says its images and logins; with
// all of them nothing is found, and no object has a host that images came from.
func TestRelocates(t *testing.T) {
	var told string
	for _, tt := range []struct {
		name, spec string
		releases   []string
	}{
		{"three shapes", onlyMirror, []string{"shapes"}},
		{"an injector", onlyMirror, []string{"mesh"}},
		{"other last names", strings.Replace(onlyMirror, "pull}", "pull, map: {docker.io/bitnami: registry.company.com/cache, quay.io/acme/exporter: registry.company.com/tools/export}}", 1), []string{"shapes"}},
		{"no pull secret", "registry: {mirror: registry.company.com/prefect}", []string{"shapes", "mesh"}},
		{"the stand-ins", onlyMirror + "\nvalues: {prefect-istiod: {istioCNI: {enabled: true}}}", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := setting{once: true, spec: tt.spec}
			for i, key := range tt.releases {
				if s.template = sane; i == 0 {
					s.spec += "\nreleases:"
				}
				s.spec += "\n- {name: " + key + ", chart: oci://registry.company.com/charts/" + key + ", version: 1.0.0, namespace: apps}"
			}
			told += tt.name + "\n" + relocates(t, s, s.environment(), func(release render.Release) (chart.Chart, error) {
				if slices.Contains(tt.releases, release.Key) {
					return chart.FromFiles(testChart(t, release.Key))
				}
				return s.load(release)
			}, nil)
		})
	}
	golden(t, "testdata/relocated.txt", told)
}

// TestRelocatesHubAndImage: where the last name of an image becomes another one, the hub
// and the image beside it are set. What would move another image to a wrong place is
// a guess.
func TestRelocatesHubAndImage(t *testing.T) {
	s := setting{once: true, template: sane, spec: strings.Replace(onlyMirror, "pull}", "pull, map: {docker.io/mesh/control: registry.company.com/mesh/plane}}", 1) +
		"\nreleases: [{name: mesh, chart: oci://registry.company.com/charts/mesh, version: 1.0.0, namespace: apps}]"}
	found := tryMost(t, s, s.environment(), func(release render.Release) (chart.Chart, error) {
		if release.Key == "mesh" {
			return chart.FromFiles(testChart(t, "mesh"))
		}
		return s.load(release)
	}, finding.Info, 100, nil)
	var got strings.Builder
	for _, f := range found {
		if relocation(f) {
			fmt.Fprintf(&got, "%s %s %s (%s)\n", f.Object, f.Certainty, f.Fix, f.Doubt)
		}
	}
	want := `ConfigMap/sidecar-injector guess set spec.releases[0].values.global.hub=registry.company.com/prefect/docker.io/mesh (it changes Deployment/control spec.template.spec.containers[0].image too)
ConfigMap/sidecar-injector guess set spec.releases[0].values.global.hub=registry.company.com/prefect/docker.io/mesh (it changes Deployment/control spec.template.spec.containers[0].image too)
Deployment/control proved set spec.releases[0].values.hub=registry.company.com/mesh and set spec.releases[0].values.image=plane and set spec.releases[0].values.global.imagePullSecrets=["pull"] ()
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", &got, want)
	}
}

// TestRelocatesToPlaces: a hub that moves an image to where the mirror has it, and another
// one that only an injector names to where the mirror has nothing, is a guess.
func TestRelocatesToPlaces(t *testing.T) {
	s := setting{once: true, template: sane, spec: strings.Replace(onlyMirror, "pull}", "pull, map: {docker.io/mesh/control: registry.company.com/one/control}}", 1) +
		"\nreleases: [{name: mesh, chart: oci://registry.company.com/charts/mesh, version: 1.0.0, namespace: apps}]"}
	found := tryMost(t, s, s.environment(), func(release render.Release) (chart.Chart, error) {
		if release.Key != "mesh" {
			return s.load(release)
		}
		files := testChart(t, "mesh")
		for name, cut := range map[string][2]string{
			"templates/control.yaml":  {"$v.hub | default $v.global.hub", "$v.global.hub"},
			"templates/injector.yaml": {"          - name: init\n            image: {{ $v.global.hub }}/init:1.9.0\n", ""},
		} {
			files[name] = []byte(strings.Replace(string(files[name]), cut[0], cut[1], 1))
		}
		return chart.FromFiles(files)
	}, finding.Info, 100, nil)
	want := map[string]string{
		"Deployment/control":         "guess set spec.releases[0].values.global.hub=registry.company.com/one (it pulls registry.company.com/one/proxy, and the mirror has no image of the release there)",
		"ConfigMap/sidecar-injector": "guess set spec.releases[0].values.global.hub=registry.company.com/prefect/docker.io/mesh (it changes Deployment/control spec.template.spec.containers[0].image too)",
	}
	for _, f := range ofID(found, "foreign-image") {
		if got := fmt.Sprintf("%s %s (%s)", f.Certainty, f.Fix, f.Doubt); got != want[f.Object.String()] {
			t.Errorf("%s: got\n%s\nwant\n%s", f.Object, got, want[f.Object.String()])
		}
		delete(want, f.Object.String())
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
}

// TestRelocatesTexts: what a fix changes in the text of a ConfigMap is asked for as far as
// it is images and pull secrets. Anything else is a doubt.
func TestRelocatesTexts(t *testing.T) {
	const (
		hub    = "registry.company.com/prefect/docker.io/acme"
		proved = "proved set spec.releases[0].values.hub=" + hub + ` and set spec.releases[0].values.imagePullSecrets=["pull"]`
		guess  = "guess set spec.releases[0].values.hub=" + hub
	)
	for name, tt := range map[string]struct{ text, want string }{
		"a document":              {`{{ dict "hub" .Values.hub "imagePullSecrets" .Values.imagePullSecrets | toJson }}`, proved},
		"a document in a text":    {`{{ dict "inner" (dict "hub" .Values.hub "pullSecrets" .Values.imagePullSecrets | toYaml) | toYaml | nindent 4 }}`, proved},
		"values that are set":     {`{{ dict "set" (omit .Values "user" "hub" "imagePullSecrets") "hub" .Values.hub | toJson }}`, proved},
		"a sentence":              {`pulls from {{ .Values.hub }}/app, and not {{ .Values.user }}`, proved},
		"an address":              {`see https://{{ .Values.hub }}`, proved},
		"another name there":      {`see {{ .Values.hub }}-next`, proved},
		"a longer name":           {`see {{ .Values.hub }}-next`, strings.Replace(guess, hub, "registry.company.com/own", 1) + " (it changes ConfigMap/text data.text too)"},
		"a hub of others too":     {`other images come from {{ .Values.hub }}`, strings.Replace(guess, hub, "registry.company.com/own", 1) + " (it changes ConfigMap/text data.text too)"},
		"a longer host":           {`see mirror.{{ .Values.hub }}`, guess + " (it changes ConfigMap/text data.text too)"},
		"a port":                  {`see {{ .Values.hub | replace "/acme" ":5000" }}`, guess + " (it changes ConfigMap/text data.text too)"},
		"another image":           {`{{ dict "image" (ternary "old" .Values.hub (eq .Values.hub "docker.io/acme")) | toJson }}`, guess + " (it changes ConfigMap/text data.text: image too)"},
		"a policy that goes":      {`{{ dict "imagePullPolicy" (ternary "Always" "" (eq .Values.hub "docker.io/acme")) | toJson }}`, guess + " (it changes ConfigMap/text data.text: imagePullPolicy too)"},
		"another value there":     {`{{ dict "hub" (ternary "old" .Values.hub (eq .Values.hub "docker.io/acme")) | toJson }}`, guess + " (it changes ConfigMap/text data.text: hub too)"},
		"a path elsewhere":        {`see other.example.com/{{ .Values.hub }}`, guess + " (it changes ConfigMap/text data.text too)"},
		"a word more":             {`pulls from {{ .Values.hub }}{{ if ne .Values.hub "docker.io/acme" }} alone{{ end }}`, guess + " (it changes ConfigMap/text data.text too)"},
		"a key more":              {`{{ dict "hub" .Values.hub "own" (ne .Values.hub "docker.io/acme") | toJson }}`, guess + " (it changes ConfigMap/text data.text: own too)"},
		"four keys more":          {`{{ $l := len .Values.hub }}{{ dict "hub" .Values.hub "a" $l "b" $l "c" $l "d" $l | toJson }}`, guess + " (it changes ConfigMap/text data.text: a, ConfigMap/text data.text: b, ConfigMap/text data.text: c and 1 more too)"},
		"lines of a template":     {"{{ `{{ if .X }}` }}\n    spec:{{ with .Values.imagePullSecrets }}\n      imagePullSecrets:{{ range . }}\n      - name: {{ . }}{{ end }}{{ end }}\n      image: {{ .Values.hub }}/app:1\n    {{ `{{ end }}` }}", proved},
		"a line more":             {"{{ `{{ if .X }}` }}\n    spec:{{ with .Values.imagePullSecrets }}\n      imagePullSecrets:{{ range . }}\n      - name: {{ . }}{{ end }}\n      hostNetwork: true{{ end }}\n    {{ `{{ end }}` }}", guess + " (then missing-pull-secret is found at Deployment/app)"},
		"the secret as something": {"{{ `{{ if .X }}` }}\n    spec:{{ with .Values.imagePullSecrets }}\n      volumes:{{ range . }}\n      - name: {{ . }}{{ end }}{{ end }}\n    {{ `{{ end }}` }}", guess + " (then missing-pull-secret is found at Deployment/app)"},
		"another key of secrets":  {`{{ dict "secrets" .Values.imagePullSecrets | toJson }}`, guess + " (then missing-pull-secret is found at Deployment/app)"},
		"a comment more":          {"|\n    # {{ .Values.hub | upper }}\n    a: b", guess + " (it changes ConfigMap/text data.text too)"},
	} {
		t.Run(name, func(t *testing.T) {
			text := tt.text
			if !strings.HasPrefix(text, "|") {
				text = "|-\n    " + text
			}
			s := setting{once: true, values: "hub: docker.io/acme\nimagePullSecrets: []\nuser: me\n", template: strings.NewReplacer(
				"registry.company.com/app", "{{ .Values.hub }}/app", "spec: {containers", "spec: {imagePullSecrets: [{{ range .Values.imagePullSecrets }}{name: {{ . }}}{{ end }}], containers").Replace(sane)}.
				with("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: text}\ndata:\n  text: "+text+"\n").on("", onlyMirror)
			if name == "a hub of others too" {
				s.spec = strings.Replace(s.spec, "pull}", "pull, map: {docker.io/acme/app: registry.company.com/own/app}}", 1)
			}
			if name == "a longer name" {
				s.spec = strings.Replace(s.spec, "pull}", "pull, map: {docker.io/acme: registry.company.com/own}}", 1)
			}
			found := ofID(tried(t, s), "foreign-image")
			if len(found) == 0 {
				t.Fatal("nothing is found")
			}
			got := fmt.Sprintf("%s %s", found[len(found)-1].Certainty, found[len(found)-1].Fix)
			if doubt := found[len(found)-1].Doubt; doubt != "" {
				got += " (" + doubt + ")"
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestRelocatesPublicCharts does so with charts that others made.
func TestRelocatesPublicCharts(t *testing.T) {
	load := publicCharts(t)
	text := publicEnvironment + "  " + onlyMirror + "\n"
	var stayed []string
	told := relocates(t, setting{once: true}, text, load, func(f finding.Finding) bool {
		stays := strings.Contains(f.Message, "image busybox:1.28 ") // written in a file of the chart
		if stays {
			stayed = append(stayed, f.Object.String()+" "+f.Field)
		}
		return stays
	})
	golden(t, "testdata/relocated-public.txt", told)
	if len(stayed) == 0 {
		t.Error("the image of a file of the chart is not found")
	}
}

// TestRelocatesHosts: a host that images come from becomes a host and a path. Where a text
// has the host alone, or an address there, that may be no place of images.
func TestRelocatesHosts(t *testing.T) {
	for text, wantDoubt := range map[string]string{
		"registry: {{ .Values.image.registry }}":          "",
		"pulls {{ .Values.image.registry }}/acme/other:1": "",
		"localhost,{{ .Values.image.registry }}":          "it changes ConfigMap/text data.text too",
		"see https://{{ .Values.image.registry }}/v2/":    "it changes ConfigMap/text data.text too",
		"{{ .Values.image.registry }}":                    "it changes ConfigMap/text data.text too",
	} {
		template := strings.Replace(sane, "registry.company.com/app", "{{ .Values.image.registry }}/acme/app", 1)
		s := setting{once: true, values: "image: {registry: quay.io}\n", template: template}.
			with("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: text}\ndata:\n  text: |-\n    "+text+"\n").on("", "registry: {mirror: registry.company.com/prefect}")
		found := ofID(tried(t, s), "foreign-image")
		if len(found) == 0 || found[len(found)-1].Doubt != wantDoubt {
			t.Errorf("%s: got %s, want the doubt %q", text, toldShort(found), wantDoubt)
		}
	}
}

// TestPullSecretsAreReferences: where pods name the pull secrets of a list, and a
// ServiceAccount gets the list itself, names make a ServiceAccount that the API server refuses.
func TestPullSecretsAreReferences(t *testing.T) {
	template := strings.Replace(sane, "spec: {containers", "spec: {imagePullSecrets: [{{ range .Values.imagePullSecrets }}{name: {{ . }}}{{ end }}], containers", 1)
	for account, want := range map[string]string{
		"{{ toJson .Values.imagePullSecrets }}":                           "guess (it changes ServiceAccount/other imagePullSecrets too)",
		"[{{ range .Values.imagePullSecrets }}{name: {{ . }}},{{ end }}]": "proved ()",
	} {
		s := setting{once: true, values: "imagePullSecrets: []\n", template: template}.
			with("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: other}\nimagePullSecrets: "+account+"\n").on("", "registry: {mirror: registry.company.com, pullSecret: pull}")
		found := ofID(tried(t, s), "missing-pull-secret")
		if len(found) != 1 {
			t.Fatalf("%s: got %s, want one finding", account, toldShort(found))
		}
		if got := fmt.Sprintf("%s (%s)", found[0].Certainty, found[0].Doubt); got != want {
			t.Errorf("%s: got %s, want %s", account, got, want)
		}
	}
}

// testChart reads the files of a chart below testdata.
func testChart(t *testing.T, name string) map[string][]byte {
	t.Helper()
	files, root := map[string][]byte{}, os.DirFS(filepath.Join("testdata", "testcharts", name))
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[path], err = fs.ReadFile(root, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// relocates applies the fixes of images and pull secrets, wants them to be proved and
// to be all that is needed, and gives what they set. Of what may stay, fixes may be none.
func relocates(t *testing.T, s setting, text string, load func(render.Release) (chart.Chart, error), stays func(finding.Finding) bool) string {
	t.Helper()
	before := inputOf(t, s, text, load)
	set := map[string]render.Setting{}
	var told []string
	count := 0
	found := tryMost(t, s, text, load, finding.Info, 100, &count)
	if count > 50 {
		t.Errorf("the environment is rendered %d times more: check does it at most 50 times", count)
	}
	for _, f := range found {
		if !relocation(f) || stays != nil && stays(f) {
			continue
		}
		if f.Certainty != finding.Proved {
			t.Errorf("%s: %s: %s %s (%s)", f.Object, f.Message, f.Certainty, f.Fix, f.Doubt)
		}
		if f.Set != nil && f.Setting != f.Set[0].Field {
			t.Errorf("%s: at %s, and its fix sets %s", f.Object, f.Setting, f.Set[0].Field)
		}
		for _, proposal := range f.Set {
			if other, known := set[proposal.Field]; known && other.Value != nil && toJSON(other.Value) != toJSON(proposal.Value) {
				t.Errorf("%s: two values", proposal.Field)
			}
			set[proposal.Field] = proposal.Setting()
		}
	}
	var settings []render.Setting
	for _, field := range slices.Sorted(maps.Keys(set)) {
		settings = append(settings, set[field])
		told = append(told, field+": "+toJSON(set[field].Value))
	}
	env, err := before.Environment.With(settings...)
	if err != nil {
		t.Fatal(err)
	}
	after, err := inputFor(t, s, env, load)
	if err != nil {
		t.Fatal(err)
	}
	left, err := check.Run(after)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if relocation(f) && (stays == nil || !stays(f)) {
			t.Errorf("with all fixes there is %s", toldShort([]finding.Finding{f}))
		}
	}
	host := regexp.MustCompile(`(?:^|[^/\w])(?:quay\.io|docker\.io|registry\.k8s\.io|us-docker\.pkg\.dev)\b`)
	hosts := 0
	for i, r := range after.Releases {
		for _, made := range before.Releases[i].Install.Objects {
			hosts += len(host.FindAll(made.YAML, -1))
		}
		for _, made := range slices.Concat(r.Install.Objects, r.Upgrade.Objects, r.Install.Later()) {
			if at := host.FindIndex(made.YAML); at != nil && made.Kind != "CustomResourceDefinition" {
				t.Errorf("%s/%s still has %s", made.Kind, made.Name, made.YAML[at[0]:])
			}
		}
	}
	if hosts == 0 {
		t.Error("nothing came from elsewhere")
	}
	return strings.Join(told, "\n") + "\n"
}

func toJSON(value any) string {
	data, _ := json.Marshal(value)
	return string(data)
}
