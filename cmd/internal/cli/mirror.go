package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/verify"
)

type mirrorOptions struct {
	releaseFlags
	lockFlags
	output        string
	dryRun, check bool
	blobs         bool
	platforms     []string
	wanted        []mirror.Platform // what they say
	parallel      int
	to, from      string // archives
	mirror        string // where everything of an archive goes, without an environment
}

func (a app) mirrorCommand() *cobra.Command {
	var o mirrorOptions
	cmd := &cobra.Command{
		Use:   "mirror [RELEASE ...]",
		Short: "Copy every image and chart that environments need to their mirror",
		Long: `Mirror copies what images lists from where it comes from to spec.registry.mirror
of each environment: all platforms, with the same digests, and charts as they are,
with their provenance.

Signatures, attestations and SBOMs are copied too, those of each platform as well:
those under cosign's tags (sha256-….sig, .att, .sbom) and OCI referrers. Only "not
found" means that there are none: every other answer is an error.

What the mirror has is not copied again, so a run that was interrupted is finished
by the next. A tag is resolved once in a run. In the end everything that was written is
read from the mirror again and compared. An artifact that fails does not stop the others.

Signatures are verified where spec.verify has a rule: at the source before anything is
copied, and at the mirror. An artifact whose signature is wrong, or missing though
required, fails. Keyless ones are not verified; the cosign command that does is printed.

Logins are those of docker, podman and helm, as for charts. A login goes to its own
host alone, not to a token service, a redirect or an upload elsewhere.

--check asks for manifests and signatures, copies nothing, and exits with 3 where the mirror
lacks something or has something else. --dry-run prints the same and exits with 0.
--blobs looks for every blob, too: a registry can lose some of a manifest that it has.
Without --check, what was lost is copied again.

--lock writes the lock of each environment when everything is in its mirror: the
digests of all that it needs, which spec.versions.pin has render write. A tag with
another digest than in the lock is an alarm, with exit code 3: nothing is copied, and
the lock stays, unless --accept-changed-digests says to take the new one.

--platform copies an index as it is, and of its manifests only those. Registries
that want an index complete refuse that.

--to writes everything into an archive instead, and needs no mirror: an OCI image
layout in a tar, or compressed with zstd where its name ends in .tar.zst. --from takes
it to the mirror, and asks no other registry. It verifies the archive first, and reads
OCI image layouts of crane, skopeo and oras too, in a tar or a folder. With --mirror,
it copies everything in the archive, and reads no environment.`,
		Example: `  pm-gitops mirror --dry-run                             where spec.registry.mirror says where to
  pm-gitops mirror -f environments/
  pm-gitops mirror --check -o json | jq -r '.artifacts[].lacks[]?'
  pm-gitops mirror --lock                                and write the digests down
  pm-gitops mirror prefect-cloud --platform linux/amd64 --parallel 8
  pm-gitops mirror --to prefect.tar.zst                  for a network without the vendor's registry
  pm-gitops mirror --from prefect.tar.zst                in that network`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.releases = args
			return a.mirror(cmd.Context(), o)
		},
	}
	a.addReleases(cmd, &o.releaseFlags)
	o.add(cmd)
	return cmd
}

// add adds the flags of mirror alone.
func (o *mirrorOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	_ = flags.MarkHidden("offline") // refused with a sentence
	flags.BoolVar(&o.dryRun, "dry-run", false, "print what would be copied, and copy nothing")
	flags.BoolVar(&o.check, "check", false, "exit with 3 if the mirror lacks something, and copy nothing")
	flags.BoolVar(&o.blobs, "blobs", false, "look for the blobs of manifests that the mirror has, too")
	flags.StringArrayVar(&o.platforms, "platform", nil, "only these `platforms`, such as linux/amd64,linux/arm64; may be repeated")
	flags.IntVar(&o.parallel, "parallel", 4, "how many artifacts, and how many blobs, to copy at a time")
	flags.Var((*place)(&o.to), "to", "write an archive to this `file`, .tar or .tar.zst, instead of copying to the mirror")
	flags.Var((*place)(&o.from), "from", "copy from this archive, a `file` or a folder, and from no registry")
	flags.Var((*place)(&o.mirror), "mirror", "with --from: copy everything to this `place` in a registry, whatever environments need")
	_ = cmd.MarkFlagFilename("to", "tar", "zst")
	_ = cmd.MarkFlagFilename("from", "tar", "zst")
	completeWith(cmd, "platform", []string{"linux/amd64", "linux/arm64"})
	o.lockFlags.add(cmd)
	addOutput(cmd, &o.output, textOrJSON)
}

