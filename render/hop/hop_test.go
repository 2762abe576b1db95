package hop

import (
	"context"
	"os"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// guide is the values of the vendor's guide.
func guide(t testing.TB) (values map[string]any) {
	t.Helper()
	data, err := os.ReadFile("../../testdata/guide/values-override.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// guideSecrets is its secrets.
var guideSecrets = []string{"global.authProvider.adfs.clientSecret", "db.serviceuser.password", "db.superuser.password", "redis.cache.password", "redis.work.password", "redis.streams.password"}

func standIn2(t testing.TB, name, version string) chart.Chart {
	t.Helper()
	files, err := charts.Files(name, version)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, files)
}

func load(t testing.TB, files map[string][]byte) chart.Chart {
	t.Helper()
	c, err := chart.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sideOf(c chart.Chart, values map[string]any) Side {
	return Side{Chart: c, Values: values, Make: func(ctx context.Context, values map[string]any) ([]chart.Object, error) {
		out, err := c.Render(ctx, chart.Input{As: chart.Helm(), Release: "prefect-cloud", Namespace: "prefect", KubeVersion: "1.33", IsUpgrade: true, Values: values})
		return out.Objects, err
	}}
}

func TestDebug(t *testing.T) {
	v := guide(t)
	for _, version := range []string{"1.3.900", "1.3.901"} {
		in := Input{Release: "prefect-cloud", Old: sideOf(standIn2(t, charts.Cloud, "1.2.900"), v), New: sideOf(standIn2(t, charts.Cloud, version), v), Secrets: guideSecrets}
		w, err := newWork(in)
		if err != nil {
			t.Fatal(err)
		}
		w.ctx = t.Context()
		if err := w.look(); err != nil {
			t.Fatal(err)
		}
		t.Log("looked", w.renders)
		w.listen()
		for _, s := range w.said {
			t.Log(s.from, s.to, s.by)
		}
		w.findUnset()
		t.Log("unset", w.renders, len(w.unset))
		w.follow()
		t.Log("followed", w.renders, w.failed, w.filled)
		for _, l := range w.leaves {
			f := w.fates[l.path.String()]
			t.Log(f.path, f.secret, "used", f.used(), f.state, f.sure, f.to, f.form, f.why, f.closest, len(f.at))
		}
		for _, f := range w.flips {
			t.Log("flip", f.path, f.to, f.set)
		}
		for _, f := range w.unset {
			t.Log("unset", f.path, f.closest)
		}
	}
}
