package charttest_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chart/loader"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/targets/internal/charttest"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// TestVariant: another seed is another chart, which works as 1.3.900 does
// when it is spoken to in its own names.
func TestVariant(t *testing.T) {
	want := named(render(t, charts.Cloud, "1.3.900", parse(t, nextLine), charttest.Options{}))
	seen := map[string]uint64{}
	for seed := range uint64(4) {
		for _, silent := range []bool{false, true} {
			files, names, err := charts.Variant(seed, silent)
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := seen[fmt.Sprint(names)]; ok && other != seed {
				t.Errorf("the seeds %d and %d name all alike", seed, other)
			}
			seen[fmt.Sprint(names)] = seed
			if silent == (files["values.schema.json"] != nil) {
				t.Errorf("silent %v: schema %s", silent, files["values.schema.json"])
			}
			checkForgotten(t, files)
			chart, err := charts.Load(files)
			if err != nil {
				t.Fatal(err)
			}
			rendering, err := charttest.Render(chart, inNames(t, nextLine, names), charttest.Options{})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if got := len(rendering.Objects); got != len(want) {
				t.Errorf("seed %d: %d objects, want %d", seed, got, len(want))
			}
		}
	}
}

// inNames gives values of 1.3.900 in the names of a variant.
func inNames(t *testing.T, text string, names map[string]string) map[string]any {
	t.Helper()
	values := parse(t, text)
	for old, now := range names {
		if value := (charttest.Object{Map: values}).At(strings.Split(old, ".")...); value != nil {
			unset(values, strings.Split(old, "."))
			set(values, map[string]any{now: value})
		}
	}
	return values
}

func unset(values map[string]any, keys []string) {
	if len(keys) == 1 {
		delete(values, keys[0])
		return
	}
	unset(values[keys[0]].(map[string]any), keys[1:])
}

// distinctive is the names that only 1.3.900 has.
var distinctive = regexp.MustCompile(`serviceUser|adminUser|encryptionKeySecret|leases|webhooks|event-archiver|lease-reaper|-db-migrations|secrets\.create|ui\.web|embedded\.enabled|authProvider\.providers|: require\b|17\.5|202601010000`)

func checkForgotten(t *testing.T, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		if found := distinctive.Find(data); found != nil {
			t.Errorf("%s still says %s", name, found)
		}
	}
	var values map[string]any
	if err := yaml.UnmarshalStrict(files["values.yaml"], &values); err != nil {
		t.Error(err)
	}
	object := charttest.Object{Map: values}
	for _, path := range []string{"secrets", "ui.web", "db.embedded.enabled", "redis.embedded.enabled", "global.authProvider.providers"} {
		if object.At(strings.Split(path, ".")...) != nil {
			t.Errorf("the variant has a value %s", path)
		}
	}
}

// TestVariantGuards say the variant's own names.
func TestVariantGuards(t *testing.T) {
	files, names, err := charts.Variant(7, false)
	if err != nil {
		t.Fatal(err)
	}
	chart, err := charts.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	_, err = charttest.Render(chart, guide(t), charttest.Options{})
	for _, name := range []string{"db.serviceUser", "db.adminUser", "db.embedded.enabled", "redis.embedded.enabled", "ui.web", "global.authProvider.providers"} {
		if !strings.Contains(fmt.Sprint(err), "was renamed to "+names[name]) {
			t.Errorf("no guard says %s, which was %s: %v", names[name], name, err)
		}
	}
}

// TestArchive: the same bytes twice, and Helm reads in them what Files has.
func TestArchive(t *testing.T) {
	for _, name := range []string{charts.Cloud, charts.Istiod} {
		for _, version := range charts.Versions(name) {
			archive, err := charts.Archive(name, version)
			if err != nil {
				t.Fatal(err)
			}
			if again, _ := charts.Archive(name, version); !bytes.Equal(archive, again) {
				t.Errorf("%s %s is not the same bytes twice", name, version)
			}
			files, err := charts.Files(name, version)
			if err != nil {
				t.Fatal(err)
			}
			chart, err := loader.LoadArchive(bytes.NewReader(archive))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string][]byte{}
			for _, file := range chart.Raw {
				got[file.Name] = file.Data
			}
			if diff := cmp.Diff(files, got); diff != "" {
				t.Errorf("%s %s (-files +archive):\n%s", name, version, diff)
			}
			if want, _ := charts.Chart(name, version); want.Metadata.Version != chart.Metadata.Version || len(want.Dependencies()) != len(chart.Dependencies()) {
				t.Errorf("%s %s is another chart in its archive", name, version)
			}
		}
	}
}
