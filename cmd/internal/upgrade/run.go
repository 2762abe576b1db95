package upgrade

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/cmd/internal/pullrequest"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Run is the upgrades of environments of one repository, from one commit of its base.
type Run struct {
	Maker
	BaseBranch string           // empty for delivery.git.branch, or the default branch
	Wanted     upgrade.Versions // none for the newest of each line
	All        bool             // the environments are a fleet: close what is of no use any more
	Whole      bool             // all environments of the repository, whatever files the request names
	Limit      int              // of open pull requests of ours; 0 for any number
	Copies     bool             // bring what mirrors lack there first
	Now        time.Time
	Lists      *Lists
	Ages       *Ages
	// Keeper keeps the pull requests; nil where nothing is to be pushed, and then results
	// have what would be.
	Keeper *pullrequest.Keeper
	Commit publish.Request // who commits, and the program's version

	// Members are the environments that are upgraded, after [Run.Open].
	Members []fleet.Member

	base      *gitrepo.Base
	history   history
	all       []fleet.Member    // of the repository; nil before they are asked for
	allFailed error             // of those that failed
	open      int               // pull requests of ours
	done      map[string]string // environments that change with another one, by their names
}

// Upgrade upgrades the environments, those first that others wait for, and closes the pull
// requests that are of no use any more. The results are in that order; one that fails does
// not stop the others. Progress may be nil.
func (r *Run) Upgrade(ctx context.Context, progress func(done, total int)) ([]Result, error) {
	order, problems, err := r.order(ctx)
	if err == nil {
		err = r.count(ctx)
	}
	if err != nil {
		return nil, err
	}
	r.done = map[string]string{}
	results := make([]Result, 0, len(order))
	for i, m := range order {
		if progress != nil {
			progress(i, len(order))
		}
		result := newResult(m)
		err := problems[m.File]
		if with := r.done[m.Plan.Environment]; with != "" {
			result.State, result.Why = Together, "it changes in the pull request of "+with
		} else if err == nil {
			err = r.upgrade(ctx, m, &result)
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			result.fail(err)
		}
		results = append(results, result)
		switch {
		case !isForAll(err):
		case i < len(order)-1:
			return results, errors.New("the other environments were not tried: the forge would refuse them too")
		default:
			return results, nil
		}
	}
	if progress != nil {
		progress(len(order), len(order))
	}
	closed, err := r.supersede(ctx, order)
	return append(results, closed...), err
}

// isForAll reports whether a forge refused something as it will for every environment.
func isForAll(err error) bool {
	var refused *forge.Error
	return errors.As(err, &refused) && slices.Contains([]forge.Kind{forge.NoLogin, forge.Forbidden, forge.NotFound}, refused.Kind)
}

// upgrade finds the versions of an environment, and proposes them unless it waits.
func (r *Run) upgrade(ctx context.Context, m fleet.Member, result *Result) error {
	p := proposed{run: r, member: m}
	if err := p.choose(ctx, result); err != nil || result.State != "" {
		return err
	}
	result.Waits = append(result.Waits, p.wait(ctx)...)
	if len(result.Waits) == 0 && r.Limit > 0 && p.state.Pull == nil && r.open >= r.Limit {
		result.Waits = append(result.Waits, upgrade.Reason{Kind: upgrade.Limit, Message: fmt.Sprintf("%s of pm-gitops open already, and --limit is %d", text.Count(r.open, "pull request"), r.Limit)})
	}
	if len(result.Waits) > 0 {
		result.State = Waiting
		return p.hold(ctx)
	}
	if err := p.make(ctx); err != nil {
		return err
	}
	result.Others = append(result.Others, p.change.others()...)
	if err := p.checkOthers(ctx, result); err != nil {
		return err
	}
	if result.State != "" {
		return p.hold(ctx)
	}
	if len(p.drafts[0].Changes.Write)+len(p.drafts[0].Changes.Remove) == 0 {
		result.State = UpToDate
		return nil
	}
	if err := p.propose(ctx, result); err != nil {
		return err
	}
	if p.state.Pull == nil && (result.State == State(pullrequest.Opened) || result.State == Proposed) {
		r.open++
	}
	for _, name := range result.Others {
		r.done[name] = result.Environment
	}
	return nil
}

