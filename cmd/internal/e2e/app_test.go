//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
)

// A chart of the user's own, for releases besides the vendor's: a Deployment,
// and with "database" what the chart of a database brings, a volume and a
// definition that stays.
const appVersion = "1.0.0"

var appFiles = map[string]string{
	"app/Chart.yaml":  "apiVersion: v2\nname: app\nversion: " + appVersion + "\n",
	"app/values.yaml": "tag: old\n",
	"app/templates/app.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, labels: {app: {{ .Release.Name }}}}
spec:
  replicas: 1
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: app, image: "example.com/app:{{ .Values.tag }}"}]}
`,
	"app/templates/database.yaml": `{{ if .Values.database }}
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: database}
spec:
  serviceName: database
  selector: {matchLabels: {app: database}}
  template:
    metadata: {labels: {app: database}}
    spec: {containers: [{name: database, image: "example.com/database:1", volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: databases.{{ .Release.Name }}.example.com, annotations: {helm.sh/resource-policy: keep}}
spec:
  group: {{ .Release.Name }}.example.com
  names: {kind: Database, plural: databases}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
{{ end }}
`,
}

func (f *fixture) pushApp() {
	f.Helper()
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	files := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(appFiles)) { // Chart.yaml first
		f.check(files.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(appFiles[name]))}))
		_, err := files.Write([]byte(appFiles[name]))
		f.check(err)
	}
	f.check(files.Close())
	f.check(zipped.Close())
	for _, at := range []string{"/charts", "/prefect/charts"} {
		registrytest.Push(f, f.Registry.Host+at, "app", appVersion, archive.Bytes(), remote.WithTransport(f.CA.Transport()), remote.WithAuth(authn.Anonymous))
	}
}

// app is a release of the user's own chart, after others; tag is its image's.
func (f *fixture) app(name, needs string, tag ...string) map[string]any {
	release := map[string]any{
		"name": name, "chart": "oci://" + f.Registry.Host + "/charts/app", "version": appVersion, "namespace": "apps-" + name,
		"values": map[string]any{"tag": strings.Join(append([]string{"v"}, tag...), "-")},
	}
	if needs != "" {
		release["needs"] = []any{needs}
	}
	return release
}

// withDatabase is a release that has a database besides.
func withDatabase(release map[string]any) map[string]any {
	release["values"].(map[string]any)["database"] = true
	return release
}

// addVolumes gives the cluster volumes: there is nobody who provides them.
func (f *fixture) addVolumes(names ...string) {
	f.Helper()
	for _, name := range names {
		f.check(f.Apply(f.ctx, fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: %s}
spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /data/%[1]s}}
`, name)))
	}
}

// changedApp is a change of the release "next" to a new tag.
func changedApp(tag string) condition {
	return condition{"the next release changes", func(e event) bool {
		return of("Deployment", "apps-next", "next")(e) && strings.HasSuffix(imageOf(e.Object), ":v-"+tag)
	}}
}

// appPod is the UID of the pod of a release of the user's own.
func (f *fixture) appPod(name string) string {
	for _, pod := range f.pods("apps-" + name) {
		if pod.GetLabels()["app"] == name {
			return fmt.Sprint(pod.GetUID())
		}
	}
	return ""
}
