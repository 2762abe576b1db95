package check_test

import (
	"context"
	"fmt"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/targets"
)

// A release is rendered for an install, for that once more and for an upgrade,
// and then looked at.
func ExampleRun() {
	env, err := render.Parse("prod.yaml", []byte("apiVersion: pm-gitops/v1\nkind: Environment\nextends: base.yaml\nmetadata: {name: prod}\nspec: {mesh: none}\n"), func(string) ([]byte, error) { return []byte(base), nil })
	if err != nil {
		panic(err)
	}
	plan, err := render.NewPlan(env, catalog.Embedded(), render.IntoValues)
	if err != nil {
		panic(err)
	}
	own, err := chart.FromFiles(map[string][]byte{
		"Chart.yaml":       []byte("apiVersion: v2\nname: prefect-cloud\nversion: 1.2.900\n"),
		"templates/a.yaml": []byte("apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: tidy}\n"),
	})
	if err != nil {
		panic(err)
	}
	release := check.Release{Release: plan.Releases()[0], Chart: own}
	release.Rendered = chart.Input{As: chart.Flux("2.7"), Release: release.Name, Namespace: release.Release.Namespace, KubeVersion: plan.KubeVersion}
	again, upgrade := release.Rendered, release.Rendered
	upgrade.IsUpgrade = true
	for in, out := range map[*chart.Input]*chart.Output{&release.Rendered: &release.Install, &again: &release.Again, &upgrade: &release.Upgrade} {
		if *out, err = own.Render(context.Background(), *in); err != nil {
			panic(err)
		}
	}
	found, err := check.Run(check.Input{Environment: env, Plan: plan, Traits: targets.Flux{}.Traits(plan.Delivery), Releases: []check.Release{release}})
	if err != nil {
		panic(err)
	}
	for _, f := range found {
		if f.Object == nil {
			continue // of the environment
		}
		fmt.Println(f.Severity, f.ID, f.Object, f.Message)
	}
	// Output:
	// error removed-api CronJob/tidy Kubernetes 1.33 does not serve batch/v1beta1 of CronJob, since 1.25: the API server refuses the object
}
