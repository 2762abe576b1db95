package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/archive"
	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// mirrorFrom copies an archive to the mirrors of environments.
func (a app) mirrorFrom(ctx context.Context, o mirrorOptions, target render.Choice) error {
	held, err := archive.Open(ctx, o.from, os.TempDir())
	if err != nil {
		return hinted{err, "Nothing was copied."}
	}
	defer held.Close()
	a.err.Say("%s is whole: %s, %s", o.from, text.Count(len(held.References()), "artifact"), formatSize(held.Size()))
	platforms, err := platformsOf(o, held)
	if err != nil {
		return err
	}
	found, artifacts, problems, err := a.fromArchive(ctx, o, target, held)
	if err != nil {
		return err
	}
	options, err := a.copyOptions(o, platforms)
	if err != nil {
		return err
	}
	options.Source = held
	locks, err := a.prepareLocks(ctx, o, found, artifacts, options)
	if err != nil {
		return err
	}
	results, err := a.copyAll(ctx, o, artifacts, options)
	if err != nil {
		return a.brokenOff(ctx, o, results, problems, err)
	}
	err = cmp.Or(found.failure("looked into"), a.reportMirror(o, results, dropRepeated(problems)))
	return a.finishLocks(ctx, o.lockFlags, locks, found.needs, results, err)
}

// fromArchive lists what is to be copied from an archive: what environments need, or
// everything.
func (a app) fromArchive(ctx context.Context, o mirrorOptions, target render.Choice, held *archive.Archive) (found foundNeeds, artifacts []mirror.Artifact, problems []string, err error) {
	if o.mirror != "" {
		artifacts, problems = everything(o, held)
		return found, artifacts, problems, nil
	}
	found, problems, err = a.heldNeeds(ctx, o, target, held)
	if err != nil {
		return found, nil, nil, err
	}
	wanted, more := found.artifacts()
	problems = append(problems, more...)
	for _, one := range wanted {
		if held.Has(one.Source) {
			artifacts = append(artifacts, one)
			continue
		}
		problems = append(problems, fmt.Sprintf("%s lacks %s %s, which %s needs", o.from, one.Kind, one.Source, strings.Join(one.Environments, ", ")))
	}
	a.noteHeld(o, held, wanted)
	return found, artifacts, problems, nil
}

// everything lists what an archive holds, for a mirror that no environment names. It
// lies there as if an environment named the mirror and nothing else.
func everything(o mirrorOptions, held *archive.Archive) (all []mirror.Artifact, problems []string) {
	registry := render.Registry{Mirror: render.Repository(o.mirror)}
	contents, _ := held.Contents()
	for _, one := range held.References() {
		if one.Name == "" {
			problems = append(problems, unnamed(o, one))
			continue
		}
		name, tag, digest := ref.Split(one.Name)
		made := mirror.Artifact{Kind: mirror.Image, Source: one.Name, Target: formatReference(registry.Mirrored(name), tag, digest), Environments: []string{}}
		if _, err := ref.ParseImage(made.Target); err != nil {
			problems = append(problems, noReference(made.Source, made.Target))
			continue
		}
		at := slices.IndexFunc(contents.Artifacts, func(other archive.Artifact) bool { return other.Source == one.Name })
		if at >= 0 {
			made.Kind, made.Environments = mirror.Kind(contents.Artifacts[at].Kind), contents.Artifacts[at].Environments
		}
		all = append(all, made)
	}
	return all, problems
}

// unnamed says what to do about an entry of an archive without a repository.
func unnamed(o mirrorOptions, one archive.Reference) string {
	tag := ""
	if one.Tag != "" {
		tag = " (tag " + one.Tag + ")"
	}
	return fmt.Sprintf("%s does not say which repository %s%s is of: it is copied only where an environment pins that digest. skopeo copy … oci-archive:FILE:REPOSITORY:TAG and crane pull --format=oci --annotate-ref write names", o.from, one.Digest, tag)
}

// platformsOf gives the platforms that are asked for, or else those that an archive has.
func platformsOf(o mirrorOptions, held *archive.Archive) ([]mirror.Platform, error) {
	contents, _ := held.Contents()
	if o.wanted != nil {
		return o.wanted, nil
	}
	var all []mirror.Platform
	for _, text := range contents.Platforms {
		one, err := mirror.ParsePlatform(text)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// heldNeeds finds what environments need, with the charts of an archive, or of a folder.
// A chart that it lacks is a problem.
func (a app) heldNeeds(ctx context.Context, o mirrorOptions, target render.Choice, held *archive.Archive) (foundNeeds, []string, error) {
	chosen, err := a.choose(ctx, o.forCharts(), target)
	if err != nil {
		return foundNeeds{}, nil, err
	}
	if err := needMirrors(chosen.plans); err != nil {
		return foundNeeds{}, nil, err
	}
	if o.dir != "" {
		found, err := a.needsOf(ctx, chosen, o.jobs, o.lock)
		return found, nil, err
	}
	source := heldCharts{charts.FromHeld(held), chosen.releases}
	var problems []string
	var there []planned
	for _, p := range chosen.releases {
		_, err := source.Chart(ctx, p.Chart)
		if errors.Is(err, os.ErrNotExist) {
			problems = append(problems, fmt.Sprintf("%s lacks chart %s %s, so the images of release %s of %s are unknown", o.from, p.Chart.Repository, p.Chart.Version, p.Key, p.plan.Environment))
			continue
		}
		there = append(there, p)
	}
	if len(there) == 0 {
		return foundNeeds{}, problems, nil
	}
	chosen.Source, chosen.releases = source, there
	found, err := a.needsOf(ctx, chosen, o.jobs, o.lock)
	return found, problems, err
}

// heldCharts takes charts out of an archive, under the names that they have at their
// source.
type heldCharts struct {
	charts.Source
	releases []planned
}

// Chart implements [charts.Source].
func (h heldCharts) Chart(ctx context.Context, wanted render.Chart) (charts.Chart, error) {
	at := slices.IndexFunc(h.releases, func(p planned) bool { return p.Chart == wanted })
	if at >= 0 {
		wanted.Repository, _ = h.releases[at].plan.Original(wanted.Repository)
	}
	return h.Source.Chart(ctx, wanted)
}

// noteHeld says what an archive has besides what is needed.
func (a app) noteHeld(o mirrorOptions, held *archive.Archive, needed []mirror.Artifact) {
	for _, one := range held.References() {
		switch {
		case one.Name == "" && slices.ContainsFunc(needed, func(n mirror.Artifact) bool { return strings.HasSuffix(n.Source, "@"+one.Digest) }):
		case one.Name == "":
			a.err.Say("note: %s", unnamed(o, one))
		case !slices.ContainsFunc(needed, func(n mirror.Artifact) bool { return covers(n.Source, one) }):
			a.err.Say("note: %s also holds %s, which is not needed", o.from, one.Name)
		}
	}
}

// covers reports whether a source is a reference of an archive, by its name or its digest.
func covers(source string, one archive.Reference) bool {
	repository, _, _ := ref.Split(one.Name)
	return source == one.Name || source == repository+"@"+one.Digest
}
