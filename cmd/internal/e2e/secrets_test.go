//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
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

// Secrets that the chart reads itself arrive in its pods, byte for byte.
func TestSecretsIntoChart(t *testing.T) {
	both(t, func(f *fixture) {
		f.deliver()
		f.bootstrap()
		f.keepSecrets(passwords)
		f.awaitReady()
		read := f.readByPods()
		for place, got := range read {
			if want := passwords(place); got != want {
				f.Errorf("pods read %q in %s, want %q", got, place, want)
			}
		}
		if len(read) < 20 {
			f.Errorf("pods read %d secrets, want those of the chart: %q", len(read), slices.Sorted(maps.Keys(read)))
		}
	})
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

// Flux hands Secrets to the chart as values: it makes of them what it should.
func TestSecretsIntoValues(t *testing.T) {
	t.Parallel()
	t.Run("flux", func(t *testing.T) {
		f := start(t, "flux")
		f.intoValues(nil)
		f.check(f.checkValues())
	})
}

func (f *fixture) intoValues(mistake mutation) {
	f.Helper()
	f.env.set("spec.secrets.into", "values")
	// The chart makes its Secrets with everything else, so a migration cannot
	// come before: it is an ordinary Job.
	f.env.set("spec.values.prefect-cloud.migrations.delivery", "job")
	f.env.set("spec.redis.cache.password", map[string]any{"secret": "prefect-redis", "key": "cache"})
	f.deliverAs("install", mistake)
	f.bootstrap()
	f.keepSecrets(passwords)
	f.awaitReady()
}

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
