package importer_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
)

// originals is the values of an override by release, as Helm reads values
// files, and as the types of Flux and Argo CD read their objects: nothing of
// ours has a part in it.
func originals(t *testing.T, o override, data []byte) map[string]map[string]any {
	t.Helper()
	values := map[string]map[string]any{}
	data = bytes.TrimPrefix(data, []byte("USER-SUPPLIED VALUES:\n"))
	if !bytes.Contains(data, []byte("\nkind: ")) {
		read, err := chartutil.ReadValues(data)
		if err != nil {
			t.Fatal(err)
		}
		key := render.PrefectCloud
		if o.release != "" {
			key = o.release
		}
		values[key] = read
		return values
	}
	for _, document := range strings.Split(string(data), "\n---\n") {
		var object struct {
			Kind  string
			Items []json.RawMessage
		}
		decode(t, []byte(document), &object)
		for _, item := range object.Items {
			original(t, item, values)
		}
		original(t, []byte(document), values)
	}
	return values
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func original(t *testing.T, data []byte, values map[string]map[string]any) {
	t.Helper()
	var object struct{ Kind string }
	decode(t, data, &object)
	switch object.Kind {
	case "HelmRelease":
		var release helmv2.HelmRelease
		decode(t, data, &release)
		key := render.PrefectCloud
		if strings.Contains(release.Name, "istiod") {
			key = render.PrefectIstiod
		}
		if release.Name != "worker" {
			values[key] = release.GetValues()
		}
	case "Application":
		var application v1alpha1.Application
		decode(t, data, &application)
		for _, source := range application.Spec.GetSources() {
			if source.Helm != nil {
				values[render.PrefectCloud] = argoValues(t, source.Helm)
			}
		}
	}
}

// argoValues is what Argo CD hands to Helm: a values file, --set and then
// --set-string.
func argoValues(t *testing.T, helm *v1alpha1.ApplicationSourceHelm) map[string]any {
	t.Helper()
	values, err := chartutil.ReadValues(helm.ValuesYAML())
	if err != nil {
		t.Fatal(err)
	}
	for _, asText := range []bool{false, true} {
		for _, parameter := range helm.Parameters {
			set := parameter.Name + "=" + parameter.Value
			if !strings.HasPrefix(parameter.Value, "{") {
				set = strings.ReplaceAll(set, ",", `\,`)
			}
			switch {
			case asText != parameter.ForceString:
				continue
			case asText:
				err = strvals.ParseIntoString(set, values)
			default:
				err = strvals.ParseInto(set, values)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	// Numbers of --set are integers, those of files floats, as in Helm.
	data, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	read, err := chartutil.ReadValues(data)
	if err != nil {
		t.Fatal(err)
	}
	return read
}
