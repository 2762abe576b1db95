package upgrade

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/cmd/internal/pullrequest"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/edit"
	"github.com/pm-gitops/pm-gitops/render/proposal"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// proposed is the pull request of an environment, and its commit on top of the base.
type proposed struct {
	run    *Run
	member fleet.Member
	line   string
	to     upgrade.Versions
	state  pullrequest.State // of its branch

	change Change
	patch  proposal.Patch
	drafts []gitrepo.Draft
}

// make makes the commit and the facts of the pull request.
func (p *proposed) make(ctx context.Context) (err error) {
	if p.change, err = p.run.Make(ctx, p.run.base.FS(ctx), p.member, p.run.everyone, p.to, p.run.Copies); err != nil {
		return err
	}
	files, err := publish.Prefetch(ctx, p.run.base, p.change.job(p.run.Layouts))
	if err != nil {
		return err
	}
	var effects []Effects
	for _, one := range p.change.All {
		had, err := folder.Before(files, p.run.Layouts, []tree.Tree{one.After.Rendering.Tree})
		if err != nil {
			return err
		}
		effect, err := p.run.Charts.Compare(ctx, one.Before, one.After, had.Tree)
		if err != nil {
			return err
		}
		effect.New = !slices.ContainsFunc(had.Tree.Paths(), tree.IsInventory)
		effects = append(effects, effect)
	}
	p.patch = p.change.patch(p.line, effects)
	p.patch.Merging = p.sayMerging()
	p.drafts, err = p.commits(ctx, p.run.base, p.change)
	return err
}

// lineOf names the release line of an environment.
func lineOf(m fleet.Member) (string, error) {
	version := plain(string(m.Environment.Spec.Versions.PrefectCloud))
	line, known, err := m.Catalog.Find(render.PrefectCloud, version)
	if err == nil && !known {
		err = fmt.Errorf("the catalog has no release line for chart version %s", version)
	}
	return line.Name, err
}

// merging gives why the forge does not merge the pull request by itself, each reason once;
// none if it does.
func (p *proposed) merging() []upgrade.Reason {
	reasons, all := []upgrade.Reason{}, p.change.All
	if all == nil { // not made as yet
		all = []Changed{{After: p.member}}
	}
	for _, one := range all {
		policy := one.After.Environment.Spec.Upgrade
		var zone *time.Location // nil where the system does not know it
		if policy.Window != "" {
			zone, _ = time.LoadLocation(policy.Window.Zone())
		}
		for _, reason := range upgrade.WaitToMerge(policy, p.run.Now, zone) {
			if !slices.Contains(reasons, reason) {
				reasons = append(reasons, reason)
			}
		}
	}
	return reasons
}

// hold keeps the forge from merging the open pull request by itself where the policy does not
// allow that now: newer versions wait, and so nothing else looks after it.
func (p *proposed) hold(ctx context.Context) error {
	if p.state.Pull == nil || len(p.merging()) == 0 {
		return nil
	}
	return p.run.Keeper.Hold(ctx, p.state.Pull.Head)
}

// sayMerging says who merges the pull request, and when.
func (p *proposed) sayMerging() (sentences []string) {
	for _, reason := range p.merging() {
		sentences = append(sentences, reason.Message)
	}
	switch {
	case sentences != nil:
	case p.mergesItself():
		sentences = []string{"the forge merges it by itself as soon as the repository's rules allow it"}
	default:
		sentences = []string{"a person merges it: only a routine change that is not blocked is merged by itself"}
	}
	return sentences
}

// mergesItself reports whether the forge is to merge the pull request by itself.
func (p *proposed) mergesItself() bool {
	risk, _ := p.patch.Risk()
	return len(p.merging()) == 0 && risk == proposal.Routine && len(p.patch.Blockers()) == 0
}

// commits gives the one draft of a change on top of a base.
func (p *proposed) commits(ctx context.Context, base *gitrepo.Base, change Change) ([]gitrepo.Draft, error) {
	request := p.run.Commit
	request.Make = func(context.Context, fs.FS) (publish.Job, error) { return change.job(p.run.Layouts), nil }
	request.Message = p.patch.Message()
	_, drafts, err := request.Commits(ctx, base)
	return drafts, err
}

