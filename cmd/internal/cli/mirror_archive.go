package cli

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/archive"
	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// compresses reports whether the archive that is written is compressed.
func (o mirrorOptions) compresses() bool {
	return strings.HasSuffix(o.to, ".tar.zst") || strings.HasSuffix(o.to, ".tzst")
}

// mirrorTo writes an archive of all that environments need.
func (a app) mirrorTo(ctx context.Context, o mirrorOptions, target render.Choice) error {
	found, err := a.findNeeds(ctx, o.forCharts(), target, false, func([]render.Plan) error { return nil })
	if err != nil {
		return err
	}
	if err := found.failure("looked into"); err != nil {
		return hinted{err, notWritten}
	}
	artifacts, targets, problems := found.sources()
	if len(o.releases) == 0 {
		a.noteUnusedRules(found.plans, artifacts)
	}
	sink := &archiveSink{targets: targets}
	if sink.locks, err = openLocks(ctx, found); err != nil {
		return err
	}
	for _, one := range o.wanted {
		sink.platforms = append(sink.platforms, one.String())
	}
	if !o.dryRun {
		if sink.Writer, err = archive.Create(o.to, o.compresses()); err != nil {
			return err
		}
		defer sink.Abort()
	}
	options, err := a.copyOptions(o, o.wanted)
	if err != nil {
		return err
	}
	options.Sink = sink
	results, err := a.copyAll(ctx, o, artifacts, options)
	if err != nil {
		return a.brokenOff(ctx, o, results, problems, err)
	}
	whole := !slices.ContainsFunc(results, func(r mirror.Result) bool { return r.Error != "" })
	if whole && !o.dryRun {
		if err := sink.Commit(); err != nil {
			return err
		}
		a.err.Say("%s holds %s", o.to, text.Count(len(results), "artifact"))
	}
	err = a.reportMirror(o, results, problems)
	if !whole && !o.dryRun {
		return hinted{err, notWritten}
	}
	return err
}

const notWritten = "The archive was not written: it is written only when it is whole."

// sources lists what goes into an archive, each source once and in order, with the targets
// that environments with a mirror have for it.
func (f foundNeeds) sources() (all []mirror.Artifact, targets map[string][]string, problems []string) {
	copies, problems := f.artifacts()
	copies = slices.DeleteFunc(copies, func(one mirror.Artifact) bool { return one.Kind == mirror.Chart })
	for _, image := range f.Images {
		if image.Problem == "" && image.Sure != string(images.Possible) {
			for _, use := range image.Uses {
				direct := formatReference(image.Name(), image.Tag, "")
				if image.Digest != "" {
					direct = image.Reference.String()
				}
				copies = f.addDirect(copies, mirror.Image, image.Copies, direct, use.Environment)
			}
		}
	}
	for _, chart := range f.Charts {
		for _, one := range chart.Copies {
			if one.Source != "" {
				copies = append(copies, mirror.Artifact{Kind: mirror.Chart, Source: chart.tagged(one.Source), Target: one.Target, Environments: one.environments, Policies: one.policies})
			}
		}
		for _, use := range chart.Uses {
			copies = f.addDirect(copies, mirror.Chart, chart.Copies, chart.tagged(formatReference(chart.Chart, "", chart.Digest)), use.Environment)
		}
	}
	nameByTag(copies)
	targets = map[string][]string{}
	at := map[string]int{}
	for _, one := range copies {
		if one.Target != "" {
			targets[one.Source] = dropRepeated(append(targets[one.Source], one.Target))
		}
		if i, there := at[one.Source]; there {
			all[i].Environments = dropRepeated(append(slices.Clone(all[i].Environments), one.Environments...))
			all[i].Policies = all[i].Policies.With(one.Policies...)
			continue
		}
		at[one.Source] = len(all)
		one.Target = ""
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b mirror.Artifact) int { return cmp.Compare(a.Source, b.Source) })
	return all, targets, problems
}

