package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
)

// gitOutcome is what became of a job in Git.
type gitOutcome struct {
	drafts []draft
	made   []gitrepo.Result // of each draft; without a hash if it changed nothing
	url    string           // of the repository that has no checkout here
	pushed *pushed          // nil if nothing was
	hooks  []string         // of the commit, that git would have run
	// Something went wrong with the drafts that are not there.
	unfinished bool
	// The server has it all.
	nothingToPush bool
	// What was taken out; nil if the job is another.
	removed *removal
}

// pushed is what the server has now.
type pushed struct {
	URL    string `json:"url"`
	Branch string `json:"branch"`
	Commit string `json:"commit"`
}

// committed is a commit as JSON has it; in a dry run it has no hash and no branch.
type committed struct {
	Commit       string   `json:"commit"`
	Branch       string   `json:"branch"` // empty where HEAD is detached
	Environments []string `json:"environments"`
	Created      []string `json:"created"`
	Updated      []string `json:"updated"`
	Removed      []string `json:"removed"`
}

// commits is the drafts that became commits; of a dry run those that would.
func (o gitOutcome) commits() []committed {
	commits := []committed{}
	for i, d := range o.drafts {
		all := d.all()
		var made gitrepo.Result
		if i < len(o.made) {
			made = o.made[i]
		}
		if o.made == nil && all.Empty() || o.made != nil && made.Hash == "" {
			continue
		}
		one := committed{made.Hash, made.Branch, []string{}, append([]string{}, all.Created...), append([]string{}, all.Updated...), append([]string{}, all.Removed...)}
		for _, environment := range d.environments {
			if !environment.Empty() {
				one.Environments = append(one.Environments, environment.environment)
			}
		}
		commits = append(commits, one)
	}
	return commits
}

// tell says what became of a job.
func (a app) tell(o renderOptions, done gitOutcome) error {
	commits := done.commits()
	if len(commits) > 0 && !o.dryRun {
		a.caveats(done)
	}
	if o.output == "json" {
		return a.printJSON(struct {
			Commits []committed `json:"commits"`
			Pushed  *pushed     `json:"pushed"`
		}{commits, done.pushedTo()})
	}
	if o.quiet {
		return nil
	}
	a.tellEnvironments(done)
	for _, one := range commits {
		files := count(len(one.Created)+len(one.Updated)+len(one.Removed), "file")
		if len(one.Environments) == 1 && len(done.drafts) > 1 {
			files += " of " + one.Environments[0]
		}
		if o.dryRun {
			fmt.Fprintf(a.out, "would commit %s\n", files)
			continue
		}
		fmt.Fprintf(a.out, "committed %.12s %s: %s\n", one.Commit, onBranch(one.Branch, done.url), files)
	}
	defer a.tellDry(o)
	if len(commits) == 0 && !done.unfinished {
		fmt.Fprintln(a.err, "up to date: nothing to commit")
	}
	if done.removed != nil {
		defer a.tellRemoved(done.removed)
	}
	switch {
	case done.pushed != nil:
		fmt.Fprintf(a.out, "pushed %.12s to branch %s of %s\n", done.pushed.Commit, render.Visible(done.pushed.Branch), done.pushed.URL)
	case done.nothingToPush && len(commits) == 0:
		fmt.Fprintln(a.err, "up to date: nothing to push")
	}
	return nil
}

// pushedTo is where the commits are, for JSON: those to a repository without a
// checkout are pushed as they are made.
func (o gitOutcome) pushedTo() *pushed {
	commits := o.commits()
	if o.url == "" || len(commits) == 0 || o.made == nil {
		return o.pushed
	}
	last := commits[len(commits)-1]
	return &pushed{o.url, last.Branch, last.Commit}
}

func onBranch(branch, url string) string {
	switch {
	case url != "":
		return "on " + render.Visible(branch) + " of " + url
	case branch == "":
		return "on a detached HEAD"
	}
	return "on " + render.Visible(branch)
}

// tellEnvironments prints a line for each file of one environment, or for each
// environment of several.
func (a app) tellEnvironments(done gitOutcome) {
	var all []changed
	for _, d := range done.drafts {
		all = append(all, d.environments...)
	}
	if len(all) == 1 {
		a.printPaths(all[0].Changes)
		return
	}
	if a.progress("") != nil {
		all = slices.DeleteFunc(all, func(one changed) bool { return one.Empty() })
	}
	for _, one := range all {
		what := counts(one.Changes)
		if one.Empty() {
			what = "up to date"
		}
		fmt.Fprintf(a.err, "%s: %s\n", one.environment, what)
	}
}

// caveats says what a commit does otherwise than git would.
func (a app) caveats(done gitOutcome) {
	if len(done.hooks) > 0 {
		fmt.Fprintf(a.err, "warning: Git's hooks are not run: %s\n", strings.Join(done.hooks, ", "))
	}
	if unstaged := done.unstaged(); len(unstaged) > 0 {
		fmt.Fprintf(a.err, "warning: what was staged of %s was another content: it is staged no more, and in no commit\n", render.Visible(strings.Join(unstaged, ", ")))
	}
}

// unstaged is the files whose staged content is in no commit.
func (o gitOutcome) unstaged() []string {
	var names []string
	for _, made := range o.made {
		names = append(names, made.Unstaged...)
	}
	return names
}