// refuse reads the platforms, and refuses flags that make no sense.
func (o *mirrorOptions) refuse() error {
	for _, text := range strings.Split(strings.Join(o.platforms, ","), ",") {
		if o.platforms == nil {
			break
		}
		platform, err := mirror.ParsePlatform(text)
		if err != nil {
			return usageError{err}
		}
		o.wanted = append(o.wanted, platform)
	}
	switch {
	case o.check && o.dryRun:
		return usageError{errors.New("--check and --dry-run exclude each other")}
	case o.to != "" && o.from != "":
		return usageError{errors.New("--to and --from exclude each other")}
	case o.to != "" && (o.check || o.blobs):
		return usageError{errors.New("--check and --blobs look at a mirror: no --to")}
	case o.to != "" && !strings.HasSuffix(o.to, ".tar") && !o.compresses():
		return usageError{fmt.Errorf("--to %s: want a name that ends in .tar or .tar.zst", o.to)}
	case o.lock && (o.to != "" || o.mirror != ""):
		return usageError{errors.New("--lock is for what an environment's mirror has: no --to or --mirror with it")}
	case o.mirror != "" && o.from == "":
		return usageError{errors.New("--mirror says where an archive goes: it needs --from")}
	case o.mirror != "" && (len(o.releases) > 0 || o.only != nil || o.dir != "" || !slices.Equal(o.files, []string{fleet.DefaultFile})):
		return usageError{errors.New("--mirror copies everything in the archive: no environments, releases or --chart-dir")}
	case o.mirror != "" && !ref.IsFolder(o.mirror):
		return usageError{fmt.Errorf("--mirror %q: want a registry or a folder of one, such as registry.company.com/prefect", o.mirror)}
	case o.offline:
		return usageError{errors.New("mirror asks registries: no --offline")}
	case o.parallel < 1:
		return usageError{fmt.Errorf("want at least one copy at a time, got --parallel %d", o.parallel)}
	}
	if o.lock && (o.check || o.dryRun) {
		return usageError{errors.New("--lock is for what was copied: no --check or --dry-run with it")}
	}
	return cmp.Or(o.lockFlags.refuse(&o.releaseFlags), checkOutput(o.output, textOrJSON))
}

func (a app) mirror(ctx context.Context, o mirrorOptions) error {
	target, err := a.target(o.target)
	if err = cmp.Or(err, o.refuse()); err != nil {
		return err
	}
	switch {
	case o.to != "":
		return a.mirrorTo(ctx, o, target)
	case o.from != "":
		return a.mirrorFrom(ctx, o, target)
	}
	found, err := a.findNeeds(ctx, o.forCharts(), target, o.lock, needMirrors)
	if err != nil {
		return err
	}
	artifacts, problems := found.artifacts()
	if len(o.releases) == 0 {
		a.noteUnusedRules(found.plans, artifacts)
	}
	options, err := a.copyOptions(o, o.wanted)
	if err != nil {
		return err
	}
	locks, err := a.prepareLocks(ctx, o, found, artifacts, options)
	if err != nil {
		return err
	}
	results, err := a.copyAll(ctx, o, artifacts, options)
	if err != nil {
		return a.brokenOff(ctx, o, results, problems, err)
	}
	if o.dir != "" {
		a.err.Say("note: the images are those of the charts in %s: whether the registries have the same charts was not looked at", o.dir)
	}
	problems = append(problems, found.otherCharts(results)...)
	err = cmp.Or(found.failure("looked into"), a.reportMirror(o, results, problems))
	return a.finishLocks(ctx, o.lockFlags, locks, found.needs, results, err)
}

// noteUnusedRules says which rules for signatures are for nothing that any environment
// needs: their places may be misspelled.
func (a app) noteUnusedRules(plans []render.Plan, artifacts []mirror.Artifact) {
	var unused []string
	for _, plan := range plans {
		for _, rule := range plan.Policies() {
			isUsed := slices.ContainsFunc(artifacts, func(one mirror.Artifact) bool {
				return slices.ContainsFunc(one.Policies, func(p verify.Policy) bool { return p.Match == rule.Match })
			})
			if !isUsed && rule.Match != "*" {
				unused = append(unused, string(rule.Match))
			}
		}
	}
	for _, place := range dropRepeated(unused) {
		a.err.Say("note: nothing comes from %s: the rule for it in spec.verify verifies nothing", place)
	}
}

