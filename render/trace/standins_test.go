package trace_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/trace"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

var update = flag.Bool("update", false, "rewrite the golden traces")

// standIn is a stand-in with everything that has a password: what it is
// rendered with, and the paths of the secret values, in the words of its line.
type standIn struct {
	values string
	paths  []string
}

const addresses = "frontendUrl: https://a.b, backendUrl: https://a.c"

var (
	line12 = standIn{
		"{" + addresses + ", global: {" + addresses + ", ownerEmail: o@a.b, authProvider: {type: okta}}, smtp: {enabled: true, host: m}, " +
			"db: {use_embedded: false, host: {primary: db}}, redis: {use_embedded: false, cache: {host: r}, work: {host: r}, streams: {host: r}}}",
		[]string{"db.serviceuser.password", "db.superuser.password", "global.authProvider.entra.clientSecret", "global.authProvider.okta.apiKey", "global.authProvider.okta.clientSecret", "redis.cache.password", "redis.streams.password", "redis.work.password", "smtp.password"},
	}
	line13 = standIn{
		"{secrets: {create: true}, global: {" + addresses + ", ownerEmail: o@a.b, encryptionKeySecret: {name: key}, authProvider: {providers: [adfs, entra]}}, " +
			"db: {embedded: {enabled: false}, host: {primary: db}}, redis: {embedded: {enabled: false}, cache: {host: r}, work: {host: r}, streams: {host: r}, leases: {host: r}}}",
		[]string{"db.adminUser.password", "db.serviceUser.password", "global.authProvider.adfs.clientSecret", "global.authProvider.entra.clientSecret", "redis.cache.password", "redis.leases.password", "redis.streams.password", "redis.work.password", "smtp.password"},
	}
)

func open(t testing.TB, files map[string][]byte, err error) chart.Chart {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	c, err := chart.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// say is a trace as the golden file has it: how many keys of which Secrets,
// and everything else to the letter.
func say(found trace.Trace) string {
	var text strings.Builder
	for _, input := range found.Inputs {
		fmt.Fprintf(&text, "  %s\n", input.Path)
		for _, line := range lines(input) {
			fmt.Fprintf(&text, "    %s\n", line)
		}
		if len(input.Landings) == 0 {
			fmt.Fprintf(&text, "    nowhere\n")
		}
	}
	return text.String()
}

// TestStandIns: where the guide's passwords land in every version.
func TestStandIns(t *testing.T) {
	var got strings.Builder
	for _, version := range charts.Versions(charts.Cloud) {
		line := line12
		if version >= "1.3" {
			line = line13
		}
		for _, more := range []string{"", ", urlquery: true, oddities: {randomSecret: true, tagInLabel: true}}"} {
			if more != "" && !slices.Contains([]string{"1.2.900", "1.3.900"}, version) {
				continue
			}
			values := line.values
			if more != "" {
				values = strings.TrimSuffix(values, "}") + more
			}
			files, err := charts.Files(charts.Cloud, version)
			found := traced(t, open(t, files, err), release(t, values, line.paths...))
			fmt.Fprintf(&got, "%s %s\n%s", version, more, say(found))
			for _, input := range found.Inputs {
				if slices.ContainsFunc(input.Landings, func(l trace.Landing) bool { return l.How != trace.Secret }) {
					t.Errorf("%s: %s lands outside of a Secret, and no stand-in does that", version, input.Path)
				}
			}
			if (len(found.Random) > 0) != (more != "") {
				t.Errorf("%s: random fields %v", version, found.Random)
			}
		}
	}
	path := filepath.Join("testdata", "stand-ins.golden")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestVariant: the same under other names.
func TestVariant(t *testing.T) {
	for seed := range uint64(3) {
		files, names, err := charts.Variant(seed, false)
		c := open(t, files, err)
		words := strings.NewReplacer("serviceUser", last(names["db.serviceUser"]), "adminUser", last(names["db.adminUser"]), "leases", last(names["redis.leases"]),
			"embedded: {enabled:", "embedded: {"+last(names["redis.embedded.enabled"])+":", "encryptionKeySecret", strings.Split(names["global.encryptionKeySecret.name"], ".")[1],
			"providers:", last(names["global.authProvider.providers"])+":", "secrets: {create:", strings.Replace(names["secrets.create"], ".", ": {", 1)+":")
		var paths []string
		for _, path := range line13.paths {
			paths = append(paths, words.Replace(path))
		}
		found := traced(t, c, release(t, words.Replace(line13.values), paths...))
		for _, input := range found.Inputs {
			if len(input.Landings) == 0 && input.Path != "smtp.password" {
				t.Errorf("variant %d: %s lands nowhere", seed, input.Path)
			}
		}
	}
}

func last(path string) string { return path[strings.LastIndex(path, ".")+1:] }

// TestPublicChart: Istio's own chart writes an access token into a ConfigMap,
// and its values once more into another. The chart is no part of this
// repository: it is in charts/ below the folder that PM_GITOPS_SHARED names, or
// below "shared" beside the repository.
func TestPublicChart(t *testing.T) {
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(shared, "charts", "istiod-1.28.3.tgz"))
	if err != nil {
		t.Skipf("no public charts: %v (set PM_GITOPS_SHARED to the folder with charts)", err)
	}
	c, err := chart.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	found := traced(t, c, release(t, "{global: {proxy: {tracer: lightstep}, tracer: {lightstep: {address: a.b}}}}", "global.tracer.lightstep.accessToken", "pilot.unknown"))
	want := "  global.tracer.lightstep.accessToken\n" +
		"    configmap ConfigMap/values data.merged-values (json)\n    configmap ConfigMap/values data.original-values (json)\n" +
		"    configmap ConfigMap/istio data.mesh\n    configmap ConfigMap/istio-sidecar-injector data.values (json)\n  pilot.unknown\n"
	if got := say(found); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func ExampleRelease() {
	c, err := chart.FromFiles(map[string][]byte{
		"Chart.yaml":         []byte("{apiVersion: v2, name: app, version: 1.0.0}"),
		"templates/all.yaml": []byte(`{apiVersion: v1, kind: ConfigMap, metadata: {name: app}, data: {url: "redis://:{{ .Values.password | urlquery }}@redis"}}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	release := render.Release{SecretInputs: []render.SecretInput{{Path: "password"}}}
	found, err := trace.Release(ctx, release, func(values map[string]any) ([]chart.Object, error) {
		out, err := c.Render(ctx, chart.Input{As: chart.Helm(), Release: "app", Values: values})
		return out.Objects, err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	landing := found.Inputs[0].Landings[0]
	fmt.Println(landing.How, landing.Object.Name, landing.Path, landing.Encoding, landing.Outside())
	// Output: configmap app data.url urlquery true
}