// choose finds the versions that the environment is to have. A result with a state has
// nothing to do.
func (p *proposed) choose(ctx context.Context, result *Result) error {
	r, m := p.run, p.member
	known, unknown, err := r.Lists.Known(ctx, m.Plan)
	if err != nil {
		return err
	}
	now := upgrade.VersionsOf(m.Environment)
	to, notes := upgrade.Choose(now, m.Catalog, known, r.Wanted)
	var refused []error
	for _, note := range notes {
		if note.Severity == finding.Error {
			refused = append(refused, errors.New(note.String()))
		}
	}
	if len(r.Wanted) == 0 {
		to, notes = p.chooseOld(ctx, known, to, notes)
	}
	result.Notes = append(result.Notes, notes...)
	for _, sentence := range unknown {
		result.Notes = append(result.Notes, upgrade.Note{Severity: finding.Info, Message: sentence})
	}
	if refused != nil {
		result.fail(errors.Join(refused...))
		result.State = Refused
		return nil
	}
	if p.line, err = lineOf(m); err != nil {
		return err
	}
	if branch := branchOf(m, p.line); r.Keeper != nil && slices.Contains(r.base.Branches(), branch) {
		if p.state, err = r.Keeper.Find(ctx, branch); err != nil {
			return err
		}
		// What a person asked for with --server may be newer than what registries list.
		if p.state.Pull != nil && len(r.Wanted) == 0 {
			to = to.Newest(known.Existing(upgrade.ParseTarget(p.state.Target)))
		}
	}
	for _, part := range now.Changed(to) {
		result.Versions = append(result.Versions, Version{part, plain(now[part]), plain(to[part])})
	}
	if p.to = to; len(result.Versions) == 0 {
		result.State = UpToDate
		if len(r.Wanted) == 0 && len(unknown) > 0 {
			result.Why = "no newer version is known, and not every registry gave its list"
		}
	}
	return nil
}

// wait gives what the policy of the environment waits for.
func (p *proposed) wait(ctx context.Context) []upgrade.Reason {
	r, m := p.run, p.member
	policy, now := m.Environment.Spec.Upgrade, upgrade.VersionsOf(m.Environment)
	facts := upgrade.Facts{Now: now, To: p.to, Ages: map[upgrade.Part]upgrade.Age{}}
	if policy.MinimumAge != "" {
		for _, part := range now.Changed(p.to) {
			facts.Ages[part] = r.Ages.Age(ctx, m.Plan, part, p.to[part])
		}
	}
	if len(policy.After) > 0 {
		facts.First = r.predecessors(ctx, policy, facts)
	}
	return upgrade.Wait(policy, r.Now, facts)
}

// checkOthers refuses a change of environments that are not asked for, and lets it wait for
// what those wait for.
func (p *proposed) checkOthers(ctx context.Context, result *Result) error {
	var missing []string
	for _, one := range p.change.All[1:] {
		name := one.Before.Plan.Environment
		if !slices.ContainsFunc(p.run.Members, func(m fleet.Member) bool { return m.File == one.Before.File }) {
			missing = append(missing, name)
			continue
		}
		other := proposed{run: p.run, member: one.Before, to: upgrade.VersionsOf(one.After.Environment)}
		result.Waits = append(result.Waits, other.wait(ctx)...)
	}
	if len(result.Waits) > 0 {
		result.State = Waiting
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("%s has its versions in defaults that are also those of %s: name all of them with -f, or set the versions in the file of %s itself", p.member.Plan.Environment, strings.Join(missing, " and "), p.member.Plan.Environment)
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

// read reads the environments from the base branch.
func (r *Run) read(ctx context.Context, open pullrequest.Opener) error {
	remote, err := open(ctx, r.BaseBranch, r.BaseBranch)
	if err != nil {
		return err
	}
	if r.base, err = remote.Read(ctx); err != nil {
		return err
	}
	if r.Whole {
		r.Members, err = r.everyone(ctx)
		return err
	}
	request := r.Request
	request.Repository = r.base.FS(ctx)
	r.Members, err = fleet.Load(ctx, request, r.Target)
	return err
}
