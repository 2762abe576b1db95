package draft_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/catalog/draft"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/targets"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// load reads a chart.
func load(t testing.TB, files map[string][]byte, err error) chart.Chart {
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

func standIn(t testing.TB, version string) chart.Chart {
	t.Helper()
	files, err := charts.Files(charts.Cloud, version)
	return load(t, files, err)
}

// make renders a chart for an upgrade.
func maker(c chart.Chart) hop.Make {
	return func(ctx context.Context, values map[string]any) ([]chart.Object, error) {
		out, err := c.Render(ctx, chart.Input{As: chart.Helm(), Release: "customer-managed", Namespace: "customer-managed", KubeVersion: "1.33", IsUpgrade: true, Values: values})
		return out.Objects, err
	}
}

// input compares two charts with the probes for line 1.2 of a catalog.
func input(t testing.TB, c catalog.Catalog, old, next chart.Chart) draft.Input {
	t.Helper()
	in := draft.Input{From: old.Version(), To: next.Version(), Charts: map[string]string{"prefect-cloud": next.Version(), "prefect-istiod": next.Version()}}
	var err error
	if in.Old, err = c.Line("1.2"); err != nil {
		t.Fatal(err)
	}
	in.New, err = c.Line("1.3")
	if in.Known = err == nil; !in.Known {
		in.New = catalog.Line{Name: "1.3"}
	}
	if in.OldDefaults, err = old.Defaults(); err != nil {
		t.Fatal(err)
	}
	if in.NewDefaults, err = next.Defaults(); err != nil {
		t.Fatal(err)
	}
	for _, p := range draft.Probes(in.Old, in.New) {
		found, err := hop.Analyze(t.Context(), hop.Input{
			Release: "prefect-cloud", Secrets: p.Secrets, Moves: in.New.Moves,
			Old: hop.Side{Chart: old, Values: p.Old, Make: maker(old)}, New: hop.Side{Chart: next, Values: p.New, Make: maker(next)},
		})
		if err != nil {
			t.Fatalf("%s: %v", p.About, err)
		}
		in.Runs = append(in.Runs, draft.Run{About: p.About, IntoChart: p.IntoChart, Analysis: found})
	}
	return in
}

func written(t testing.TB, in draft.Input) (string, catalog.Catalog) {
	t.Helper()
	data, err := draft.Of(in)
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Parse("draft.yaml", data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if !draft.IsUnchanged(data) || draft.IsUnchanged(append(data, '\n')) {
		t.Error("the checksum is not that of the draft")
	}
	return string(data), c
}

// providers are what environments say of their identity provider, each text another one.
var providers = map[string]string{
	"adfs":  "{clientID: marka, clientSecret: {secret: s, key: auth}, clientAuthority: markb.example.com, clientVerifySSL: false}",
	"okta":  "{clientID: marka, clientSecret: {secret: s, key: auth}, authServerURL: https://markb.example.com, apiKey: {secret: s, key: api}}",
	"entra": "{clientID: marka, clientSecret: {secret: s, key: auth}, tenantID: markb, clientVerifySSL: false, loginBaseURL: https://markc.example.com/}",
}

const environment = `apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: test}
spec:
  instance: {name: markname, frontendUrl: https://markd.example.com, backendUrl: https://marke.example.com, ownerEmail: markf@example.com}
  versions: {prefectIstiod: VERSION, prefectCloud: VERSION, server: markg, ui: markh}
  auth: {PROVIDER}
  database: {primary: marki, replica: markj, serviceUser: {password: {secret: s, key: service}}, superUser: {password: {secret: s, key: super}}}
  redis: {cache: {host: markk, password: {secret: s, key: cache}}, work: {host: markl}, streams: {host: markm}}
`

// rendered gives the fields of the objects that a chart makes of an environment.
func rendered(t testing.TB, c chart.Chart, known catalog.Catalog, version, provider string, more map[string]any) map[string]string {
	t.Helper()
	text := strings.NewReplacer("VERSION", version, "PROVIDER", provider+": "+providers[provider]).Replace(environment)
	env, err := render.Parse("test.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := render.PlanFor(env, known, targets.Flux{})
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range plan.Releases() {
		if release.Key != render.PrefectCloud {
			continue
		}
		values, err := release.ValuesWith(func(i render.SecretInput) string { return "mark" + string(i.From.Key) })
		if err != nil {
			t.Fatal(err)
		}
		for at, value := range more {
			set(values, strings.Split(at, "."), value)
		}
		objects, err := maker(c)(t.Context(), values)
		if err != nil {
			t.Fatalf("%s with %s: %v", c.Version(), provider, err)
		}
		return fieldsOf(t, objects)
	}
	t.Fatal("no prefect-cloud")
	return nil
}

func set(values map[string]any, keys []string, value any) {
	for _, key := range keys[:len(keys)-1] {
		inner, _ := values[key].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
			values[key] = inner
		}
		values = inner
	}
	values[keys[len(keys)-1]] = value
}

// fieldsOf gives the texts of objects by place.
func fieldsOf(t testing.TB, objects []chart.Object) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, o := range objects {
		tree, err := o.Tree()
		if err != nil {
			t.Fatal(err)
		}
		flatten(all, o.Kind+"/"+o.Name, tree)
	}
	return all
}

func flatten(into map[string]string, at string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if text, ok := inner.(string); ok && strings.HasPrefix(at, "Secret/") && strings.HasSuffix(at, ".data") {
				if data, err := base64.StdEncoding.DecodeString(text); err == nil {
					inner = string(data)
				}
			}
			flatten(into, at+"."+key, inner)
		}
	case []any:
		for i, inner := range value {
			step := fmt.Sprint(i)
			if item, ok := inner.(map[string]any); ok && item["name"] != nil {
				step = fmt.Sprint(item["name"])
			}
			flatten(into, at+"["+step+"]", inner)
		}
	default:
		into[at] = fmt.Sprint(value)
	}
}

