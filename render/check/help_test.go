package check_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/trace"
	"github.com/pm-gitops/pm-gitops/targets"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// base is what the environments of the tests extend: one with which the
// stand-ins have nothing to be told.
const base = `apiVersion: pm-gitops/v1
kind: EnvironmentDefaults
spec:
  instance: {name: customer-managed, frontendUrl: https://ui.company.com, backendUrl: https://api.company.com, ownerEmail: owner@company.com}
  versions: {prefectIstiod: 1.2.900, prefectCloud: 1.2.900, server: "2025.10.202511042343", ui: "2025.1023.154520"}
  auth: {okta: {clientID: prefect, clientSecret: {secret: s, key: k}, authServerURL: https://company.okta.com/oauth2/default}}
  database: {primary: 10.0.0.1, serviceUser: {password: {secret: s, key: k}}, superUser: {password: {secret: s, key: k}}}
  redis: {cache: {host: 10.0.0.3}, work: {host: 10.0.0.4}, streams: {host: 10.0.0.5}}
  cluster: {kubeVersion: "1.33"}
  delivery: {git: {url: https://git.company.com/platform/fleet.git}}
  values: {prefect-cloud: {db: {sslmode: verify-full}, serviceMesh: {authorizationMode: policy}}}
`

// sane is a template of a chart that is well.
const sane = `apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: app, image: registry.company.com/app:1.0.0}]}
`

// setting is an environment and what its charts are.
type setting struct {
	target string // flux without one
	spec   string // laid over that of base; names the release app for template
	// template, values and more are files of the chart app, metadata the lines
	// of its Chart.yaml behind name and version.
	template, values, metadata string
	more                       map[string]string
	// stand is whether the vendor's releases are the stand-ins although there
	// is a template; else they are charts without anything in them.
	stand bool
	// broken is whether prefect-cloud does not render.
	broken bool
	// once: nothing is random, and a second rendering is not needed.
	once bool
	// defaults is used instead of base.
	defaults string
	// catalog is used instead of the embedded one.
	catalog string
	// over is laid over the catalog.
	over string
	// known is releases as they were rendered: the same is not rendered again.
	known []check.Release
	// lock is the lock of the environment, and digest that of all charts.
	lock, digest string
}

// whole is the setting with the stand-ins.
func (s setting) whole() setting {
	s.stand = true
	return s
}

// without is the setting without a text of its environment.
func (s setting) without(text string) setting {
	s.spec = strings.ReplaceAll(s.spec, text, "needs: []")
	return s
}

