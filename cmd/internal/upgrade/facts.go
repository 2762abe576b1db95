package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/graph"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/proposal"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// words are the parts as titles have them.
var words = map[upgrade.Part]string{upgrade.PrefectCloud: "chart", upgrade.PrefectIstiod: "istiod", upgrade.Server: "server", upgrade.UI: "ui"}

// inTables are the parts in the order of the table in a pull request.
var inTables = []upgrade.Part{upgrade.PrefectCloud, upgrade.PrefectIstiod, upgrade.Server, upgrade.UI}

// patch gives the facts of the pull request for a change. Effects are those of each
// environment.
func (c Change) patch(line string, effects []Effects) proposal.Patch {
	own := c.itself()
	plan := own.After.Plan
	p := proposal.Patch{
		Environment: plan.Environment,
		Line:        line,
		File:        own.After.File,
		Waves:       waves(plan),
		Gate:        gate(plan.Traits()),
		Graph:       string(graph.New(plan).Mermaid()),
	}
	checkout := "git fetch origin " + p.Branch() + " && git switch --detach FETCH_HEAD && "
	p.MirrorCommand, p.DiffCommand = checkout+"pm-gitops mirror", checkout+"pm-gitops diff --manifests --base HEAD~1"
	for _, part := range inTables {
		if c.From[part] != c.To[part] {
			p.Versions = append(p.Versions, own.version(part, plain(c.From[part]), plain(c.To[part])))
		}
	}
	for i, one := range c.All {
		p.MirrorCommand += " -f " + text.ShellArgument(one.After.File)
		p.DiffCommand += " -f " + text.ShellArgument(one.After.File)
		p.Changes.Add(effects[i].Changes)
		p.Blocked = append(p.Blocked, one.blocked(c, i > 0)...)
		p.Unseen = append(p.Unseen, one.unseen(effects[i])...)
		p.Concerns = append(p.Concerns, one.concerns(effects[i])...)
		p.Actions = append(p.Actions, effects[i].actions()...)
		p.Defaults = append(p.Defaults, effects[i].Defaults...)
	}
	if others := c.others(); len(others) > 0 {
		p.Concerns = append(p.Concerns, proposal.Concern{Risk: proposal.Caution, Why: "the versions are in defaults that other environments extend, which change too: " + strings.Join(others, ", ")})
	}
	return p
}

// unseen gives what could not be looked at.
func (c Changed) unseen(effects Effects) (all []proposal.Unseen) {
	of := " of " + c.After.Plan.Environment
	if c.Needs.Unseen != nil {
		all = append(all, proposal.Unseen{What: "the images and charts" + of, Why: oneLine(c.Needs.Unseen)})
	}
	if effects.Unseen != nil {
		all = append(all, proposal.Unseen{What: "the changes in the cluster" + of, Why: oneLine(effects.Unseen)})
	}
	return all
}

// concerns gives the reasons for a risk that neither versions nor manifests show.
func (c Changed) concerns(effects Effects) (all []proposal.Concern) {
	caution := func(format string, args ...any) {
		all = append(all, proposal.Concern{Risk: proposal.Caution, Why: fmt.Sprintf(format, args...)})
	}
	if c.Needs.Unseen == nil && c.Needs.Unlocked != nil && c.Needs.Had.File() != "" {
		caution("the lock of %s could not be updated: %s", c.After.Plan.Environment, oneLine(c.Needs.Unlocked))
	}
	if effects.New {
		caution("the base branch has nothing that %s renders to: this pull request adds all of it", c.After.Plan.Environment)
	}
	for _, note := range c.Needs.Notes {
		caution("%s", note)
	}
	for _, f := range effects.Findings {
		if f.Severity == finding.Warning {
			caution("check %s: %s", f.ID, f.Message)
		}
	}
	return all
}

// actions gives what a person has to do: the errors that checks find, each with its place
// in the environment and what mends it.
func (e Effects) actions() (all []proposal.Action) {
	for _, f := range e.Findings {
		if f.Severity != finding.Error {
			continue
		}
		action := proposal.Action{Text: "check " + f.ID + ": " + f.Message, File: f.File, Line: f.Line}
		if f.Fix != "" {
			action.Text += ": " + f.Fix
		}
		all = append(all, action)
	}
	return all
}

