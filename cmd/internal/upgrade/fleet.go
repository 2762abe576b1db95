package upgrade

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/proposal"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// everyone gives all environments of the repository. If some fail the error is
// [fleet.Failures], and the others are given with it.
func (r *Run) everyone(ctx context.Context) ([]fleet.Member, error) {
	if r.all == nil && r.allFailed == nil {
		r.all, r.allFailed = r.environmentsOf(ctx, r.base, false)
	}
	return r.all, r.allFailed
}

// isEnvironment matches the line by which a file says that it is an environment.
var isEnvironment = regexp.MustCompile(`(?m)^kind:[ \t]*["']?Environment["']?[ \t]*(#.*)?\r?$`)

// environmentsOf gives all environments of a commit. What was rendered is not searched, and
// hidden folders only if asked for: people keep there what is not in use.
func (r *Run) environmentsOf(ctx context.Context, base *gitrepo.Base, hidden bool) ([]fleet.Member, error) {
	names, err := base.List(ctx, ".")
	if err != nil {
		return nil, err
	}
	rendered := map[string]bool{}
	for _, name := range names {
		if tree.IsInventory(name) {
			at := path.Dir(path.Dir(name))
			rendered[path.Join(at, "base")+"/"], rendered[path.Join(at, "overlays")+"/"] = true, true
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		for dir := range rendered {
			if strings.HasPrefix(name, dir) {
				return true
			}
		}
		isHidden := strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
		return !fleet.IsYAML(name) || isHidden && !hidden
	})
	files, err := base.Files(ctx, names...)
	if err != nil {
		return nil, err
	}
	request := r.Request
	request.Files, request.Environments, request.Repository = nil, nil, base.FS(ctx)
	for _, name := range files.Paths() {
		if isEnvironment.Match(files[name]) && bytes.Contains(files[name], []byte("pm-gitops")) {
			request.Files = append(request.Files, name)
		}
	}
	if request.Files == nil {
		return nil, errors.New("the repository has no environment")
	}
	return fleet.Load(ctx, request, r.Target)
}

// order gives the environments in their order, by file but for those that wait for others,
// and the problems of those that have a name in common, wait for one that does not exist, or
// for each other, by file.
func (r *Run) order(ctx context.Context) ([]fleet.Member, map[string]error, error) {
	slices.SortStableFunc(r.Members, func(a, b fleet.Member) int { return strings.Compare(a.File, b.File) })
	problems := namesakes(r.Members)
	if !slices.ContainsFunc(r.Members, func(m fleet.Member) bool { return len(m.Environment.Spec.Upgrade.After) > 0 }) {
		return r.Members, problems, nil
	}
	if _, err := r.everyone(ctx); err != nil && !fleet.IsPartial(err) {
		return nil, nil, err
	}
	var environments []render.Environment
	for _, m := range r.all {
		environments = append(environments, m.Environment)
	}
	order, found := upgrade.Order(environments)
	for _, problem := range found {
		problems[problem.Position.File] = errors.Join(problems[problem.Position.File], render.Problems{problem})
	}
	var members []fleet.Member
	for _, i := range order {
		if at := slices.IndexFunc(r.Members, func(m fleet.Member) bool { return m.File == r.all[i].File }); at >= 0 {
			members = append(members, r.Members[at])
		}
	}
	for _, m := range r.Members { // in a folder that is not searched
		if !slices.ContainsFunc(members, func(other fleet.Member) bool { return other.File == m.File }) {
			members = append(members, m)
		}
	}
	return members, problems, nil
}

// namesakes gives the problems of environments that have a name in common, by file: they
// would have their branch in common too.
func namesakes(members []fleet.Member) map[string]error {
	problems, first := map[string]error{}, map[string]fleet.Member{}
	for _, m := range members {
		name := m.Plan.Environment
		if other, taken := first[name]; taken {
			for _, both := range [][2]fleet.Member{{m, other}, {other, m}} {
				problems[both[0].File] = render.Problems{both[0].Environment.Problem("metadata.name", "%s has the name %q too: want another", both[1].File, name)}
			}
			continue
		}
		first[name] = m
	}
	return problems
}

// ours matches the branches of pull requests for patches.
var ours = regexp.MustCompile(`^pm-gitops/([^/]+)/patch-`)

// branchOf names the branch of an environment's pull request for patches of a line.
func branchOf(m fleet.Member, line string) string {
	return proposal.Patch{Environment: m.Plan.Environment, Line: line}.Branch()
}

// count counts the open pull requests of ours, if there is a limit.
func (r *Run) count(ctx context.Context) error {
	if r.Limit == 0 || r.Keeper == nil {
		return nil
	}
	for _, branch := range r.base.Branches() {
		if !ours.MatchString(branch) {
			continue
		}
		state, err := r.Keeper.Find(ctx, branch)
		if err != nil {
			return err
		}
		if state.Pull != nil {
			r.open++
		}
	}
	return nil
}

// supersede closes the pull requests of environments that run their versions already, are
// of another release line, or are gone.
func (r *Run) supersede(ctx context.Context, members []fleet.Member) ([]Result, error) {
	if r.Keeper == nil {
		return nil, nil
	}
	var results []Result
	for _, branch := range r.base.Branches() {
		parts := ours.FindStringSubmatch(branch)
		if parts == nil {
			continue
		}
		state, err := r.Keeper.Find(ctx, branch)
		if err != nil {
			return results, err
		}
		if state.Pull == nil {
			continue
		}
		why := r.useless(ctx, members, parts[1], branch, upgrade.ParseTarget(state.Target))
		if why == "" {
			continue
		}
		result := newResult(fleet.Member{Plan: render.Plan{Environment: parts[1]}})
		outcome, err := r.Keeper.Supersede(ctx, branch, why)
		if err != nil {
			result.fail(err)
		} else {
			result.State, result.Why = State(outcome.Result), cmp.Or(outcome.Why, why)
		}
		result.Pull = &Pull{Number: state.Pull.Number, URL: state.Pull.URL, Branch: branch, Base: state.Pull.Base, Title: state.Pull.Title, Labels: state.Pull.Labels, Draft: state.Pull.Draft, Blocked: []string{}, Files: []string{}, Notes: append([]string{}, outcome.Notes...)}
		results = append(results, result)
	}
	return results, nil
}

// useless says why a pull request is of no use any more; nothing if it is, or if that is not
// known.
func (r *Run) useless(ctx context.Context, members []fleet.Member, environment, branch string, target upgrade.Versions) string {
	at := slices.IndexFunc(members, func(m fleet.Member) bool { return m.Plan.Environment == environment })
	if at < 0 {
		if !r.All {
			return ""
		}
		for _, hidden := range []bool{false, true} { // --file may have named a hidden one
			search := r.everyone
			if hidden {
				search = func(ctx context.Context) ([]fleet.Member, error) { return r.environmentsOf(ctx, r.base, true) }
			}
			all, err := search(ctx)
			if err != nil || slices.ContainsFunc(all, func(m fleet.Member) bool { return m.Plan.Environment == environment }) {
				return ""
			}
		}
		return fmt.Sprintf("the environment %s is gone from the base branch", environment)
	}
	now := upgrade.VersionsOf(members[at].Environment)
	line, err := lineOf(members[at])
	switch {
	case err != nil:
		return ""
	case branchOf(members[at], line) != branch:
		return fmt.Sprintf("%s is of the release line %s now", environment, line)
	case len(target) > 0 && now.Reaches(target):
		return environment + " has these versions already"
	}
	return ""
}
