package check

import (
	"cmp"

	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// lockChecks are those of environments whose versions are pinned by a lock.
func lockChecks() []Check {
	const source = "https://github.com/pm-gitops/pm-gitops/blob/main/docs/mirror.md#the-lock"
	return []Check{{
		ID: "not-locked", Severity: finding.Error,
		Title:  "The lock lacks a chart or an image",
		Why:    "With versions.pin everything is pinned by the environment's lock. What it lacks, or has of another version, has no digest to be pinned by: render refuses the environment for a chart, and an image is pulled by its tag, whatever that means by then.",
		Fix:    "Write the lock again: pm-gitops mirror --lock, or without a mirror pm-gitops images --lock.",
		Source: source,
		all:    unlocked, each: unlockedImage,
	}, {
		ID: "not-pinned", Severity: finding.Warning,
		Title:  "An image is pulled by its tag although versions are pinned",
		Why:    "The lock has the digest, and no chart value is known that takes it to this place: neither one for the digest, nor one for a tag whose template takes TAG@DIGEST and uses it for nothing else. What runs is what the tag means when a node pulls it.",
		Fix:    "Write the lock again, which finds the values by rendering. What it does not find, set under the chart's values, if the chart lets you name an image by TAG@DIGEST there; else accept the finding.",
		Source: source,
		each:   unpinnedByLock,
	}, {
		ID: "other-digest", Severity: finding.Error,
		Title:  "A chart or an image has another digest than the lock",
		Why:    "Argo CD's classic form of charts knows no digests: a version that means another chart than the locked one is installed all the same. An image that the values pin by another digest than the lock was never looked at when the lock was made.",
		Fix:    "Find out why the version means something else. Then write the lock again with --accept-changed-digests, or take the other digest out of the values.",
		Source: source,
		each:   otherDigest,
	}}
}

func unlocked(s *scope) {
	for _, problem := range s.Plan.Unlocked {
		s.add(finding.FromProblem(s.check.Severity, problem))
	}
}

// lockedImages calls visit with the images of a release that a lock has to have, and
// with what it has.
func (s *scope) lockedImages(r *release, visit func(i images.Image, source string, locked lock.Artifact, known bool)) {
	has, pinned := s.Plan.Lock()
	if !pinned {
		return
	}
	for _, i := range r.images() {
		if i.Problem != "" || i.Sure == images.Possible {
			continue
		}
		source := s.Plan.LockedSource(i.Reference.Name(), cmp.Or(i.Reference.Tag, "latest"))
		if i.Reference.Tag == "" && i.Reference.Digest != "" {
			name, _, _ := ref.Split(source)
			source = name + "@" + i.Reference.Digest
		}
		locked, known := has.Image(source)
		visit(i, source, locked, known)
	}
}

func unlockedImage(s *scope, r *release) {
	s.lockedImages(r, func(i images.Image, source string, _ lock.Artifact, known bool) {
		if !known {
			f := r.imageFinding(i, "the lock lacks image %s", source)
			f.Fix = "run " + s.Plan.Relock()
			s.add(f)
		}
	})
}

func unpinnedByLock(s *scope, r *release) {
	s.lockedImages(r, func(i images.Image, _ string, locked lock.Artifact, known bool) {
		if known && i.Reference.Digest == "" {
			f := r.imageFinding(i, "image %s is pulled by its tag, and the lock has %s", i.Written, locked.Digest)
			f.Fix = "let the chart's values name it with @" + locked.Digest + " behind the tag, if they can"
			s.add(f)
		}
	})
}

func otherDigest(s *scope, r *release) {
	s.lockedImages(r, func(i images.Image, _ string, locked lock.Artifact, known bool) {
		if known && i.Reference.Digest != "" && i.Reference.Digest != locked.Digest {
			f := r.imageFinding(i, "image %s is pinned, and the lock has %s", i.Written, locked.Digest)
			f.Fix = "take the digest out of the values, or write the lock again"
			s.add(f)
		}
	})
	has, _ := s.Plan.Lock()
	own := r.Release.Release.Chart
	locked, known := has.Chart(s.Plan.LockedSource(own.Repository, own.Version))
	switch is := r.Rendered.Digest; {
	case !known || is == locked.Digest:
	case is == "":
		f := r.finding("which digest the chart has is not known here, and the lock has %s", locked.Digest)
		f.Severity = finding.Info
		s.add(f)
	default:
		f := r.finding("the chart has the digest %s, and the lock has %s", is, locked.Digest)
		f.Fix = "find out why the version means another chart; " + s.Plan.Relock() + " --accept-changed-digests locks the new one"
		s.add(f)
	}
}
