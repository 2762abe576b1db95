package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/lock"
)

type imagesOptions struct {
	releaseFlags
	lockFlags
	output  string
	digests bool
}

// imagesFormats are the formats of images, the default first.
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
the mirror follows from that. An image whose origin is unknown, or that the
cluster would not pull from the mirror, is a comment in the script and a finding.
Possible images are comments too.

Charts that the mirror lacks come from where they are mirrored from.

--lock writes the lock of each environment, as mirror --lock does, with the digests
that the registries have.`,
		Example: `  pm-gitops images
  pm-gitops images prefect-cloud --chart-dir charts
  pm-gitops images -f environments/ -o json | jq -r '.images[].image'
  pm-gitops images prefect-cloud -o script > copy.sh     where spec.registry.mirror says where to`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.releases = args
			return a.images(cmd.Context(), o)
		},
	}
	a.addReleases(cmd, &o.releaseFlags)
	flags := cmd.Flags()
	flags.BoolVar(&o.digests, "digests", false, "ask the registries for the digest of every image that none pins")
	o.lockFlags.add(cmd)
	addOutput(cmd, &o.output, imagesFormats)
	return cmd
}

// check refuses flags that exclude each other.
func (o *imagesOptions) check() error {
	switch {
	case o.digests && o.offline:
		return usageError{errors.New("digests are asked of registries: no --offline with --digests")}
	case o.lock && o.output == "script":
		return usageError{errors.New("--lock writes locks, and -o script a script: want one of them")}
	}
	return cmp.Or(o.refuse(&o.releaseFlags), checkOutput(o.output, imagesFormats))
}

func (a app) images(ctx context.Context, o imagesOptions) error {
	target, err := a.target(o.target)
	if err = cmp.Or(err, o.check()); err != nil {
		return err
	}
	flags := o.releaseFlags
	if o.digests && o.dir != "" {
		flags.chartFlags = chartFlags{dir: o.dir} // the others are for the digests
	}
	found, err := a.findNeeds(ctx, flags, target, o.lock, func(plans []render.Plan) error { return checkMirrors(o, plans) })
	if err != nil {
		return err
	}
	if o.digests || o.lock {
		if err := a.resolve(ctx, o, &found.needs); err != nil {
			return err
		}
	}
	printed := a.printImages(o, found.plans, found.needs)
	if err := cmp.Or(found.failure("searched"), printed); err != nil || !o.lock {
		return err
	}
	return a.lockImages(ctx, o.lockFlags, found)
}

// foundNeeds holds the needs of environments, and says which could not be looked into.
type foundNeeds struct {
	needs
	selection
	failed error
	done   []bool   // by release
	left   []string // notes of what is left out, and of charts that are not the mirror's
	notes  []string // of what was not looked through
}

// failure is the error of environments that could not be looked into, if there are any.
func (f foundNeeds) failure(done string) error {
	if f.failed == nil {
		return nil
	}
	return hintKube(f.plans, markPartial(f.failed, f.done, done))
}

// findNeeds renders the charts of environments, if check lets it, and finds all that
// they need, and for pins also which values take the digests of images.
func (a app) findNeeds(ctx context.Context, o releaseFlags, target render.Choice, pins bool, check func([]render.Plan) error) (foundNeeds, error) {
	chosen, err := a.choose(ctx, o, target)
	if err != nil {
		return foundNeeds{}, err
	}
	if err := check(chosen.plans); err != nil {
		return foundNeeds{}, err
	}
	return a.needsOf(ctx, chosen, o.jobs, pins)
}

// needsOf finds all that chosen releases need, and with pins which values take digests. It
// says what the list may lack.
func (a app) needsOf(ctx context.Context, chosen selection, jobs int, pins bool) (foundNeeds, error) {
	workers := a.workersFor(jobs, len(chosen.plans))
	defer workers.Close()
	found, err := a.needsBy(ctx, workers, chosen, jobs, pins)
	for _, note := range dropRepeated(append(found.left, found.notes...)) {
		a.err.Say("%s", note)
	}
	return found, err
}

// needsBy finds what needsOf does, with workers of the caller's, and prints nothing.
func (a app) needsBy(ctx context.Context, workers *charts.Workers, chosen selection, jobs int, pins bool) (foundNeeds, error) {
	originals := newOriginals(chosen, chosen.releases)
	found, done, failed := eachChart(ctx, jobs, workers, originals, chosen.releases, func(ctx context.Context, p planned, own charts.Chart) (releaseImages, error) {
		return imagesOf(ctx, p, own, p.plan.Traits().Renderer, pins)
	})
	releases := keepDone(chosen.releases, done)
	if found = keepDone(found, done); failed != nil && len(found) == 0 {
		return foundNeeds{}, hintKube(chosen.plans, failed)
	}
	result := foundNeeds{needs: gather(releases, found, originals), selection: chosen, failed: failed, done: done}
	result.note(releases, found, originals)
	return result, nil
}

// checkMirrors refuses a script where there is nothing to copy to.
func checkMirrors(o imagesOptions, plans []render.Plan) error {
	if o.output != "script" {
		return nil
	}
	return needMirrors(plans)
}

// needMirrors refuses environments without a mirror.
func needMirrors(plans []render.Plan) error {
	for _, plan := range plans {
		if plan.Mirror() == "" {
			return hinted{fmt.Errorf("%s has no mirror to copy to", plan.Environment), "Name it in spec.registry.mirror."}
		}
	}
	return nil
}

// releaseImages is the images of a release.
type releaseImages struct {
	images.Result
	digest string                // of the chart, where it is known
	pins   map[string][]lock.Pin // of images, by reference
	left   []string              // notes of the objects that nothing applies
}

// refusedError says that a chart makes nothing of the values of a release.
type refusedError struct {
	release string
	error
}

func (e refusedError) Error() string { return e.release + ": " + e.error.Error() }
func (e refusedError) Unwrap() error { return e.error }

// imagesOf finds the images of all that a release can make, and with pins the values
// that take their digests.
func imagesOf(ctx context.Context, p planned, own charts.Chart, as string, withPins bool) (releaseImages, error) {
	in, err := p.input(own, as)
	if err != nil {
		return releaseImages{}, err
	}
	all, err := own.RenderAll(ctx, in)
	switch {
	case charts.IsOverLimits(err):
		return releaseImages{}, fmt.Errorf("%s: %w", p.Key, err)
	case err != nil:
		return releaseImages{}, refusedError{p.Key, err}
	}
	found, err := images.Find(all.Objects)
	if err != nil {
		return releaseImages{}, fmt.Errorf("%s: %w", p.Key, err)
	}
	var pins map[string][]lock.Pin
	if withPins {
		if pins, err = findPins(ctx, p, own, in, found.Images); err != nil {
			return releaseImages{}, fmt.Errorf("%s: %w", p.Key, err)
		}
	}
	return releaseImages{found, own.Digest, pins, leftOut(p, all.Left)}, nil
}

// note notes what the list may lack.
func (f *foundNeeds) note(releases []planned, found []releaseImages, originals *originals) {
	for i, result := range found {
		f.left = append(f.left, result.left...)
		for _, object := range result.Unread {
			f.notes = append(f.notes, fmt.Sprintf("note: %s: %s %s holds more text than is looked through", releases[i].Key, object.Kind, object.Name))
		}
		if from, ok := originals.used(releases[i].Chart); ok {
			f.left = append(f.left, fmt.Sprintf("note: %s: the mirror does not give the chart, so it is that of %s", releases[i].Key, from))
		}
	}
}
