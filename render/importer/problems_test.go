package importer_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/importer"
)

// imported is what comes of one file, by the embedded catalog.
func imported(text string) (importer.Result, error) {
	return importer.Environment([]importer.File{{Name: "o.yaml", Data: []byte(text)}}, catalog.Embedded(), importer.Options{Name: "prod"})
}

// TestProblems is overrides that cannot be imported: each says why, and none
// repeats a value.
func TestProblems(t *testing.T) {
	const out = ", and no chart value in a list, or below a key with a dot, can come from a Secret: let the chart read it from one (existingSecret, or valueFrom of an environment variable), and import what is left"
	tests := []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", []string{"o.yaml: the file is empty"}},
		{"no mapping", "- a\n", []string{"o.yaml:1:1: want chart values, a mapping, got a list"}},
		{"computed values", "COMPUTED VALUES:\na: CANARY\n", []string{"o.yaml:1:1: these are all values, the chart's defaults among them, and would be kept for ever: want the ones that you gave, from `helm get values` without --all"}},
		{"twice, and null", "a: 1\na: 2\n", []string{"o.yaml:2:1: a: the key is given twice, first on line 1"}},
		{"nulls", "a: null\nb:\n  c:\nd: [~]\n", []string{
			"o.yaml:1:4: a: null is not written, since Helm 3 and Helm 4 treat it differently: give a value or leave the key out",
			"o.yaml:3:5: b.c: null is not written, since Helm 3 and Helm 4 treat it differently: give a value or leave the key out",
			"o.yaml:4:5: d[0]: null is not written, since Helm 3 and Helm 4 treat it differently: give a value or leave the key out"}},
		{"secrets out of reach", "env:\n- {name: DB_PASSWORD, value: CANARY}\nargs: [--password=CANARY]\nlabels: {a.b/token: CANARY}\ntokens: {apiKey: [CANARY]}\n", []string{
			"o.yaml:2:30: env[0].value: the name is that of a secret" + out,
			"o.yaml:3:8: args[0]: the text looks as if a secret were in it" + out,
			`o.yaml:4:21: labels["a.b/token"]: the key names a secret` + out,
			"o.yaml:5:18: tokens.apiKey: the key names a secret, and a whole list cannot come from a Secret: let the chart read it from one, and import what is left"}},
		{"a secret where a field is", "global: {frontendUrl: \"https://me:CANARY@prefect.company.com\"}\n", []string{
			"o.yaml:1:23: global.frontendUrl: the value is secret, and spec.instance.frontendUrl sets it: write it without its secret, or take it out, and import what is left"}},
		{"three providers", "global: {authProvider: {okta: {clientSecret: CANARY}, adfs: {clientSecret: CANARY}, entra: {clientSecret: CANARY}}}\n", []string{
			"o.yaml:1:1: the values are about okta, adfs or entra, and do not say which is in use: take out the others, and import what is left"}},
		{"encrypted", "a: \"ENC[AES256_GCM,data:x]\"\nb: \"ENC[AES256_GCM,data:x]\"\n", []string{"o.yaml:1:4: a: the file is encrypted with SOPS: decrypt it first"}},
		{"an environment", "apiVersion: pm-gitops/v1\nkind: Environment\n", []string{"o.yaml:1:1: kind: this is an environment file already"}},
		{"another object", "apiVersion: v1\nkind: Secret\nstringData: {a: CANARY}\n", []string{"o.yaml:1:1: no HelmRelease or Application of prefect-cloud or prefect-istiod is here; say whose the only one is with prefect-cloud=o.yaml"}},
		{"values beside objects", "a: 1\n---\napiVersion: v1\nkind: Secret\n", []string{"o.yaml:1:1: want one document of chart values, or a stream of Kubernetes objects with apiVersion and kind"}},
		{"two values files in one", "a: 1\n---\nb: 1\n", []string{"o.yaml:3:1: want one document of chart values, or a stream of Kubernetes objects with apiVersion and kind"}},
		{"not YAML in the second", "a: 1\n---\nb: [\n", []string{"o.yaml:4:1: not valid YAML: did not find expected node content: a bracket, brace or comma is too many, or a value is missing"}},
		{"a directive", "$patch: delete\n", []string{"o.yaml:1:1: $patch: a key that begins with $, or is <<, is a directive of kustomize or YAML and cannot reach the chart"}},
		{"too large a number", "a: 12345678901234567890\n", []string{"o.yaml:1:4: a: the number would not reach the chart as it is written, since charts get 64-bit floats: put it in quotes, or write it in plain decimal digits, without needless ones"}},
		{"a whole number that no float is", "a: {b: 9007199254740993}\n", []string{"o.yaml:1:8: a.b: the number would not reach the chart as it is written, since charts get 64-bit floats: put it in quotes, or write it in plain decimal digits, without needless ones"}},
		{"installed twice", strings.Repeat("---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: prefect-cloud, namespace: a}\n", 2), []string{
			"o.yaml:6:1: HelmRelease a/prefect-cloud installs prefect-cloud, and so does HelmRelease a/prefect-cloud (o.yaml:2:1): give one of them"}},
		{"a parameter that no float is", application("parameters: [{name: a.b, value: \"9007199254740993\"}]"), []string{"o.yaml:6:62: a.b: the number would not reach the chart as it is written, since charts get 64-bit floats: put it in quotes, or write it in plain decimal digits, without needless ones"}},
		{"parameters", application("parameters: [{name: a, value: $CANARY}, {name: \"a[99999]\", value: b}, {name: \"a[\", value: CANARY}, {name: b, value: \"null\"}]"), []string{
			"o.yaml:6:63: helm.parameters: Argo CD replaces what begins with $ in a parameter: write down what it gives, under valuesObject",
			"o.yaml:6:90: helm.parameters: want a list index from 0 to 1000 in the parameter's name",
			"o.yaml:6:120: helm.parameters: Helm does not take this parameter",
			"o.yaml:6:62: b: null is not written, since Helm 3 and Helm 4 treat it differently: give a value or leave the key out"}},
		{"embedded values", application("values: \"a: [CANARY\""), []string{"o.yaml:6:58: helm.values: not valid YAML: did not find expected ',' or ']': a bracket or brace that opens here is not closed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := imported(tt.text)
			got := messages(err)
			if strings.Contains(strings.Join(got, ""), "CANARY") {
				t.Errorf("a message repeats a secret: %q", got)
			}
			if diff := cmp.Diff(set(tt.want), set(got)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func application(helm string) string {
	return "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  source:\n    {repoURL: r.io, chart: prefect-cloud, helm: {" + helm + "}}\n"
}

func set(list []string) map[string]bool {
	all := map[string]bool{}
	for _, item := range list {
		all[item] = true
	}
	return all
}

// TestNotes is what is not taken over and deserves a word.
func TestNotes(t *testing.T) {
	const release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: prefect-cloud, namespace: flux-system}\nspec:\n"
	tests := []struct{ name, text, want string }{
		{"history elsewhere", release + "  targetNamespace: prefect\n", "o.yaml:1:1: Helm keeps the history of this release in namespace flux-system, and that of an environment is in the release's own, prefect: move its Secrets sh.helm.release.v1.prefect-prefect-cloud.* there first, or Helm installs a second time"},
		{"values elsewhere", release + "  valuesFrom: [{kind: ConfigMap, name: more}]\n", "o.yaml:5:16: spec.valuesFrom: the values of ConfigMap more are not here: give them too, with a further --from"},
		{"patches", release + "  postRenderers: [{kustomize: {}}]\n", "o.yaml:5:18: spec.postRenderers: not imported: an environment has no such thing"},
		{"variables", release + "  values: {a: \"${region}\"}\n", "o.yaml:5:15: a: where a Kustomization of Flux fills in ${…}, this is not what the chart gets: import what is in the cluster (kubectl get helmrelease -o yaml)"},
		{"a range", release + "  chart: {spec: {chart: prefect-cloud, version: 1.2.x}}\n", "o.yaml:1:1: not taken over: spec.versions.prefectCloud does not take what is there (want an exact chart version such as 1.2.3)"},
		{"value files", application("valueFiles: [a.yaml]"), "o.yaml:6:63: helm.valueFiles: what the value file says is not here: give it too, with a --from before this one"},
		{"another place", application("valuesObject: {}"), "o.yaml:6:5: the chart of Application /a comes from another place than an environment takes it from: have it at us-docker.pkg.dev/prefect-prd-customer-managed/cloud/charts/prefect-cloud, too"},
		{"a key", "a: {y: 1}\n", "o.yaml:1:4: a.true: Helm reads another key than is written here, and the environment has what Helm reads: was a text in quotes meant?"},
		{"a number", "a: 2025.10\n", "o.yaml:1:4: a: Helm reads another number than is written here, and the environment has what Helm reads: was a text in quotes meant?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, err := imported(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := messages(result.Notes); !set(got)[tt.want] {
				t.Errorf("notes %q, want %q", got, tt.want)
			}
		})
	}
}

// TestSeveralFiles lays later files over earlier ones, as Helm does with -f,
// and takes what each says of its release.
func TestSeveralFiles(t *testing.T) {
	result, err := importer.Environment([]importer.File{
		{Name: "base.yaml", Data: []byte("services: {a: {x: 1, z: [1, 2]}}\nglobal: {instanceName: one}\n")},
		{Name: "prod.yaml", Data: []byte("services: {a: {z: [3]}}\nglobal: {instanceName: two}\n")},
		{Name: "istiod.yaml", Data: []byte("a: 1\n"), Release: render.PrefectIstiod},
	}, catalog.Embedded(), importer.Options{Name: "prod", PrefectCloud: "1.2.900", PrefectIstiod: "1.2.900"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"name: two\n", "  versions:\n    prefectIstiod: \"1.2.900\"\n    prefectCloud: \"1.2.900\"\n",
		"  values:\n    prefect-cloud:\n      services:\n        a:\n          x: 1\n          z:\n          - 3\n    prefect-istiod:\n      a: 1\n",
	} {
		if !strings.Contains(string(result.YAML), want) {
			t.Errorf("the environment does not say %q:\n%s", want, result.YAML)
		}
	}
}

// TestWhose tells the vendor's releases from others.
func TestWhose(t *testing.T) {
	const release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: %s, namespace: istio-system}\nspec: {values: {a: 1}%s}\n"
	tests := []struct{ name, object, chart, said, want string }{
		{"by chart", "x", ", chart: {spec: {chart: prefect-istiod}}", "", render.PrefectIstiod},
		{"by name", "prefect-istiod", ", chartRef: {kind: OCIRepository, name: y}", "", render.PrefectIstiod},
		{"by the guide's name", "istiod", "", "", render.PrefectIstiod},
		{"Istio's own", "istiod", ", chart: {spec: {chart: istiod}}", "", ""},
		{"not at all", "x", ", chart: {spec: {chart: y}}", "", ""},
		{"because somebody says so", "x", ", chart: {spec: {chart: y}}", render.PrefectCloud, render.PrefectCloud},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := importer.File{Name: "o.yaml", Data: fmt.Appendf(nil, release, tt.object, tt.chart), Release: tt.said}
			result, err := importer.Environment([]importer.File{file}, catalog.Embedded(), importer.Options{Name: "prod"})
			got := ""
			for _, kept := range result.Values {
				got = kept.Release
			}
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("the values are of %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

// TestCharts says where charts must be, when that is another place.
func TestCharts(t *testing.T) {
	const flux = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: prefect-cloud}\nspec: {chart: {spec: {chart: prefect-cloud, sourceRef: {kind: HelmRepository, name: r}}}}\n"
	repository := func(url string) string {
		return flux + "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: r}\nspec: {url: \"" + url + "\"}\n"
	}
	tests := []struct{ name, text, mirror, note string }{
		{"unknown", flux, "", "nothing says how the charts are pulled from " + render.VendorRegistry},
		{"the vendor's", repository("oci://" + render.VendorRegistry + "/charts"), "", ""},
		{"a mirror", repository("oci://r.io/prefect/charts"), "r.io/prefect", ""},
		{"another folder", repository("oci://r.io/helm"), "", "another place"},
		{"no OCI registry", repository("https://me:CANARY@r.io/charts"), "", "another place"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, err := imported(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			notes := strings.Join(messages(result.Notes), "\n")
			if tt.mirror != "" && !strings.Contains(string(result.YAML), "mirror: "+tt.mirror+"\n") || tt.mirror == "" && strings.Contains(string(result.YAML), "mirror:") {
				t.Errorf("want mirror %q:\n%s", tt.mirror, result.YAML)
			}
			if !strings.Contains(notes, tt.note) || tt.note == "" && len(result.Notes) > 0 || strings.Contains(notes, "CANARY") {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
		})
	}
}

// TestOwnCatalog makes fields of what only a catalog of the user's knows.
func TestOwnCatalog(t *testing.T) {
	source, err := os.ReadFile("../../testdata/env/shared/stand-in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	own, err := catalog.Parse("stand-in.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.Embedded().With(own)
	text := "ingress: {enabled: true, name: a, className: nginx, annotations: {\"a.b/c\": \"0\"}}\n"
	result, err := importer.Environment([]importer.File{{Name: "o.yaml", Data: []byte(text)}}, cat, importer.Options{Name: "prod", PrefectCloud: "1.2.900"})
	if err != nil {
		t.Fatal(err)
	}
	if want := "  ingress:\n    className: nginx\n    name: a\n    annotations:\n      a.b/c: \"0\"\n"; !strings.Contains(string(result.YAML), want) {
		t.Errorf("the environment does not say %q:\n%s", want, result.YAML)
	}
}

// TestReferences gives every secret a key of its own.
func TestReferences(t *testing.T) {
	result, err := imported("smtp: {password: CANARY}\nglobal: {smtp: {password: CANARY, bindPassword: CANARY}}\nToken: CANARY\n_: {secret: CANARY}\n")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, secret := range result.Secrets {
		got[secret.Path] = fmt.Sprintf("%s/%s", secret.From.Secret, secret.From.Key)
	}
	want := map[string]string{
		"global.smtp.password": "prefect-smtp/password", "smtp.password": "prefect-smtp/password-2", "global.smtp.bindPassword": "prefect-smtp/bind-password",
		"Token": "prefect-values/token", "_.secret": "prefect-value/secret",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

// FuzzEnvironment holds the reader to its promises: whatever a file says,
// nothing panics, every refusal says where, no secret comes out, and what comes
// out has been compared with what went in.
func FuzzEnvironment(f *testing.F) {
	for name := range overrides {
		data, err := os.ReadFile(folder + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	cat := catalog.Embedded()
	f.Fuzz(func(t *testing.T, data []byte) {
		result, err := importer.Environment([]importer.File{{Name: "fuzz.yaml", Data: data}}, cat, importer.Options{Name: "prod"})
		problems := result.Notes
		if err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
			t.Errorf("an input is refused without a place: %v", err)
		}
		for _, problem := range problems { // a path is keys, which are no secrets
			if problem.Position.File != "fuzz.yaml" || strings.Contains(problem.Message, "CANARY") {
				t.Errorf("a message without a place, or with a secret: %s", problem)
			}
		}
	})
}

// TestPullSecret: values alone do not say how charts are pulled from the vendor's
// registry, which is private.
func TestPullSecret(t *testing.T) {
	const mirrored = "global: {backend: {app: {image: {repository: r.io/prefect/server}}}}\nui: {cloud2: {image: {repository: r.io/prefect/ui}}}\n"
	for text, want := range map[string]bool{"env: {a: b}\n": true, mirrored: false} {
		result, err := imported(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(result.YAML), "pullSecret: prefect-registry\n"); got != want {
			t.Errorf("%s: a pull secret: %v, want %v:\n%s", text, got, want, result.YAML)
		}
	}
}