// gate says when a wave starts.
func gate(traits render.Traits) string {
	switch {
	case traits.Controller == render.NoController:
		return ""
	case traits.WholeWaves:
		return traits.Title + " starts a wave when every release of the waves before it is healthy"
	}
	return traits.Title + " starts a release when every release that it needs is ready"
}

// version describes the change of a part.
func (c Changed) version(part upgrade.Part, from, to string) proposal.Version {
	v := proposal.Version{What: words[part], From: from, To: to}
	known := c.Needs.find(c.After, part, to)
	v.Digest, v.Signature = known.Digest, signature(known.Signature)
	source := sourceOf(c.After, part, to)
	at := slices.IndexFunc(c.Needs.Artifacts, func(a Artifact) bool { return a.source() == source })
	switch {
	case c.After.Plan.Mirror() == "":
		v.Mirror.State = proposal.NoMirror
	case c.Needs.Unseen != nil:
		v.Mirror.Why = oneLine(c.Needs.Unseen)
	case at < 0:
		v.Mirror.Why = "no release of the environment needs it"
	default:
		artifact := c.Needs.Artifacts[at]
		v.Digest = cmp.Or(artifact.Digest, v.Digest)
		v.Mirror, v.Signature = artifact.state(c.Needs.Had), signature(artifact.Signature)
	}
	return v
}

// blocked says what keeps the mirror from being complete, besides the versions of the
// table unless they are wanted too.
func (c Changed) blocked(change Change, versions bool) []string {
	var why, told []string
	for _, part := range change.From.Changed(change.To) {
		if !versions {
			told = append(told, sourceOf(c.After, part, change.To[part]))
		}
	}
	for _, a := range c.Needs.Artifacts {
		if slices.Contains(told, a.source()) {
			continue
		}
		switch state := a.state(c.Needs.Had); state.State {
		case proposal.NotMirrored:
			why = append(why, a.Target+" is not in the mirror")
		case proposal.OtherDigest:
			why = append(why, fmt.Sprintf("%s is %s in the mirror, and another one at its source", a.Target, state.Digest))
		case proposal.MirrorUnknown:
			why = append(why, fmt.Sprintf("it is not known whether the mirror has %s: %s", a.Target, state.Why))
		}
	}
	if c.Needs.Refused != nil {
		why = append(why, "a chart refuses the values of "+c.After.Plan.Environment+", and so does the cluster: "+oneLine(c.Needs.Refused))
	}
	if c.After.Plan.Mirror() != "" && c.Needs.Unseen != nil {
		why = append(why, "it is not known what "+c.After.Plan.Environment+" needs, and so whether its mirror has it")
	}
	return append(why, c.Needs.Problems...)
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

// signature reads what came of verifying signatures, as [mirror.Result] has it.
func signature(said string) proposal.Signature {
	var by []string
	for one := range strings.SplitSeq(said, ", ") {
		name, verified := strings.CutPrefix(one, "verified: ")
		switch {
		case said == "":
			return proposal.Signature{State: proposal.NoRule}
		case one == "none":
			return proposal.Signature{State: proposal.SignatureUnknown, Why: "it has none, and the rule does not require one"}
		case !verified:
			return proposal.Signature{State: proposal.SignatureUnknown, Why: said}
		}
		by = append(by, name)
	}
	return proposal.Signature{State: proposal.Signed, By: strings.Join(by, ", ")}
}

// waves gives the waves of a plan.
func waves(plan render.Plan) []proposal.Wave {
	var all []proposal.Wave
	for _, releases := range plan.Waves {
		var wave proposal.Wave
		for _, r := range releases {
			one := proposal.Release{Key: r.Key, Within: plan.Environment + " " + r.Key}
			if r.Key == render.PrefectCloud && plan.Traits().Applier == render.ByHelm { // nothing else has a limit
				one.Migrations = r.UpgradeTimeout.String()
			}
			wave.Releases = append(wave.Releases, one)
		}
		all = append(all, wave)
	}
	return all
}

// plain gives a version without a digest.
func plain(version string) string {
	version, _, _ = strings.Cut(version, "@")
	return version
}

// oneLine gives an error on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