// marks gives where each text of the environment is.
func marks(fields map[string]string) map[string][]string {
	found := map[string][]string{}
	for at, text := range fields {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) {
			if strings.HasPrefix(word, "mark") && !slices.Contains(found[word], at) {
				found[word] = append(found[word], at)
			}
		}
	}
	return found
}

// keeps reports every place that has a text of the environment with the old chart, and
// that the new one has too, without it.
func keeps(t *testing.T, before, after map[string]string) {
	t.Helper()
	was, is := marks(before), marks(after)
	if len(was) < 12 {
		t.Fatalf("only %d texts reach the objects: %v", len(was), slices.Sorted(maps.Keys(was)))
	}
	for _, mark := range slices.Sorted(maps.Keys(was)) {
		if mark == "markname" { // the value is gone
			continue
		}
		if len(is[mark]) == 0 {
			t.Errorf("%s reaches nothing; it was at %v", mark, was[mark])
		}
		for _, at := range was[mark] {
			if text, there := after[at]; there && !slices.Contains(is[mark], at) {
				t.Errorf("%s is not at %s: %q", mark, at, text)
			}
		}
	}
	for _, mark := range slices.Sorted(maps.Keys(is)) {
		for _, at := range is[mark] {
			if _, there := before[at]; there && !slices.Contains(was[mark], at) {
				t.Errorf("%s is at %s, and was not", mark, at)
			}
		}
	}
	for at := range before {
		if _, there := after[at]; strings.HasPrefix(at, "Secret/") && strings.HasSuffix(at, ".metadata.name") && !there {
			t.Errorf("%s is deleted", at)
		}
	}
	for at := range after {
		if _, there := before[at]; strings.HasPrefix(at, "StatefulSet/") && !there {
			t.Errorf("%s is new", at)
			break
		}
	}
}

// TestRenders: with the draft, what a person writes into an environment is in the objects
// of the new chart where it was in those of the old one, whatever the chart calls its
// values.
func TestRenders(t *testing.T) {
	old := standIn(t, "1.2.900")
	check := func(t *testing.T, next chart.Chart, required ...string) {
		in := input(t, catalog.Embedded(), old, next)
		text, own := written(t, in)
		if again, _ := written(t, in); again != text {
			t.Error("another draft of the same")
		}
		known := catalog.Embedded().With(own)
		more := map[string]any{}
		for _, at := range required {
			more[at] = "supplied"
			if !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(text, "#", "")), " "), "set spec.values.prefect-cloud."+at) {
				t.Errorf("the draft does not say that %s is to be set", at)
			}
		}
		for provider := range providers {
			before := rendered(t, old, catalog.Embedded(), "1.2.900", provider, nil)
			keeps(t, before, rendered(t, next, known, "1.3.900", provider, more))
		}
		if t.Failed() {
			t.Log(text)
		}
	}
	for _, version := range []string{"1.3.900", "1.3.901"} {
		t.Run(version, func(t *testing.T) {
			check(t, standIn(t, version), "global.encryptionKeySecret.name", "redis.leases.host")
		})
	}
	for seed := range seeds(2, 20) {
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("seed %d silent %v", seed, silent), func(t *testing.T) {
				files, names, err := charts.Variant(seed, silent)
				check(t, load(t, files, err), names["global.encryptionKeySecret.name"], names["redis.leases"]+".host")
			})
		}
	}
}

// seeds gives how many variants are tried: all in the full gate.
func seeds(few, all uint64) uint64 {
	if os.Getenv("PM_GITOPS_FULL") == "" {
		return few
	}
	return all
}
