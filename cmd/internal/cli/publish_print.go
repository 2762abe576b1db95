package cli

import (
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// tell says what became of a request to publish.
func (a app) tell(f publishFlags, done publish.Outcome) error {
	commits := done.Commits()
	if len(commits) > 0 && !f.dryRun {
		a.warnOfCaveats(done)
	}
	if pushed := done.PushedTo(); pushed != nil && !f.quiet {
		defer a.tellServer(pushed.Remote)
	}
	if f.output == "json" {
		return a.printJSON(struct {
			Commits []publish.Commit `json:"commits"`
			Pushed  *publish.Pushed  `json:"pushed"`
		}{commits, done.PushedTo()})
	}
	if f.quiet {
		return nil
	}
	a.tellEnvironments(done)
	for _, one := range commits {
		files := text.Count(len(one.Created)+len(one.Updated)+len(one.Removed), "file")
		if len(one.Environments) == 1 && len(done.Drafts) > 1 {
			files += " of " + one.Environments[0]
		}
		if f.dryRun {
			a.out.Say("would commit %s%s", files, nameBase(done))
			continue
		}
		a.out.Say("committed %.12s %s: %s", one.Commit, nameBranch(one.Branch, done.URL), files)
	}
	defer a.tellDry(f)
	if len(commits) == 0 && !done.Unfinished {
		a.err.Say("up to date: nothing to commit")
	}
	if done.Removed != nil {
		defer a.tellRemoved(done.Removed)
	}
	switch {
	case done.Pushed != nil:
		a.out.Say("pushed %.12s to branch %s of %s", done.Pushed.Commit, done.Pushed.Branch, done.Pushed.URL)
	case done.NothingToPush && len(commits) == 0:
		a.err.Say("up to date: nothing to push")
	}
	return nil
}

// tellServer prints what a server said, as git does.
func (a app) tellServer(lines []string) {
	for _, line := range lines {
		a.err.Say("remote: %s", line)
	}
}

// nameBase names the branch that commits to a remote repository would go to, and the one
// that it would start from.
func nameBase(done publish.Outcome) string {
	switch {
	case done.URL == "":
		return ""
	case done.Branch == done.Base:
		return " " + nameBranch(done.Branch, done.URL)
	}
	return " " + nameBranch(done.Branch, done.URL) + ", which starts from " + done.Base
}

func nameBranch(branch, url string) string {
	switch {
	case url != "":
		return "on " + branch + " of " + url
	case branch == "":
		return "on a detached HEAD"
	}
	return "on " + branch
}

// tellEnvironments prints a line for each file of one environment, or for each
// environment of several.
func (a app) tellEnvironments(done publish.Outcome) {
	var all []publish.Changed
	for _, d := range done.Drafts {
		all = append(all, d.Environments...)
	}
	if len(all) == 1 {
		a.printPaths(all[0].Changes)
		return
	}
	if a.progress("") != nil {
		all = slices.DeleteFunc(all, func(one publish.Changed) bool { return one.Empty() })
	}
	for _, one := range all {
		what := one.Summary()
		if one.Empty() {
			what = "up to date"
		}
		a.err.Say("%s: %s", one.Environment, what)
	}
}

// warnOfCaveats says what a commit does otherwise than git would.
func (a app) warnOfCaveats(done publish.Outcome) {
	if len(done.Hooks) > 0 {
		a.err.Say("warning: Git's hooks are not run: %s", strings.Join(done.Hooks, ", "))
	}
	if len(done.Unstaged) > 0 {
		a.err.Say("warning: staged changes to %s were unstaged, and are in no commit", strings.Join(done.Unstaged, ", "))
	}
}
