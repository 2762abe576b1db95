//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// updateOptions is those of an ordinary update.
var updateOptions = metav1.UpdateOptions{}

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

// Secrets that the chart reads itself stay what they are, byte for byte.
func TestSecretsIntoChart(t *testing.T) {
	both(t, func(f *fixture) {
		f.deliver()
		f.bootstrap()
		f.keepSecrets(passwords)
		f.awaitReady()
		secrets, err := f.Client.CoreV1().Secrets(cloudNamespace).List(f.ctx, metav1.ListOptions{})
		f.check(err)
		n := 0
		for _, secret := range secrets.Items {
			if secret.Labels["owner"] == "helm" {
				continue
			}
			for key, value := range secret.Data {
				n++
				if want := passwords(secret.Name + "/" + key); string(value) != want {
					f.Errorf("%s/%s is %q, want %q", secret.Name, key, value, want)
				}
			}
		}
		if n < 20 {
			f.Errorf("%d secrets were looked at, want those of the chart", n)
		}
	})
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