// otherCharts gives the charts of the result that are not those whose images were
// listed: a version can mean another chart now, and images of its own may be missing.
func (n needs) otherCharts(results []mirror.Result) (problems []string) {
	for _, result := range results {
		if result.Kind != mirror.Chart || result.Digest == "" {
			continue
		}
		for _, chart := range n.Charts {
			isCopy := slices.ContainsFunc(chart.Copies, func(c imageCopy) bool { return c.Source == result.Source && c.Target == result.Target })
			if isCopy && chart.Digest != "" && chart.Digest != result.Digest {
				problems = append(problems, fmt.Sprintf("%s: the images are those of the chart that the mirror had, %s: run the same again for those of %s", result.Target, chart.Digest, result.Digest))
			}
		}
	}
	return problems
}

// artifacts lists what is to be copied, each once, and what keeps the mirror from
// being complete. What may be no image is not copied.
func (n needs) artifacts() (all []mirror.Artifact, problems []string) {
	add := func(kind mirror.Kind, copies []imageCopy) {
		for _, one := range copies {
			if one.Problem != "" {
				problems = append(problems, one.Problem)
			}
			if one.Source == "" {
				continue
			}
			same := slices.IndexFunc(all, func(other mirror.Artifact) bool { return other.Source == one.Source && other.Target == one.Target })
			if same < 0 {
				all = append(all, mirror.Artifact{Kind: kind, Source: one.Source, Target: one.Target, Environments: one.environments, Policies: one.policies})
			} else {
				all[same].Environments = dropRepeated(append(slices.Clone(all[same].Environments), one.environments...))
				all[same].Policies = all[same].Policies.With(one.policies...)
			}
		}
	}
	for _, image := range n.Images {
		if image.Problem != "" {
			problems = append(problems, image.Problem+", in "+listUses(image.Uses, true))
		}
		if image.Sure != string(images.Possible) {
			add(mirror.Image, image.Copies)
		}
	}
	for _, chart := range n.Charts {
		add(mirror.Chart, chart.Copies)
	}
	return all, dropRepeated(problems)
}

// mirrorReport is the result of mirror as JSON.
type mirrorReport struct {
	Artifacts []mirror.Result `json:"artifacts"`
	Problems  []string        `json:"problems"` // what cannot be copied, or would not be pulled from the mirror
}

func (a app) printMirror(results []mirror.Result, problems []string) error {
	return a.printJSON(mirrorReport{append([]mirror.Result{}, results...), append([]string{}, problems...)})
}

// reportMirror prints the results where they are not printed yet, and gives the error
// that they are.
func (a app) reportMirror(o mirrorOptions, results []mirror.Result, problems []string) error {
	for _, result := range results {
		if result.Conflict != "" && result.Error == "" {
			problems = append(problems, result.Target+": "+result.Conflict)
		}
	}
	if o.output == "json" {
		if err := a.printMirror(results, problems); err != nil {
			return err
		}
	}
	for _, problem := range problems {
		a.err.Say("%s", problem)
	}
	a.noteKeyless(results)
	lacking, failed := 0, 0
	for _, result := range results {
		switch {
		case result.Error != "":
			failed++
		case len(result.Lacks) > 0 && result.State != mirror.Copied:
			lacking++
		}
	}
	switch {
	case failed > 0:
		what := "copied"
		if o.dryRun || o.check {
			what = "checked"
		}
		return errors.Join(append(mirrorFailures(results), fmt.Errorf("%d of %s could not be %s", failed, text.Count(len(results), "artifact"), what))...)
	case lacking == 1 && o.check:
		return foundError{fmt.Errorf("1 of %s is missing in the mirror, or differs", text.Count(len(results), "artifact"))}
	case lacking > 0 && o.check:
		return foundError{fmt.Errorf("%d of %s are missing in the mirror, or differ", lacking, text.Count(len(results), "artifact"))}
	case problems != nil:
		return foundError{errors.New(text.Count(len(problems), "thing") + " to look at before the mirror is complete")}
	}
	return nil
}