// prepare gives the draft on top of a base, as a [gitrepo.Prepare]: of another one than that
// of the run everything is made again.
func (p *proposed) prepare(ctx context.Context, base *gitrepo.Base) ([]gitrepo.Draft, error) {
	if base.Commit() == p.run.base.Commit() {
		return p.drafts, nil
	}
	request := p.run.Request
	request.Files, request.Repository, request.Progress = []string{p.member.File}, base.FS(ctx), nil
	members, err := fleet.Load(ctx, request, p.run.Target)
	if err != nil {
		return nil, err
	}
	all := func(ctx context.Context) ([]fleet.Member, error) { return p.run.environmentsOf(ctx, base, false) }
	to, err := p.onTopOf(members[0])
	if err != nil {
		return nil, err
	}
	change, err := p.run.Make(ctx, base.FS(ctx), members[0], all, to, false)
	if err != nil {
		return nil, err
	}
	return p.commits(ctx, base, change)
}

// onTopOf gives the versions of the upgrade for the environment as a newer base has it. Only
// those that the pull request names change: the others may have changed there meanwhile. One
// of them that changed there needs another pull request.
func (p *proposed) onTopOf(now fleet.Member) (upgrade.Versions, error) {
	to := upgrade.VersionsOf(now.Environment)
	for _, part := range p.change.From.Changed(p.to) {
		if to[part] != p.change.From[part] {
			return nil, fmt.Errorf("upgrade %s of %s: the base branch got %s meanwhile, and had %s: run upgrade again", part.Title(), now.Plan.Environment, plain(to[part]), plain(p.change.From[part]))
		}
		to[part] = p.to[part]
	}
	return to, nil
}

// propose keeps the pull request, or says what it would be.
func (p *proposed) propose(ctx context.Context, result *Result) error {
	files, err := p.edited(ctx)
	if err != nil {
		return err
	}
	request, err := p.proposal(files, result)
	if err != nil {
		return err
	}
	result.Pull = &Pull{Branch: request.Branch, Base: cmp.Or(request.Base, p.run.base.Branch()), Title: request.Title, Labels: append([]string{}, request.Labels...), Draft: request.Draft, Blocked: append([]string{}, p.patch.Blockers()...), Files: []string{}, Notes: []string{}}
	for _, file := range files {
		result.Pull.Files = append(result.Pull.Files, file.Name)
	}
	if p.run.Keeper == nil {
		result.State, result.Pull.Body, result.Pull.Edited = Proposed, request.Body(bodyLimit), files
		return nil
	}
	outcome, err := p.run.Keeper.Keep(ctx, request)
	result.State, result.Why = State(outcome.Result), outcome.Why
	result.Pull.Number, result.Pull.URL, result.Pull.Commit = outcome.Pull.Number, outcome.Pull.URL, outcome.Commit
	result.Pull.Notes = append(result.Pull.Notes, outcome.Notes...)
	return err
}

// bodyLimit is the limit of a body where no forge says one, GitHub's: fingerprints are made
// of that length on every forge.
const bodyLimit = 65536

// proposal asks for the pull request with files of the commit.
func (p *proposed) proposal(files []edit.File, result *Result) (pullrequest.Proposal, error) {
	result.Merging = p.merging()
	plan, err := json.Marshal(files)
	if err != nil {
		return pullrequest.Proposal{}, err
	}
	request := pullrequest.Proposal{
		Branch: branchOf(p.member, p.line), Base: p.run.BaseBranch, Title: p.patch.Title(), Body: p.patch.Body, Labels: p.patch.Labels(), Draft: len(p.patch.Blockers()) > 0,
		Plan: digest(plan), Target: p.change.From.Target(p.change.To), Commit: p.prepare, Options: gitrepo.CommitOptions{Sign: p.run.Commit.Sign},
		Merge: p.mergesItself(),
	}
	facts, err := json.Marshal([]any{request.Title, request.Body(bodyLimit), request.Labels, request.Draft})
	request.Fingerprint = digest(facts)
	return request, err
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

// edited gives the files of the commit, with their content before and after, by name.
func (p *proposed) edited(ctx context.Context) ([]edit.File, error) {
	changes, base := p.drafts[0].Changes, p.run.base.FS(ctx)
	var all []edit.File
	for _, name := range slices.Sorted(slices.Values(append(changes.Write.Paths(), changes.Remove...))) {
		before, err := fs.ReadFile(base, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read %s of the repository: %w", name, err)
		}
		all = append(all, edit.File{Name: name, Old: before, New: changes.Write[name]})
	}
	return all, nil
}
