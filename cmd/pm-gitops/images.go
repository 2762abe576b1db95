package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/targets"
)

type imagesOptions struct {
	input
	chartFlags
	target   string
	output   string
	digests  bool
	releases []string
}

// imagesFormats is what images can print, the default first.
var imagesFormats = []string{"text", "json", "script"}

func (a app) imagesCommand() *cobra.Command {
	var o imagesOptions
	cmd := &cobra.Command{
		Use:   "images [RELEASE ...]",
		Short: "Print every image and chart that environments need",
		Long: `Images renders the charts of environments for an install and an upgrade, and
prints which images their objects need, each once, with what needs it; and the
charts. It never talks to a cluster.

Images that no pod names are there too, and marked hidden: what Istio's sidecar
injector composes from its ConfigMap, and what custom resources, environment
variables, arguments and ConfigMaps hold. Possible is what only has the form of
an image. The text auto, which the injector replaces, is no image, and Secrets
and the definitions of custom resources are not looked into.

-o script prints a POSIX shell script that copies everything to the mirror with
crane (https://github.com/google/go-containerregistry/tree/main/cmd/crane).
What follows registry.source is kept below registry.mirror, and names of other
hosts get the mirror as prefix; where an image comes from that is pulled from
the mirror follows from that. What cannot be copied, because nobody knows where
it comes from, and what the cluster would not pull from the mirror, is a comment
in the script and a finding. Possible images are comments too.

Charts that the mirror lacks come from where they are mirrored from.`,
		Example: `  pm-gitops images
  pm-gitops images prefect-cloud --chart-dir charts
  pm-gitops images -f environments/ -o json | jq -r '.images[].image'
  pm-gitops images prefect-cloud -o script > copy.sh     where spec.registry.mirror says where to`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return a.releaseKeys(cmd.Context(), o.input, args), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.releases = args
			return a.images(cmd.Context(), o)
		},
	}
	a.addInput(cmd, &o.input)
	a.addCharts(cmd, &o.chartFlags)
	addTarget(cmd, &o.target)
	flags := cmd.Flags()
	flags.BoolVar(&o.digests, "digests", false, "ask the registries for the digest of every image that none pins")
	flags.StringVarP(&o.output, "output", "o", imagesFormats[0], "format: "+render.OneOf(imagesFormats))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(imagesFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check refuses what makes no sense.
func (o imagesOptions) check() (render.Target, error) {
	target, err := targets.ByName(o.target)
	switch {
	case err != nil:
	case !slices.Contains(imagesFormats, o.output):
		err = fmt.Errorf("unknown format %q: want %s", o.output, render.OneOf(imagesFormats))
	case o.digests && o.offline:
		err = errors.New("digests are asked of registries: no --offline with --digests")
	case o.jobs < 1:
		err = fmt.Errorf("want at least one job at a time, got --jobs %d", o.jobs)
	default:
		return target, nil
	}
	return nil, usageError{err}
}

func (a app) images(ctx context.Context, o imagesOptions) error {
	target, err := o.check()
	if err != nil {
		return err
	}
	flags := o.chartFlags
	if o.digests && flags.dir != "" {
		flags = chartFlags{dir: flags.dir} // the others are for the digests
	}
	source, err := a.charts(flags)
	if err != nil {
		return err
	}
	plans, err := eachPlan(ctx, a, o.input, target, func(plan render.Plan) (render.Plan, error) { return plan, nil })
	if err != nil {
		return err
	}
	releases, err := plannedReleases(plans, o.releases)
	if err != nil {
		return err
	}
	if err := checkMirrors(o, plans); err != nil {
		return err
	}
	for _, plan := range plans {
		a.warn(plan.Warnings)
	}
	log.SetFlags(0) // Helm warns there
	log.SetOutput(printable{a.err})
	originals := newOriginals(source, releases)
	found, err := eachChart(ctx, o.jobs, originals, releases, func(ctx context.Context, p planned, own sourced) (releaseImages, error) {
		return imagesOf(ctx, p, own, target.Name())
	})
	if err != nil {
		return kubeHint(plans, err)
	}
	a.noteImages(releases, found, originals)
	all := gather(releases, found, originals)
	if o.digests {
		if err := a.resolve(ctx, o, &all); err != nil {
			return err
		}
	}
	return a.printImages(o, plans, all)
}

// checkMirrors refuses a script where there is nothing to copy to.
func checkMirrors(o imagesOptions, plans []render.Plan) error {
	for _, plan := range plans {
		if o.output == "script" && plan.Mirror() == "" {
			return hinted{fmt.Errorf("%s has no mirror to copy to", plan.Environment), "Name it in spec.registry.mirror."}
		}
	}
	return nil
}

// releaseImages is the images of a release.
type releaseImages struct {
	images.Result
	digest string // of the chart, where it is known
}

// imagesOf finds the images of all that a release can make.
func imagesOf(ctx context.Context, p planned, own sourced, as string) (releaseImages, error) {
	in, err := p.input(own, as)
	if err != nil {
		return releaseImages{}, err
	}
	objects, err := everything(ctx, own, in)
	if err != nil {
		return releaseImages{}, fmt.Errorf("%s: %w", p.Key, err)
	}
	found, err := images.Find(objects)
	if err != nil {
		return releaseImages{}, fmt.Errorf("%s: %w", p.Key, err)
	}
	return releaseImages{found, own.digest}, nil
}

// noteImages says what the list may lack.
func (a app) noteImages(releases []planned, found []releaseImages, originals *originals) {
	var notes []string
	for i, result := range found {
		for _, object := range result.Unread {
			notes = append(notes, fmt.Sprintf("note: %s: %s %s holds more text than is looked through", releases[i].Key, object.Kind, object.Name))
		}
		if from, ok := originals.used(releases[i].Chart); ok {
			notes = append(notes, fmt.Sprintf("note: %s: the mirror does not give the chart, so it is that of %s", releases[i].Key, from))
		}
	}
	for _, note := range unique(notes) {
		fmt.Fprintln(a.err, render.Visible(note))
	}
}
