package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// settle looks at environments with their drafts, and keeps those that hold. Of any
// other the fixes are applied one after another, each on those that hold.
func (f *fixing) settle(ctx context.Context, drafts []draft) error {
	together, failed := f.look(ctx, drafts)
	for _, d := range drafts {
		if after := together[d.member.Plan.Environment]; failed == nil && d.Name != "" && f.contradict(d, after) == "" {
			f.accept(d, after)
			continue
		}
		for _, one := range d.fixes {
			if err := f.settleOne(ctx, d.member, one); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleOne applies one fix and keeps it if it holds.
func (f *fixing) settleOne(ctx context.Context, m fleet.Member, one fix) error {
	if !slices.ContainsFunc(f.found[m.Plan.Environment], func(other finding.Finding) bool { return findingKey(other) == findingKey(one.ends[0]) }) {
		return nil // another fix ended it
	}
	file, err := f.edit(ctx, m, one)
	if err != nil {
		return f.leave(m, one, err)
	}
	d := draft{file, m, []fix{one}}
	after, err := f.look(ctx, []draft{d})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return f.leave(m, one, refusal{why: err.Error()})
	}
	if why := f.contradict(d, after[m.Plan.Environment]); why != "" {
		return f.leave(m, one, refusal{why: "with the other fixes applied, " + why})
	}
	f.accept(d, after[m.Plan.Environment])
	return nil
}

// look renders environments with their drafts and gives what is found then, by
// environment. The error is that of any of them.
func (f *fixing) look(ctx context.Context, drafts []draft) (map[string][]finding.Finding, error) {
	request := f.request
	request.Files, request.Recursive, request.Environments = nil, false, nil
	request.Instead = maps.Clone(request.Instead)
	for _, d := range drafts {
		if d.Name == "" {
			continue
		}
		request.Files = append(request.Files, d.member.File)
		request.Instead[d.resolved] = d.New
	}
	if len(request.Files) == 0 {
		return nil, nil
	}
	members, err := fleet.Render(ctx, request, f.target)
	if err != nil {
		return nil, err
	}
	seen, err := f.findings(ctx, f.checkOptions, f.source, members)
	by := map[string][]finding.Finding{}
	for _, one := range seen.found {
		by[one.Environment] = append(by[one.Environment], one)
	}
	return by, err
}

// contradict says why the fixes of a draft do not hold, if what is found with them is
// more than before, or a finding that they end. It is empty if they do.
func (f *fixing) contradict(d draft, after []finding.Finding) string {
	expected, ended := map[string]int{}, map[string]bool{}
	for _, one := range f.found[d.member.Plan.Environment] {
		expected[findingKey(one)]++
	}
	for _, one := range d.fixes {
		for _, end := range one.ends {
			key := findingKey(end)
			ended[key] = true
			expected[key] = max(0, expected[key]-1)
		}
	}
	for _, one := range after {
		key := findingKey(one)
		if expected[key]--; expected[key] >= 0 || one.ID == unusedIgnore {
			continue
		}
		word := " is found"
		if ended[key] {
			word = " is still found"
		}
		return one.ID + word + map[bool]string{false: " in " + one.Release}[one.Release == ""]
	}
	return ""
}

// unusedIgnore is the check that finds an accepted finding gone: no harm of a fix.
const unusedIgnore = "unused-ignore"

// findingKey identifies a finding, whatever its message and lines are: a fix may move the
// lines of a text in an object.
func findingKey(f finding.Finding) string {
	field, _, _ := strings.Cut(f.Field, ": line ")
	at := item.ReplaceAllString(f.Setting, "[]")
	if f.Object != nil {
		at = f.Object.Namespace + " " + f.Object.String()
	}
	return strings.Join([]string{f.ID, f.Release, field, at}, "\n")
}

// accept keeps a draft, with what was found with it.
func (f *fixing) accept(d draft, after []finding.Finding) {
	i := slices.IndexFunc(f.files, func(other fixedFile) bool { return other.resolved == d.resolved })
	if i < 0 {
		i = len(f.files)
		f.files = append(f.files, d.fixedFile)
	}
	f.files[i].New = d.New
	for _, one := range d.fixes {
		f.fixed = append(f.fixed, one.ends...)
		f.files[i].fixed += len(one.ends)
	}
	f.found[d.member.Plan.Environment], f.request.Instead[d.resolved] = after, d.New
}

// leave notes why a fix is not applied. Any other error than a refusal is returned.
func (f *fixing) leave(m fleet.Member, one fix, err error) error {
	var refused refusal
	if !errors.As(err, &refused) {
		return fmt.Errorf("fix %s: %w", m.File, err)
	}
	f.left = append(f.left, leftFix{m.Plan.Environment, one.ends[0].ID, one.set, refused.why, refused.command})
	return nil
}
