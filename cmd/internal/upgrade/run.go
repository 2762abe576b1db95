package upgrade

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/cmd/internal/pullrequest"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/edit"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/proposal"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Run is the upgrades of environments of one repository, from one commit of its base.
type Run struct {
	Maker
	Base       *gitrepo.Base
	BaseBranch string // empty for the default branch
	Members    []fleet.Member
	Lists      *Lists
	Ages       *Ages
	// Keeper keeps the pull requests; nil where nothing is to be pushed, and then results
	// have what would be.
	Keeper *pullrequest.Keeper
	Wanted upgrade.Versions // none for the newest of each line
	Copies bool             // bring what mirrors lack there first
	Commit publish.Request  // who commits, and the program's version
	Now    time.Time
}

// One upgrades an environment.
func (r *Run) One(ctx context.Context, m fleet.Member) Result {
	result := Result{Environment: string(m.Environment.Metadata.Name), File: m.File, Versions: []Version{}, Notes: []upgrade.Note{}, Waits: []upgrade.Reason{}, Merging: []upgrade.Reason{}, Others: []string{}}
	if err := r.upgrade(ctx, m, &result); err != nil {
		result.fail(err)
	}
	return result
}

// upgrade finds the versions of an environment, and proposes them unless it waits.
func (r *Run) upgrade(ctx context.Context, m fleet.Member, result *Result) error {
	to, err := r.choose(ctx, m, result)
	if err != nil || result.State != "" {
		return err
	}
	if result.Waits = append(result.Waits, r.wait(ctx, m, to)...); len(result.Waits) > 0 {
		result.State = Waiting
		return nil
	}
	p := proposed{run: r, member: m, to: to}
	if err := p.make(ctx); err != nil {
		return err
	}
	result.Others = append(result.Others, p.change.affects()[1:]...)
	if len(p.drafts[0].Changes.Write)+len(p.drafts[0].Changes.Remove) == 0 {
		result.State = UpToDate
		return nil
	}
	return p.propose(ctx, result)
}

// choose gives the versions that an environment is to have. A result with a state has
// nothing to do.
func (r *Run) choose(ctx context.Context, m fleet.Member, result *Result) (upgrade.Versions, error) {
	known, unknown, err := r.Lists.Known(ctx, m.Plan)
	if err != nil {
		return nil, err
	}
	now := upgrade.VersionsOf(m.Environment)
	to, notes := upgrade.Choose(now, m.Catalog, known, r.Wanted)
	var refused []error
	for _, note := range notes {
		if note.Severity == finding.Error {
			refused = append(refused, errors.New(note.Message))
		}
	}
	result.Notes = append(result.Notes, notes...)
	for _, sentence := range unknown {
		result.Notes = append(result.Notes, upgrade.Note{Severity: finding.Info, Message: sentence})
	}
	if refused != nil {
		result.State, result.err = Refused, errors.Join(refused...)
		return nil, nil
	}
	for _, part := range now.Changed(to) {
		result.Versions = append(result.Versions, Version{part, now[part], to[part]})
	}
	if len(result.Versions) == 0 {
		result.State = UpToDate
	}
	return to, nil
}

// wait gives what the policy of an environment waits for.
func (r *Run) wait(ctx context.Context, m fleet.Member, to upgrade.Versions) []upgrade.Reason {
	policy, now := m.Environment.Spec.Upgrade, upgrade.VersionsOf(m.Environment)
	facts := upgrade.Facts{Now: now, To: to, Ages: map[upgrade.Part]upgrade.Age{}}
	if policy.MinimumAge != "" {
		for _, part := range now.Changed(to) {
			facts.Ages[part] = r.Ages.Age(ctx, m.Plan, part, to[part])
		}
	}
	if len(policy.After) > 0 {
		facts.First = Soaking(ctx, r.Base, r.Members, policy, to, r.Now)
	}
	return upgrade.Wait(policy, r.Now, facts)
}

// proposed is the pull request of an environment, and its commit on top of the base.
type proposed struct {
	run    *Run
	member fleet.Member
	to     upgrade.Versions

	change Change
	patch  proposal.Patch
	drafts []gitrepo.Draft
}

// make makes the commit and the facts of the pull request.
func (p *proposed) make(ctx context.Context) (err error) {
	files := p.run.Base.FS(ctx)
	if p.change, err = p.run.Make(ctx, files, p.member, p.to, p.run.Copies); err != nil {
		return err
	}
	had, err := folder.Before(p.run.Base.FS(ctx, fleet.Trees(p.change.Members)...), p.run.Layouts, []tree.Tree{p.change.After().Rendering.Tree})
	if err != nil {
		return err
	}
	effects, err := p.run.Charts.Compare(ctx, p.member, p.change.After(), had.Tree)
	if err != nil {
		return err
	}
	line, err := lineOf(p.change.After())
	if err != nil {
		return err
	}
	p.patch = p.change.Patch(line, effects)
	p.drafts, err = p.commits(ctx, p.run.Base, p.change)
	return err
}

// lineOf names the release line of an environment.
func lineOf(m fleet.Member) (string, error) {
	version, _, _ := strings.Cut(string(m.Environment.Spec.Versions.PrefectCloud), "@")
	line, known, err := m.Catalog.Find(render.PrefectCloud, version)
	if err == nil && !known {
		err = fmt.Errorf("the catalog has no release line for chart version %s", version)
	}
	return line.Name, err
}

