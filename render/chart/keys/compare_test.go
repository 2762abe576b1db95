package keys_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// TestCompare: how default values differ, and which ones moved.
func TestCompare(t *testing.T) {
	for name, test := range map[string]struct{ from, to, want string }{
		"the same":              {"{a: 1, b: {}}", "{b: {}, a: 1}", "[] [] [] []"},
		"added":                 {"{}", "{a: {b: 1}}", "[{a.b 1}] [] [] []"},
		"removed":               {"{a: [1]}", "{}", "[] [{a [1]}] [] []"},
		"changed":               {"a: 1", "a: '1'", "[] [] [{a 1 1}] []"},
		"a map for a scalar":    {"a: 1", "a: {b: 1}", "[] [] [] [{a a.b 1}]"},
		"a list is one value":   {"a: [1, 2]", "a: [2, 1]", "[] [] [{a [1 2] [2 1]}] []"},
		"other case":            {"db: {serviceuser: x}", "db: {serviceUser: x}", "[] [] [] [{db.serviceuser db.serviceUser x}]"},
		"other value":           {"db: {serviceuser: x}", "db: {serviceUser: z}", "[{db.serviceUser z}] [{db.serviceuser x}] [] []"},
		"similar name":          {"redis: {use_embedded: true}", "redis: {embedded: {enabled: true}}", "[] [] [] [{redis.use_embedded redis.embedded.enabled true}]"},
		"nothing in common":     {"a: {b: true}", "x: {z: true}", "[{x.z true}] [{a.b true}] [] []"},
		"a whole map":           {"s: {old: {p: 1, q: 2}}", "s: {new: {p: 1, q: 2}, like: {p: 1, q: 3}}", "[{s.like.p 1} {s.like.q 3}] [] [] [{s.old.p s.new.p 1} {s.old.q s.new.q 2}]"},
		"one value of a map":    {"s: {old: {p: 1}}", "t: {new: {p: 1}}", "[{t.new.p 1}] [{s.old.p 1}] [] []"},
		"a key with a dot":      {"a: {b.c/d: 1}", "a: {b.c/d: 2}", `[] [] [{a["b.c/d"] 1 2}] []`},
		"no secret for another": {"db: {serviceuser: {password: ''}}", "db: {adminuser: {password: ''}}", "[{db.adminuser.password }] [{db.serviceuser.password }] [] []"},
		"a secret, other case":  {"db: {serviceuser: {password: ''}}", "db: {serviceUser: {password: ''}}", "[] [] [] [{db.serviceuser.password db.serviceUser.password }]"},
		"null and what is not":  {"a: null", "{}", "[] [{a <nil>}] [] []"},
	} {
		c, err := keys.Compare(chartOf(t, map[string]string{"values.yaml": test.from}), chartOf(t, map[string]string{"values.yaml": test.to}))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.Added, c.Removed, c.Changed, c.Moved); got != test.want {
			t.Errorf("%s: Compare = %s, want %s", name, got, test.want)
		}
		if c.None() != (test.want == "[] [] [] []") {
			t.Errorf("%s: None = %v", name, c.None())
		}
	}
}

// TestCompareStandIns: what is documented of 1.3 is found, and what a schema
// requires; the globals of charts in a chart count once.
func TestCompareStandIns(t *testing.T) {
	load := func(name, version string) chart.Chart {
		files, err := charts.Files(name, version)
		if err != nil {
			t.Fatal(err)
		}
		c, err := chart.FromFiles(files)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c, err := keys.Compare(load(charts.Cloud, "1.2.900"), load(charts.Cloud, "1.3.900"))
	if err != nil {
		t.Fatal(err)
	}
	moved := map[string]string{}
	for _, m := range c.Moved {
		moved[m.From] = m.To
	}
	for from, to := range map[string]string{
		"db.use_embedded": "db.embedded.enabled", "redis.use_embedded": "redis.embedded.enabled", "db.serviceuser.username": "db.serviceUser.username",
		"db.superuser.username": "db.adminUser.username", "services.ladler.kind": "services.event-archiver.kind", "ui.cloud2.image.repository": "ui.web.image.repository",
	} {
		if moved[from] != to {
			t.Errorf("%s moved to %q, want %s", from, moved[from], to)
		}
	}
	if c, err = keys.Compare(load(charts.Cloud, "0.8.900"), load(charts.Cloud, "1.2.900")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"global.backendUrl", "global.frontendUrl"}, c.NowRequired); diff != "" {
		t.Errorf("NowRequired (-want +got):\n%s", diff)
	}
	if c, err = keys.Compare(load(charts.Istiod, "1.2.900"), load(charts.Istiod, "1.3.900")); err != nil {
		t.Fatal(err)
	}
	for _, d := range c.Added {
		if d.Path == "istioBase.global.istioNamespace" {
			t.Errorf("a global value counts in a chart in the chart: %v", d)
		}
	}
}

// TestCompareIstioDefaults: paths are those that users set.
func TestCompareIstioDefaults(t *testing.T) {
	from := chartOf(t, map[string]string{"values.yaml": "{_internal_defaults_do_not_set: {a: {b: 1}, c: 1}, c: 2}"})
	to := chartOf(t, map[string]string{"values.yaml": "{_internal_defaults_do_not_set: {a: {b: 2}, c: 3}, c: 2}"})
	got, err := keys.Compare(from, to)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]keys.Change{{Path: "a.b", Old: 1.0, New: 2.0}}, got.Changed); diff != "" || len(got.Added)+len(got.Removed) > 0 {
		t.Errorf("Compare = %+v (-want +got of what changed):\n%s", got, diff)
	}
}