// nameByTag gives the sources of images that have a digest their tags too, or those of
// their targets: without the lock that has the digest, an image is found in an archive by
// its tag. Where a tag would name several images, digests name them.
func nameByTag(copies []mirror.Artifact) {
	digests := map[string][]string{} // by REPOSITORY:TAG, empty for what the tag means
	for _, one := range copies {
		name, tag, digest := taggedSource(one)
		digests[name+":"+tag] = dropRepeated(append(digests[name+":"+tag], digest))
	}
	for i, one := range copies {
		name, tag, digest := taggedSource(one)
		switch {
		case one.Kind != mirror.Image || tag == "" || digest == "":
		case len(digests[name+":"+tag]) == 1:
			copies[i].Source = name + ":" + tag + "@" + digest
		default:
			copies[i].Source = name + "@" + digest
		}
	}
}

// taggedSource splits the source of a copy, with the tag of its target where it has none.
func taggedSource(one mirror.Artifact) (name, tag, digest string) {
	name, tag, digest = ref.Split(one.Source)
	_, targetTag, _ := ref.Split(one.Target)
	return name, cmp.Or(tag, targetTag), digest
}

// tagged gives the reference of a chart its version as tag: by that the chart is found in
// an archive, whatever digest its version had.
func (n *neededChart) tagged(reference string) string {
	name, _, digest := ref.Split(reference)
	name += ":" + ref.TagOf(n.Version)
	if digest == "" {
		return name
	}
	return name + "@" + digest
}

// addDirect adds what an environment without a mirror pulls from its source.
func (f foundNeeds) addDirect(all []mirror.Artifact, kind mirror.Kind, copies []imageCopy, source, environment string) []mirror.Artifact {
	if slices.ContainsFunc(copies, func(c imageCopy) bool { return slices.Contains(c.environments, environment) }) {
		return all
	}
	one := mirror.Artifact{Kind: kind, Source: source, Environments: []string{environment}}
	name, _, _ := ref.Split(source)
	for _, plan := range f.plans {
		if policy, found := plan.Policy(name); found && plan.Environment == environment {
			one.Policies = one.Policies.With(policy)
		}
	}
	return append(all, one)
}

// archiveSink is an archive that artifacts are copied to.
type archiveSink struct {
	*archive.Writer
	targets   map[string][]string // by source
	platforms []string
	locks     []*lockFile
}

// Begin implements [mirror.Sink].
func (s *archiveSink) Begin(all []mirror.Bundle) error {
	contents := archive.Contents{Platforms: s.platforms, Artifacts: []archive.Artifact{}}
	var manifests []archive.Manifest
	var blobs []archive.Blob
	for _, bundle := range all {
		var size int64
		root := len(bundle.Pieces) - 1
		for i, p := range bundle.Pieces {
			size += int64(len(p.Bytes))
			isImage := i == root && bundle.Kind == mirror.Image
			manifests = append(manifests, archive.Manifest{Reference: p.Reference, Image: isImage, Digest: p.Digest, MediaType: p.MediaType, Bytes: p.Bytes})
		}
		for _, d := range bundle.Blobs {
			size += d.Size
			blobs = append(blobs, archive.Blob{Digest: d.Digest, Size: d.Size})
		}
		one := archive.Artifact{
			Kind: string(bundle.Kind), Source: bundle.Pieces[root].Reference, Targets: s.targets[bundle.Source],
			Digest: bundle.Digest, Size: size, Environments: bundle.Environments,
		}
		// A chart by its tag, and the same by its digest, have one name.
		same := slices.IndexFunc(contents.Artifacts, func(other archive.Artifact) bool { return other.Source == one.Source })
		if same < 0 {
			contents.Artifacts = append(contents.Artifacts, one)
			continue
		}
		known := &contents.Artifacts[same]
		known.Targets = dropRepeated(append(slices.Clone(known.Targets), one.Targets...))
		known.Environments = dropRepeated(append(slices.Clone(known.Environments), one.Environments...))
	}
	texts := map[string][]byte{}
	for _, one := range s.locks {
		if one.before == nil {
			continue
		}
		file := archive.NewFile(one.path, one.plan.Environment, one.before)
		contents.Files = append(contents.Files, file)
		blobs = append(blobs, archive.Blob{Digest: file.Digest, Size: file.Size})
		texts[file.Digest] = one.before
	}
	if err := s.Writer.Begin(contents, manifests, blobs); err != nil {
		return err
	}
	for _, digest := range slices.Sorted(maps.Keys(texts)) {
		if err := s.Blob(digest, int64(len(texts[digest])), bytes.NewReader(texts[digest])); err != nil {
			return err
		}
	}
	return nil
}