// commits gives the one draft of a change on top of a base.
func (p *proposed) commits(ctx context.Context, base *gitrepo.Base, change Change) ([]gitrepo.Draft, error) {
	request := p.run.Commit
	request.Make = func(context.Context, fs.FS) (publish.Job, error) { return change.Job(p.run.Layouts), nil }
	request.Message = p.patch.Message()
	_, drafts, err := request.Commits(ctx, base)
	return drafts, err
}

// prepare gives the draft on top of a base, as a [gitrepo.Prepare]: of another one than that
// of the run everything is made again.
func (p *proposed) prepare(ctx context.Context, base *gitrepo.Base) ([]gitrepo.Draft, error) {
	if base.Commit() == p.run.Base.Commit() {
		return p.drafts, nil
	}
	files := base.FS(ctx)
	request := p.run.Request
	request.Files, request.Repository, request.Progress = []string{p.member.File}, files, nil
	members, err := fleet.Load(ctx, request, p.run.Target)
	if err != nil {
		return nil, err
	}
	change, err := p.run.Make(ctx, files, members[0], p.to, false)
	if err != nil {
		return nil, err
	}
	return p.commits(ctx, base, change)
}

// propose keeps the pull request, or says what it would be.
func (p *proposed) propose(ctx context.Context, result *Result) error {
	request, err := p.proposal(ctx, result)
	if err != nil {
		return err
	}
	changes := p.drafts[0].Changes
	files := slices.Sorted(slices.Values(append(changes.Write.Paths(), changes.Remove...)))
	result.Pull = &Pull{Branch: request.Branch, Base: request.Base, Title: request.Title, Labels: request.Labels, Draft: request.Draft, Blocked: append([]string{}, p.patch.Blockers()...), Files: files, Notes: []string{}}
	if p.run.Keeper == nil {
		result.State, result.Pull.Body = Proposed, request.Body(bodyLimit)
		result.Pull.Edited, err = p.edited(ctx)
		return err
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

// proposal asks for the pull request.
func (p *proposed) proposal(ctx context.Context, result *Result) (pullrequest.Proposal, error) {
	policy := p.member.Environment.Spec.Upgrade
	var zone *time.Location // nil where the system does not know it
	if policy.Window != "" {
		zone, _ = time.LoadLocation(policy.Window.Zone())
	}
	result.Merging = append(result.Merging, upgrade.WaitToMerge(policy, p.run.Now, zone)...)
	risk, _ := p.patch.Risk()
	blocked := len(p.patch.Blockers()) > 0
	plan, err := p.plan(ctx)
	request := pullrequest.Proposal{
		Branch: p.patch.Branch(), Base: p.run.BaseBranch, Title: p.patch.Title(), Body: p.patch.Body, Labels: p.patch.Labels(), Draft: blocked,
		Plan: plan, Commit: p.prepare, Options: gitrepo.CommitOptions{Sign: p.run.Commit.Sign},
		Merge: len(result.Merging) == 0 && risk == proposal.Routine && !blocked,
	}
	var target []string
	for _, v := range result.Versions {
		target = append(target, string(v.Part)+"="+v.To)
	}
	request.Target = strings.Join(target, " ")
	data, marshalErr := json.Marshal([]any{request.Title, request.Body(bodyLimit), request.Labels, request.Draft})
	request.Fingerprint = digest(data)
	return request, cmp.Or(err, marshalErr)
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

// plan gives the digest of what the commit changes: every file before and after.
func (p *proposed) plan(ctx context.Context) (string, error) {
	files, err := p.edited(ctx)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(files)
	return digest(data), err
}

// edited gives the files of the commit, with their content before and after.
func (p *proposed) edited(ctx context.Context) ([]edit.File, error) {
	changes, base := p.drafts[0].Changes, p.run.Base.FS(ctx)
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

// Open reads the environments of the request from the base branch: the one that is named,
// or delivery.git.branch, or the default branch. If some environments fail the error is
// [fleet.Failures], and the others are there.
func (r *Run) Open(ctx context.Context, open pullrequest.Opener) error {
	err := r.read(ctx, open)
	if r.BaseBranch != "" || err != nil && !fleet.IsPartial(err) {
		return err
	}
	branches := map[string]bool{}
	for _, m := range r.Members {
		if git := m.Environment.Spec.Delivery.Git; git != nil && git.Branch != "" {
			branches[string(git.Branch)] = true
		}
	}
	switch names := slices.Sorted(maps.Keys(branches)); len(names) {
	case 0:
		return err
	case 1:
		r.BaseBranch = names[0]
		return r.read(ctx, open)
	default:
		return fmt.Errorf("the environments have several branches under delivery.git.branch, %s: name one with --base", strings.Join(names, " and "))
	}
}

func (r *Run) read(ctx context.Context, open pullrequest.Opener) error {
	remote, err := open(ctx, r.BaseBranch, r.BaseBranch)
	if err != nil {
		return err
	}
	if r.Base, err = remote.Read(ctx); err != nil {
		return err
	}
	request := r.Request
	request.Repository = r.Base.FS(ctx)
	r.Members, err = fleet.Load(ctx, request, r.Target)
	return err
}
