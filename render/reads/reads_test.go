package reads_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestReferences: each field that names another object is found, and says
// whether a pod starts without it.
func TestReferences(t *testing.T) {
	pod := func(spec string) string {
		return "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a}], " + spec + "}}"
	}
	container := func(kind, spec string) string {
		return "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a}], " + kind + ": [{" + spec + "}]}}"
	}
	must := func(kind, path string, keys ...string) reads.Reference {
		r := reads.Reference{Kind: kind, Name: "it", Path: "spec." + path, Blocking: true, Keys: keys}
		if kind == "Secret" {
			r.Type = "Opaque"
		}
		return r
	}
	for text, want := range map[string]reads.Reference{
		pod("serviceAccountName: it"):                                                                                must("ServiceAccount", "serviceAccountName"),
		pod("volumes: [{secret: {secretName: it}}]"):                                                                 must("Secret", "volumes[0].secret.secretName"),
		pod("volumes: [{secret: {secretName: it, items: [{key: b}, {key: a}]}}]"):                                    must("Secret", "volumes[0].secret.secretName", "b", "a"),
		pod("volumes: [{configMap: {name: it, items: [{key: a}]}}]"):                                                 must("ConfigMap", "volumes[0].configMap.name"),
		pod("volumes: [{persistentVolumeClaim: {claimName: it}}]"):                                                   must("PersistentVolumeClaim", "volumes[0].persistentVolumeClaim.claimName"),
		pod("volumes: [{projected: {sources: [{configMap: {name: it}}]}}]"):                                          must("ConfigMap", "volumes[0].projected.sources[0].configMap.name"),
		pod("volumes: [{projected: {sources: [{}, {secret: {name: it, items: [{key: a}]}}]}}]"):                      must("Secret", "volumes[0].projected.sources[1].secret.name", "a"),
		pod("volumes: [{azureFile: {secretName: it}}]"):                                                              must("Secret", "volumes[0].azureFile.secretName"),
		pod("volumes: [{cephfs: {secretRef: {name: it}}}]"):                                                          must("Secret", "volumes[0].cephfs.secretRef.name"),
		pod("volumes: [{csi: {nodePublishSecretRef: {name: it}}}]"):                                                  must("Secret", "volumes[0].csi.nodePublishSecretRef.name"),
		pod("volumes: [{flexVolume: {secretRef: {name: it}}}]"):                                                      must("Secret", "volumes[0].flexVolume.secretRef.name"),
		pod("volumes: [{iscsi: {secretRef: {name: it}}}]"):                                                           must("Secret", "volumes[0].iscsi.secretRef.name"),
		pod("volumes: [{rbd: {secretRef: {name: it}}}]"):                                                             must("Secret", "volumes[0].rbd.secretRef.name"),
		pod("volumes: [{scaleIO: {secretRef: {name: it}}}]"):                                                         must("Secret", "volumes[0].scaleIO.secretRef.name"),
		pod("volumes: [{storageos: {secretRef: {name: it}}}]"):                                                       must("Secret", "volumes[0].storageos.secretRef.name"),
		container("initContainers", "envFrom: [{secretRef: {name: it}}]"):                                            must("Secret", "initContainers[0].envFrom[0].secretRef.name"),
		container("ephemeralContainers", "envFrom: [{configMapRef: {name: it}}]"):                                    must("ConfigMap", "ephemeralContainers[0].envFrom[0].configMapRef.name"),
		container("initContainers", "env: [{valueFrom: {secretKeyRef: {name: it, key: a}}}]"):                        must("Secret", "initContainers[0].env[0].valueFrom.secretKeyRef.name", "a"),
		container("initContainers", "env: [{valueFrom: {configMapKeyRef: {name: it, key: a}}}]"):                     must("ConfigMap", "initContainers[0].env[0].valueFrom.configMapKeyRef.name"),
		pod("volumes: [{secret: {secretName: it, optional: true}}]"):                                                 {Kind: "Secret", Name: "it", Path: "spec.volumes[0].secret.secretName", Type: "Opaque", Optional: true},
		pod("imagePullSecrets: [{name: it}]"):                                                                        {Kind: "Secret", Name: "it", Path: "spec.imagePullSecrets[0].name", Type: "kubernetes.io/dockerconfigjson", Keys: []string{".dockerconfigjson"}},
		"{apiVersion: v1, kind: ServiceAccount, imagePullSecrets: [{name: it}]}":                                     {Kind: "Secret", Name: "it", Path: "imagePullSecrets[0].name", Type: "kubernetes.io/dockerconfigjson", Keys: []string{".dockerconfigjson"}},
		"{apiVersion: v1, kind: ServiceAccount, secrets: [{name: it}]}":                                              {Kind: "Secret", Name: "it", Path: "secrets[0].name", Type: "Opaque", Optional: true},
		"{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: {tls: [{hosts: [a]}, {secretName: it}]}}":           {Kind: "Secret", Name: "it", Path: "spec.tls[1].secretName", Type: "kubernetes.io/tls", Keys: []string{"tls.crt", "tls.key"}},
		"{apiVersion: a/v1, kind: Any, spec: {inner: {spec: {containers: [{envFrom: [{secretRef: {name: it}}]}]}}}}": must("Secret", "inner.spec.containers[0].envFrom[0].secretRef.name"),
	} {
		if diff := cmp.Diff([]reads.Reference{want}, reads.References(object(t, text))); diff != "" {
			t.Errorf("References(%s) (-want +got):\n%s", text, diff)
		}
	}
	for _, none := range []string{
		"{apiVersion: other/v1, kind: Ingress, spec: {tls: [{secretName: it}]}}",
		"{apiVersion: a/v1, kind: ServiceAccount, secrets: [{name: it}]}",
		"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {spec: {containers: [{envFrom: [{secretRef: {name: it}}]}]}}}",
		pod("volumes: [{secret: {secretName: ''}}, {secret: n}, n]"),
	} {
		if got := reads.References(object(t, none)); len(got) > 0 {
			t.Errorf("References(%s) = %v, want none", none, got)
		}
	}
}

