//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
)

// A chart of the user's own, for releases besides the vendor's: a Deployment, a
// definition and a volume claim, as the chart of a database brings.
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
}

func (f *fixture) pushApp() {
	f.Helper()
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	files := tar.NewWriter(zipped)
	for _, name := range []string{"app/Chart.yaml", "app/values.yaml", "app/templates/app.yaml"} {
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

// changedApp is a change of the release "next" to a new tag.
func changedApp(tag string) condition {
	return condition{"the next release changes", func(e event) bool {
		return of("Deployment", "apps-next", "next")(e) && strings.HasSuffix(imageOf(e.Object), ":v-"+tag)
	}}
}

// appPod is the UID of the pod of a release of the user's own.
func (f *fixture) appPod(name string) string {
	for _, pod := range f.pods("apps-" + name) {
		return fmt.Sprint(pod.GetUID())
	}
	return ""
}
