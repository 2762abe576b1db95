package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/edit"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// checkEdited refuses edits that bring mistakes into the environment, or into others
// that extend the same file. Mistakes that were there stay a matter of validate.
func (a app) checkEdited(ctx context.Context, request fleet.Request, target render.Choice, e edited) error {
	request.Environments, request.Defaults, request.AllowCollisions = nil, true, false
	before, warnedBefore := findMistakes(ctx, request, target, e)
	request.Instead = map[string][]byte{}
	for _, f := range e.files {
		resolved, err := fleet.Resolve(filepath.FromSlash(f.Name))
		if err != nil {
			return fmt.Errorf("find %s: %w", f.Name, err)
		}
		request.Instead[resolved] = f.New
	}
	after, warned := findMistakes(ctx, request, target, e)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// What is wrong with a value that was written now is new, whatever stood there.
	before = slices.DeleteFunc(before, func(f finding.Finding) bool { return e.writes(f.Setting) })
	fresh := newOnes(before, after)
	for i := range fresh {
		if slices.ContainsFunc(e.changed(), func(f edit.File) bool { return f.Name == fresh[i].File }) {
			fresh[i].Line, fresh[i].Column = 0, 0 // of a file that is not written
		}
	}
	if len(fresh) > 0 {
		return finding.Errors(fresh)
	}
	a.tellFindings(newOnes(warnedBefore, warned))
	if len(after) > 0 {
		var names []string
		for _, f := range after {
			names = append(names, f.File)
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			a.err.Say("warning: %s is still not valid: pm-gitops validate says what is wrong", name)
		}
	}
	return nil
}

// findMistakes gives what validate says of the edited file and the others that change
// with it: errors and warnings.
func findMistakes(ctx context.Context, request fleet.Request, target render.Choice, e edited) (mistakes, warnings []finding.Finding) {
	request.Files = append([]string{e.files[0].Name}, e.others...)
	request.AllowUnlocked = true // versions are set before they can be locked
	members, err := fleet.Render(ctx, request, target)
	mistakes, others := splitFindings(err)
	for _, other := range others {
		mistakes = append(mistakes, finding.Finding{Severity: finding.Error, File: e.files[0].Name, Message: other.Error()})
	}
	for _, m := range members {
		warnings = append(warnings, finding.FromProblems(finding.Warning, append(slices.Clip(m.Plan.Warnings), m.Plan.Unlocked...))...)
	}
	return mistakes, warnings
}

// item is the index in a path, which an edit may shift.
var item = regexp.MustCompile(`\[\d+\]`)

// newOnes gives the findings that were not there before, wherever they stand.
func newOnes(before, after []finding.Finding) []finding.Finding {
	key := func(f finding.Finding) string {
		return strings.Join([]string{f.File, item.ReplaceAllString(f.Setting, "[]"), f.Message}, "\n")
	}
	known := map[string]int{}
	for _, f := range before {
		known[key(f)]++
	}
	var fresh []finding.Finding
	for _, f := range after {
		if known[key(f)]--; known[key(f)] < 0 {
			fresh = append(fresh, f)
		}
	}
	return fresh
}
