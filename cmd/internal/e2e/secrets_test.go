//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"
)

// passwords is what a parser may mangle, by NAME/KEY.
func passwords(place string) string {
	for end, password := range map[string]string{
		"prefect-db/service":          `p@ss,w={or}/d\n`,
		"prefect-db/superuser":        "007",
		"prefect-auth/client-secret":  "true",
		"auth-provider/client-secret": "true",
		"/db-migration":               "postgresql://postgres:p@ss,w={or}/d\\@10.0.0.1:5432/x",
		"/server":                     "0123",
	} {
		if strings.HasSuffix(place, end) {
			return password
		}
	}
	return "two\nlines\n"
}

// checkRead is that Secrets which the chart reads itself arrive in its pods, byte
// for byte.
func (f *fixture) checkRead() error {
	f.Helper()
	read := f.readByPods()
	for _, place := range slices.Sorted(maps.Keys(read)) {
		if want := passwords(place); read[place] != want {
			return fmt.Errorf("pods read %q in %s, want %q", read[place], place, want)
		}
	}
	if len(read) < 20 {
		return fmt.Errorf("pods read %d secrets, want those of the chart: %q", len(read), slices.Sorted(maps.Keys(read)))
	}
	return nil
}

// madeByChart has the chart make Secrets, of passwords that stand in a file.
func madeByChart(f *fixture) {
	f.Helper()
	const patch = "prefect/overlays/prod/prefect-cloud/*-patch.yaml"
	edit(patch, `createAppSecretsInChart: false$`, "createAppSecretsInChart: true")(f)
	edit(patch, `^( +)host:\n +primary: "10.0.0.1"$`, "${1}serviceuser: {password: placeholder}\n${1}superuser: {password: placeholder}\n${0}")(f)
}

// delivered delivers a mistake with Secrets, which are there already: it comes to
// what a check says, or is refused with a word.
func delivered(check func(*fixture) error, refused string) func(*fixture, mutation) error {
	return func(f *fixture, mistake mutation) (found error) {
		f.Helper()
		f.deliverAs("secrets", mistake)
		f.until("the Secrets are others, or are refused", 2*time.Minute, func() bool {
			if found = check(f); found != nil {
				return true
			}
			status := fmt.Sprint(f.delivering("prefect-cloud").Object["status"])
			if strings.Contains(status, refused) {
				found = errors.New(status)
			}
			return found != nil
		})
		return found
	}
}

// readByPods is what the pods of prefect-cloud read in Secrets, by NAME/KEY.
func (f *fixture) readByPods() map[string]string {
	f.Helper()
	read := map[string]string{}
	for _, e := range f.Journal.Events() {
		if e.Type != watch.Added || !of("Pod", cloudNamespace, "")(e) {
			continue
		}
		var pod corev1.Pod
		f.check(runtime.DefaultUnstructuredConverter.FromUnstructured(e.Object.Object, &pod))
		for _, container := range pod.Spec.Containers {
			for _, from := range container.EnvFrom {
				if from.SecretRef != nil {
					maps.Copy(read, f.secret(from.SecretRef.Name, ""))
				}
			}
			for _, variable := range container.Env {
				if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
					maps.Copy(read, f.secret(from.SecretKeyRef.Name, from.SecretKeyRef.Key))
				}
			}
		}
	}
	return read
}

// secret is a key of a Secret of prefect-cloud, all if none is named, by NAME/KEY.
func (f *fixture) secret(name, key string) map[string]string {
	f.Helper()
	secret, err := f.Client.CoreV1().Secrets(cloudNamespace).Get(f.ctx, name, metav1.GetOptions{})
	f.check(err)
	values := map[string]string{}
	for k, value := range secret.Data {
		if key == "" || k == key {
			values[name+"/"+k] = string(value)
		}
	}
	return values
}

// checkValues is that the chart makes what it should of Secrets that Flux hands
// to it as values.
func (f *fixture) checkValues() error {
	for _, want := range []struct{ secret, key, value string }{
		{"nebula-user-connection-strings", "db-migration", "postgresql://postgres:" + passwords("prefect-db/superuser") + "@10.0.0.1:5432/nebula"},
		{"nebula-user-connection-strings", "server", "postgresql+asyncpg://prefect:" + passwords("prefect-db/service") + "@10.0.0.1:5432/nebula"},
		{"auth-provider", "client-secret", passwords("prefect-auth/client-secret")},
		{"redis-connection-strings", "REDIS_CACHE_URL", "redis://:" + passwords("prefect-redis/cache") + "@10.0.0.3:6379/0"},
	} {
		secret, err := f.Client.CoreV1().Secrets(cloudNamespace).Get(f.ctx, want.secret, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if got := string(secret.Data[want.key]); got != want.value {
			return fmt.Errorf("%s/%s is %q, want %q", want.secret, want.key, got, want.value)
		}
	}
	return nil
}

// targetPath hands single passwords to the chart, through the parser of --set.
func targetPath(f *fixture) {
	f.Helper()
	edit("prefect/overlays/prod/prefect-cloud/helmrelease-patch.yaml", `^  valuesFrom:\n`, `  valuesFrom:
  - {kind: Secret, name: single, valuesKey: a, targetPath: db.serviceuser.password}
  - {kind: Secret, name: single, valuesKey: b, targetPath: db.superuser.password}
`)(f)
	f.createSecret("single", map[string]string{"a": passwords("prefect-db/service"), "b": passwords("prefect-db/superuser")})
}

func (f *fixture) createSecret(name string, data map[string]string) {
	f.Helper()
	text, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name, "namespace": cloudNamespace}, "stringData": data})
	f.check(err)
	f.check(f.Apply(f.ctx, string(text)))
}