// TestMakes: a Secret is made by itself, and by what its controllers document.
func TestMakes(t *testing.T) {
	for made, want := range map[string][]string{
		"{apiVersion: v1, kind: Secret, metadata: {name: a}}":                               {"a"},
		"{kind: Certificate, metadata: {name: a}, spec: {secretName: b}}":                   {"b"},
		"{kind: ExternalSecret, metadata: {name: a}, spec: {target: {name: b}}}":            {"b"},
		"{kind: ExternalSecret, metadata: {name: a}}":                                       {"a"},
		"{kind: SealedSecret, metadata: {name: a}}":                                         {"a"},
		"{kind: ConfigMap, metadata: {name: a}}":                                            nil,
		"{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: {tls: [{secretName: b}]}}": nil,
		"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {annotations: {cert-manager.io/issuer: i}}, spec: {tls: [{secretName: b}, {secretName: c}]}}": {"b", "c"},
	} {
		if diff := cmp.Diff(want, reads.Makes(object(t, made))); diff != "" {
			t.Errorf("Makes(%s) (-want +got):\n%s", made, diff)
		}
	}
}

func release(yamls ...string) reads.Release {
	r := reads.Release{Release: render.Release{Key: "app", Namespace: "apps"}}
	for _, text := range yamls {
		r.Objects = append(r.Objects, chart.Object{Kind: "Pod", YAML: []byte(text)})
	}
	return r
}

const readsA = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{envFrom: [{secretRef: {name: a}}]}]}}"

// TestSecretsThatAreRequired: what the delivery system reads stays whoever else
// makes it; what only charts read goes where one makes it; and whether anything
// reads it is known with charts alone.
func TestSecretsThatAreRequired(t *testing.T) {
	makesA := "{apiVersion: v1, kind: Secret, metadata: {name: a}}"
	inChart := render.RequiredSecret{Namespace: "apps", Name: "a", Type: "Opaque", Keys: []string{"z"}, InChart: true}
	system := render.RequiredSecret{Namespace: "apps", Name: "a", Type: "Opaque", Keys: []string{"z"}}
	for _, test := range []struct {
		name     string
		required render.RequiredSecret
		releases []reads.Release
		want     []string // who reads it
		gone     bool
	}{
		{"the system's, without charts", system, nil, []string{"Flux"}, false},
		{"the system's, made by a chart", system, []reads.Release{release(makesA)}, []string{"Flux"}, false},
		{"the system's, read by a chart", system, []reads.Release{release(readsA)}, []string{"Flux", "app"}, false},
		{"a chart's, without charts", inChart, nil, nil, false},
		{"a chart's, read by none", inChart, []reads.Release{release()}, []string{}, false},
		{"a chart's, read by one", inChart, []reads.Release{release(readsA)}, []string{"app"}, false},
		{"a chart's, made by one", inChart, []reads.Release{release(readsA), release(makesA)}, nil, true},
	} {
		got, err := reads.Secrets([]render.RequiredSecret{test.required}, test.releases, "Flux")
		switch {
		case err != nil:
			t.Fatal(err)
		case test.gone != (len(got) == 0):
			t.Errorf("%s: got %v", test.name, got)
		case !test.gone && !cmp.Equal(got[0].ReadBy, test.want):
			t.Errorf("%s: read by %#v, want %#v", test.name, got[0].ReadBy, test.want)
		case !test.gone && (got[0].Optional || !cmp.Equal(got[0].Keys, []string{"z"})):
			t.Errorf("%s: got %+v", test.name, got[0])
		}
	}
}

// TestTestsAreOptional: nothing runs a chart's tests, so what they read need
// not be there.
func TestTestsAreOptional(t *testing.T) {
	for event, optional := range map[string]bool{"test": true, "pre-install": false} {
		r := release(readsA)
		r.Objects[0].Hook = &chart.Hook{Events: []string{event}}
		got, err := reads.Secrets(nil, []reads.Release{r}, "Flux")
		if err != nil || len(got) != 1 || got[0].Optional != optional {
			t.Errorf("%s: got %+v, %v", event, got, err)
		}
	}
}

// TestRequiredKeysAreNotChanged: a plan's keys are shared.
func TestRequiredKeysAreNotChanged(t *testing.T) {
	keys := append(make([]string, 0, 4), "z")
	required := []render.RequiredSecret{{Namespace: "apps", Name: "a", Type: "Opaque", Keys: keys, InChart: true}}
	text := "{apiVersion: v1, kind: Pod, spec: {containers: [{env: [{valueFrom: {secretKeyRef: {name: a, key: b}}}]}]}}"
	got, err := reads.Secrets(required, []reads.Release{release(text)}, "Flux")
	if err != nil || !cmp.Equal(got[0].Keys, []string{"b", "z"}) || !cmp.Equal(keys[:2], []string{"z", ""}) {
		t.Errorf("Secrets gives %v, %v, and the plan's keys are %v", got, err, keys)
	}
}