// environment is the text of the environment file.
func (s setting) environment() string {
	text := "apiVersion: pm-gitops/v1\nkind: Environment\nextends: base.yaml\nmetadata: {name: prod}\nspec:\n  names: {}\n"
	for line := range strings.Lines(s.spec) {
		text += "  " + line
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if s.template != "" && !strings.Contains(s.spec, "releases:") {
		text += "  releases: [{name: app, chart: oci://registry.company.com/charts/app, version: 1.0.0, namespace: apps}]\n"
	}
	return text
}

// files is the chart app.
func (s setting) files() map[string][]byte {
	files := map[string][]byte{
		"Chart.yaml":         []byte("apiVersion: v2\nname: app\nversion: 1.0.0\n" + s.metadata),
		"values.yaml":        []byte(s.values),
		"templates/all.yaml": []byte(s.template),
	}
	for name, content := range s.more {
		files[name] = []byte(content)
	}
	return files
}

// find runs the checks on a setting.
func find(t testing.TB, s setting) []finding.Finding {
	t.Helper()
	return findIn(t, s, s.environment(), s.standIn)
}

// standIn is the charts of a setting: its own, and the stand-ins.
func (s setting) standIn(release render.Release) (map[string][]byte, error) {
	switch {
	case release.Key == "app":
		return s.files(), nil
	case s.broken && release.Key == render.PrefectCloud:
		return map[string][]byte{"Chart.yaml": []byte("apiVersion: v2\nname: prefect-cloud\nversion: 1.2.900\n"), "templates/a.yaml": []byte(`{{ fail "no" }}`)}, nil
	case s.template != "" && !s.stand:
		return map[string][]byte{"Chart.yaml": []byte("apiVersion: v2\nname: " + release.Key + "\nversion: 1.2.900\n")}, nil
	}
	return charts.Files(release.Key, release.Chart.Version)
}

// findIn runs the checks on the text of an environment.
func findIn(t testing.TB, s setting, text string, files func(render.Release) (map[string][]byte, error)) []finding.Finding {
	t.Helper()
	return findWith(t, s, text, func(release render.Release) (chart.Chart, error) {
		own, err := files(release)
		if err != nil {
			return chart.Chart{}, err
		}
		return chart.FromFiles(own)
	})
}

// findWith does so with charts from anywhere.
func findWith(t testing.TB, s setting, text string, load func(render.Release) (chart.Chart, error)) []finding.Finding {
	t.Helper()
	found, err := check.Run(inputOf(t, s, text, load))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// inputOf gives what checks look at, from the text of an environment.
func inputOf(t testing.TB, s setting, text string, load func(render.Release) (chart.Chart, error)) check.Input {
	t.Helper()
	env, err := render.Parse("prod.yaml", []byte(text), func(string) ([]byte, error) { return []byte(cmp.Or(s.defaults, base)), nil })
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	in, err := inputFor(t, s, env, load)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return in
}

// inputFor gives what checks look at, of an environment. The error is the plan's.
func inputFor(t testing.TB, s setting, env render.Environment, load func(render.Release) (chart.Chart, error)) (check.Input, error) {
	t.Helper()
	target, err := render.Targets{targets.Flux{}, targets.Argo{}}.ByName(cmp.Or(s.target, "flux"))
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.Embedded()
	if s.catalog != "" {
		if cat, err = catalog.Parse("catalog.yaml", []byte(s.catalog)); err != nil {
			t.Fatal(err)
		}
	}
	if s.over != "" {
		over, err := catalog.Parse("over.yaml", []byte(s.over))
		if err != nil {
			t.Fatal(err)
		}
		cat = cat.With(over)
	}
	if s.lock != "" {
		locked, err := lock.Parse("lock.yaml", []byte(s.lock))
		if err != nil {
			t.Fatal(err)
		}
		env = env.WithLock(locked)
	}
	plan, err := render.PlanFor(env, cat, target)
	if err != nil {
		return check.Input{}, err
	}
	lockless := plan
	lockless.Unlocked = nil
	rendering, err := render.Render(lockless, target)
	if err != nil {
		t.Fatal(err)
	}
	in := check.Input{Environment: env, Plan: plan, Traits: target.Traits(plan.Delivery), Manifests: rendering.Manifests}
	for _, release := range plan.Releases() {
		if i := slices.IndexFunc(s.known, func(r check.Release) bool { return reflect.DeepEqual(r.Release, release) }); i >= 0 {
			in.Releases = append(in.Releases, s.known[i])
			continue
		}
		read, err := load(release)
		if err != nil {
			t.Fatal(err)
		}
		in.Releases = append(in.Releases, rendered(t, plan, release, read, s))
	}
	return in, nil
}

// rendered is a release as the command renders it.
func rendered(t testing.TB, plan render.Plan, release render.Release, read chart.Chart, s setting) check.Release {
	t.Helper()
	values, err := release.PlaceholderValues()
	if err != nil {
		t.Fatal(err)
	}
	in := chart.Input{
		As: chart.Argo(string(plan.Delivery.Argo.Version)), Release: release.Name, Namespace: release.Namespace, Values: values,
		KubeVersion: plan.KubeVersion, APIVersions: plan.APIVersions, Digest: s.digest, OriginNamespace: release.Namespace, OriginName: release.Key,
	}
	if s.target != "argo" {
		in.As = chart.Flux(string(plan.Delivery.Flux.Version))
	}
	made := check.Release{Release: release, Chart: read, Rendered: in}
	upgrade := in
	upgrade.IsUpgrade = true
	var failures []error
	for _, one := range []struct {
		in   chart.Input
		made *chart.Output
	}{{in, &made.Install}, {in, &made.Again}, {upgrade, &made.Upgrade}} {
		if s.once && one.made == &made.Again {
			made.Again = made.Install
			continue
		}
		var err error
		if *one.made, err = read.Render(context.Background(), one.in); err != nil {
			failures = append(failures, err)
		}
	}
	if s.target == "argo" {
		made.Upgrade = chart.Output{}
	}
	if failures != nil {
		made.Failure = errors.Join(failures[0])
	}
	if s.once {
		return made
	}
	made.Trace, made.TraceFailure = trace.Release(context.Background(), release, func(values map[string]any) ([]chart.Object, error) {
		other := in
		other.Values = values
		out, err := read.Render(context.Background(), other)
		return out.Objects, err
	})
	return made
}

// told is findings on a line each.
func told(found []finding.Finding) string {
	var b strings.Builder
	for _, f := range found {
		object := ""
		if f.Object != nil {
			object = " " + f.Object.String()
		}
		fmt.Fprintf(&b, "%s %s %s%s %s: %s\n", f.Severity, f.ID, f.Release, object, f.Field, f.Message)
	}
	return b.String()
}

// ofID is the findings of a check.
func ofID(found []finding.Finding, id string) []finding.Finding {
	var of []finding.Finding
	for _, f := range found {
		if f.ID == id {
			of = append(of, f)
		}
	}
	return of
}
