package upgrade

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// firstDepth commits are asked for first; each time after that four times as many, up to
// maxDepth.
const firstDepth, maxDepth = 16, 1024

// history is the past of the base branch, as far as it was read.
type history struct {
	past     []gitrepo.Past
	whole    bool
	versions map[string][]upgrade.Versions // of an environment's file, by commit
}

// predecessors says of the environments that a policy names in after which versions they
// have on the base branch, and where it asks for a soak, since when those are at least as
// new as the upgrade's.
func (r *Run) predecessors(ctx context.Context, policy render.Upgrade, facts upgrade.Facts) map[string]upgrade.Predecessor {
	first := map[string]upgrade.Predecessor{}
	for _, after := range policy.After {
		for _, m := range r.all {
			if m.Environment.Metadata.Name != after.Environment {
				continue
			}
			one := upgrade.Predecessor{Versions: upgrade.VersionsOf(m.Environment)}
			if after.Soak != "" && facts.Reached(one.Versions) {
				one.Since, one.Why = r.since(ctx, m, facts, r.Now.Add(-after.Soak.Duration()))
			}
			first[string(after.Environment)] = one
		}
	}
	return first
}

// since finds when the base branch got versions at least as new as those of an upgrade in
// an environment's file: the time of its committer's clock, by the commit that first
// parents lead to, which for a merge is the merge. It goes back no further than to the
// first commit that is old enough. A time that is not known is zero, with the reason.
func (r *Run) since(ctx context.Context, m fleet.Member, facts upgrade.Facts, enough time.Time) (time.Time, string) {
	var since time.Time
	for i := 0; ; i++ {
		if err := r.history.reach(ctx, r.base, i); err != nil {
			return time.Time{}, oneLine(err)
		}
		if i == len(r.history.past) {
			return since, ""
		}
		versions, err := r.versionsAt(ctx, m, i)
		if err != nil {
			return time.Time{}, oneLine(err)
		}
		when := r.history.past[i].When
		switch {
		case !facts.Reached(versions) && when.After(since):
			return when, "" // made earlier than what was there before it
		case !facts.Reached(versions):
			return since, ""
		case !when.After(enough):
			return when, ""
		}
		since = when
	}
}

// reach reads the history as far as a commit, or whole.
func (h *history) reach(ctx context.Context, base *gitrepo.Base, i int) (err error) {
	if i < len(h.past) || h.whole {
		return nil
	}
	depth := max(firstDepth, 4*len(h.past))
	if depth > maxDepth {
		return fmt.Errorf("it is longer ago than the newest %d commits", len(h.past))
	}
	h.past, h.whole, err = base.History(ctx, depth)
	return err
}

// versionsAt gives the versions of an environment as a commit of the history has it: none
// where it has no such environment, or not a valid one.
func (r *Run) versionsAt(ctx context.Context, m fleet.Member, i int) (upgrade.Versions, error) {
	h := &r.history
	if h.versions == nil {
		h.versions = map[string][]upgrade.Versions{}
	}
	known := h.versions[m.File]
	if i < len(known) {
		return known[i], nil
	}
	names := slices.Sorted(maps.Keys(m.Sources))
	if err := gitrepo.FetchPast(ctx, h.past[len(known):], names...); err != nil {
		return nil, err
	}
	var newer tree.Tree
	for at := len(known); at < len(h.past); at++ {
		files, err := h.past[at].Base.Files(ctx, names...)
		if err != nil {
			return nil, err
		}
		if newer != nil && maps.EqualFunc(files, newer, slices.Equal) {
			known = append(known, known[at-1])
			continue
		}
		newer = files
		request := r.Request
		request.Files, request.Environments, request.Progress, request.Unpinned = []string{m.File}, nil, nil, true
		request.Repository = h.past[at].Base.FS(ctx)
		var versions upgrade.Versions
		if members, err := fleet.Load(ctx, request, r.Target); err == nil {
			versions = upgrade.VersionsOf(members[0].Environment)
		} else if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		known = append(known, versions)
	}
	h.versions[m.File] = known
	return known[i], nil
}
