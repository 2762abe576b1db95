package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/proposal"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// words are the parts as titles have them.
var words = map[upgrade.Part]string{upgrade.PrefectCloud: "chart", upgrade.PrefectIstiod: "istiod", upgrade.Server: "server", upgrade.UI: "ui"}

// inTables are the parts in the order of the table in a pull request.
var inTables = []upgrade.Part{upgrade.PrefectCloud, upgrade.PrefectIstiod, upgrade.Server, upgrade.UI}

// Patch gives the facts of the pull request for a change.
func (c Change) Patch(line string, effects Effects) proposal.Patch {
	after := c.After()
	plan := after.Plan
	p := proposal.Patch{
		Environment:   plan.Environment,
		Line:          line,
		File:          after.File,
		Changes:       effects.Changes,
		Waves:         waves(plan),
		MirrorCommand: "pm-gitops mirror -f " + after.File,
		DiffCommand:   "pm-gitops diff --manifests -f " + after.File + " --base HEAD~1",
	}
	if c.Locked != "" {
		p.MirrorCommand += " --lock"
	}
	for _, part := range inTables {
		if c.From[part] != c.To[part] {
			p.Versions = append(p.Versions, c.version(part))
		}
	}
	p.Blocked = c.blocked()
	for _, why := range []struct {
		what string
		err  error
	}{{"the images and charts that the environment needs", c.Needs.Unseen}, {"what changes in the cluster", effects.Unseen}} {
		if why.err != nil {
			p.Unseen = append(p.Unseen, proposal.Unseen{What: why.what, Why: oneLine(why.err)})
		}
	}
	if c.Needs.Unseen == nil && c.Needs.Unlocked != nil && c.Locked == "" {
		p.Concerns = append(p.Concerns, proposal.Concern{Risk: proposal.Caution, Why: "the lock could not be updated: " + oneLine(c.Needs.Unlocked)})
	}
	for _, f := range effects.Findings {
		if f.Severity != finding.Info {
			p.Concerns = append(p.Concerns, proposal.Concern{Risk: proposal.Caution, Why: "check " + f.ID + ": " + f.Message})
		}
	}
	if others := c.affects()[1:]; len(others) > 0 {
		p.Concerns = append(p.Concerns, proposal.Concern{Risk: proposal.Caution, Why: "the versions are in defaults that other environments extend, which change too: " + strings.Join(others, ", ")})
	}
	return p
}

// version describes the change of a part.
func (c Change) version(part upgrade.Part) proposal.Version {
	plan := c.After().Plan
	v := proposal.Version{What: words[part], From: c.From[part], To: c.To[part]}
	known := c.Needs.find(c.After(), part, c.To[part])
	v.Digest, v.Signature = known.Digest, signature(known.Signature)
	source := sourceOf(c.After(), part, c.To[part])
	at := slices.IndexFunc(c.Needs.Artifacts, func(a Artifact) bool { return a.source() == source })
	switch {
	case plan.Mirror() == "":
		v.Mirror.State = proposal.NoMirror
	case c.Needs.Unseen != nil:
		v.Mirror.Why = oneLine(c.Needs.Unseen)
	case at < 0:
		v.Mirror.Why = "no release of the environment needs it"
	default:
		artifact := c.Needs.Artifacts[at]
		v.Digest = cmp.Or(artifact.Digest, v.Digest)
		v.Mirror = artifact.state(c.Needs.Had)
		v.Signature = signature(artifact.Signature)
	}
	return v
}

// state says whether the mirror has an artifact. Where its source cannot be asked, the
// lock decides.
func (a Artifact) state(had lock.Lock) proposal.Mirror {
	switch a.State {
	case mirror.Present, mirror.Copied:
		return proposal.Mirror{State: proposal.Mirrored}
	case mirror.Missing:
		return proposal.Mirror{State: proposal.NotMirrored}
	case mirror.Differs:
		return proposal.Mirror{State: proposal.OtherDigest, Digest: a.Replaced}
	}
	source := a.source()
	locked, known := had.Image(source)
	if a.Kind == mirror.Chart {
		locked, known = had.Chart(source)
	}
	switch {
	case a.Mirrored == "":
	case known && a.Mirrored == locked.Digest:
		return proposal.Mirror{State: proposal.Mirrored}
	case known:
		return proposal.Mirror{State: proposal.OtherDigest, Digest: a.Mirrored}
	}
	return proposal.Mirror{Why: a.Error}
}

// blocked says what besides the versions keeps the mirror from being complete.
func (c Change) blocked() []string {
	var why []string
	plan := c.After().Plan
	var versions []string
	for _, part := range c.From.Changed(c.To) {
		versions = append(versions, sourceOf(c.After(), part, c.To[part]))
	}
	for _, a := range c.Needs.Artifacts {
		if slices.Contains(versions, a.source()) {
			continue
		}
		switch state := a.state(c.Needs.Had); state.State {
		case proposal.NotMirrored:
			why = append(why, a.Target+" is not in the mirror")
		case proposal.OtherDigest:
			why = append(why, fmt.Sprintf("%s is %s in the mirror, and another one at its source", a.Target, state.Digest))
		case proposal.MirrorUnknown:
			why = append(why, fmt.Sprintf("whether the mirror has %s is not known: %s", a.Target, state.Why))
		}
	}
	if plan.Mirror() != "" && c.Needs.Unseen != nil {
		why = append(why, "what the environment needs could not be found, so whether the mirror has it is not known")
	}
	return append(why, c.Needs.Problems...)
}

// signature reads what came of verifying signatures.
func signature(text string) proposal.Signature {
	by, verified := strings.CutPrefix(text, "verified: ")
	switch {
	case text == "":
		return proposal.Signature{State: proposal.NoRule}
	case verified:
		return proposal.Signature{State: proposal.Signed, By: by}
	case text == "none":
		return proposal.Signature{State: proposal.NotSigned}
	}
	return proposal.Signature{State: proposal.SignatureUnknown, Why: text}
}

// waves gives the waves of a plan.
func waves(plan render.Plan) []proposal.Wave {
	var all []proposal.Wave
	for _, releases := range plan.Waves {
		var wave proposal.Wave
		for _, r := range releases {
			one := proposal.Release{Key: r.Key, Within: plan.Environment + " " + r.Key}
			if r.Key == render.PrefectCloud {
				one.Migrations = r.UpgradeTimeout.String()
			}
			wave.Releases = append(wave.Releases, one)
		}
		all = append(all, wave)
	}
	return all
}

// oneLine gives an error on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
