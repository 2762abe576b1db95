package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/cmd/internal/pullrequest"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/proposal"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// bodyLimit is the limit of the bodies that fingerprints and dry runs are made of, GitHub's.
const bodyLimit = 65536

// pull is the pull request of a render.
type pull struct {
	request publish.Request
	url     string // may hold credentials
	here    bool   // the files are those of a checkout
	from    string // the base branch; empty for the default branch
	open    pullrequest.Opener

	members []fleet.Member // of the last job
	done    publish.Outcome
	change  proposal.Change
	keep    pullrequest.Proposal
}

// pullReport is a pull request as JSON, an interface: fields are only ever added.
type pullReport struct {
	Result string   `json:"result"` // one of pullrequest.Result or, of a dry run, proposed
	Number int      `json:"number,omitempty"`
	URL    string   `json:"url,omitempty"`
	Commit string   `json:"commit,omitempty"`
	Branch string   `json:"branch"`
	Base   string   `json:"base"`
	Title  string   `json:"title"`
	Labels []string `json:"labels"`
	Body   string   `json:"body,omitempty"` // of a dry run
	Why    string   `json:"why,omitempty"`
	Notes  []string `json:"notes"`
}

// pullRequest keeps a pull request of what environments render to.
func (a app) pullRequest(ctx context.Context, f publishFlags, request publish.Request) error {
	p := &pull{request: request, url: f.repo}
	p.open = func(ctx context.Context, branch, from string) (*gitrepo.Remote, error) {
		return gitrepo.OpenRemote(ctx, a.git(), f.repo, gitrepo.RemoteOptions{Branch: branch, From: from})
	}
	if f.repo == "" {
		root, err := openFolder(f.dir)
		if err != nil {
			return err
		}
		defer root.Close()
		checkout, err := publish.OpenCheckout(ctx, root, request)
		if err != nil {
			return hintRead(err)
		}
		p.url, p.here, p.from, p.open, p.request.Make = checkout.URL, true, checkout.From, checkout.Open, checkout.Make
		p.done.Uncommitted = checkout.Outside
	}
	outside := p.done.Uncommitted
	p.noteMembers()
	if err := p.make(ctx); err != nil {
		return hintPublish(hintRead(err))
	}
	a.warn(p.done.Warnings)
	a.warnUncommitted(publish.Outcome{Uncommitted: outside})
	report := pullReport{Result: "proposed", Branch: p.keep.Branch, Base: p.done.Base, Title: p.keep.Title, Labels: append([]string{}, p.keep.Labels...), Notes: []string{}}
	what := "looked at"
	switch {
	case !f.dryRun:
		what = "proposed"
		out, err := p.settle(ctx, a.forges)
		if err != nil {
			return hintPublish(hintRead(err))
		}
		report.Result, report.Number, report.URL, report.Commit, report.Why = string(out.Result), out.Pull.Number, out.Pull.URL, out.Commit, out.Why
		report.Title = cmp.Or(report.Title, out.Pull.Title)
		report.Notes = append(report.Notes, out.Notes...)
	case p.keep.Plan == "":
		report.Result = string(pullrequest.Unchanged)
	default:
		report.Body = p.keep.Body(bodyLimit)
	}
	if told := a.tellPull(f, p.done, report); told != nil || p.done.Failed == nil {
		return told
	}
	return partialError{error: hintRead(p.done.Failed), done: what}
}

// settle brings the pull request to what is proposed, or closes it where that is nothing.
func (p *pull) settle(ctx context.Context, forges forge.System) (pullrequest.Outcome, error) {
	at, err := forge.Connect(ctx, p.url, forge.Product(forgeOf(p.members)), forges)
	if err != nil {
		return pullrequest.Outcome{}, err
	}
	keeper := pullrequest.New(at, p.open)
	switch {
	case p.keep.Plan == "" && p.done.Failed != nil: // those that failed may have changes in it
		return pullrequest.Outcome{Result: pullrequest.Unchanged}, nil
	case p.keep.Plan == "":
		return keeper.Supersede(ctx, p.keep.Branch, "The base branch has all of this by now.")
	}
	return keeper.Keep(ctx, p.keep)
}

// noteMembers keeps the environments of each job that is made.
func (p *pull) noteMembers() {
	jobOf := p.request.Make
	p.request.Make = func(ctx context.Context, files fs.FS) (publish.Job, error) {
		job, err := jobOf(ctx, files)
		if rendered, is := job.(publish.Rendered); is {
			p.members = rendered.Members
		}
		return job, err
	}
}

// make finds out what is proposed on top of the base as it is now.
func (p *pull) make(ctx context.Context) error {
	remote, err := p.open(ctx, "", "")
	if err != nil {
		return err
	}
	base, err := remote.At(ctx, p.from)
	if err != nil {
		return err
	}
	done, drafts, err := p.request.Commits(ctx, base)
	if err != nil {
		return err
	}
	p.done = done
	p.name()
	if len(done.Commits()) == 0 {
		return nil
	}
	before, after := tree.Tree{}, drafts[0].Changes.Write
	for _, name := range append(after.Paths(), drafts[0].Changes.Remove...) {
		switch content, err := fs.ReadFile(base.FS(ctx), name); {
		case err == nil:
			before[name] = content
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("read %s of the repository: %w", name, err)
		}
	}
	p.describe(drafts[0].Message.Text, diff.Compare(diff.Documents(before), diff.Documents(after)).Settled(true))
	p.keep.Plan, p.keep.Target = digest(before, after), digest(after)
	p.keep.Commit = p.prepare
	p.keep.Fingerprint = digest(p.keep.Title, p.keep.Body(bodyLimit), p.keep.Labels)
	return nil
}

// prepare makes the commit on top of a base.
func (p *pull) prepare(ctx context.Context, base *gitrepo.Base) ([]gitrepo.Draft, error) {
	_, drafts, err := p.request.Commits(ctx, base)
	return drafts, err
}

// name fills in which branch is proposed.
func (p *pull) name() {
	p.keep = pullrequest.Proposal{Branch: "pm-gitops/render", Base: p.from, Options: gitrepo.CommitOptions{Sign: p.request.Sign}}
	if len(p.members) == 1 && p.done.Failed == nil { // where others failed it is one of several
		p.keep.Branch = "pm-gitops/" + p.members[0].Plan.Environment + "/render"
	}
}

// describe fills in title, labels and body.
func (p *pull) describe(message string, changes diff.Result) {
	files := map[string]string{}
	for _, m := range p.members {
		files[m.Plan.Environment] = m.File
		if inside, err := inCheckout(m.File); p.here && err == nil {
			files[m.Plan.Environment] = inside
		}
	}
	subject, _, _ := strings.Cut(message, "\n")
	p.change = proposal.Change{Subject: subject, Changes: changes, DiffCommand: fmt.Sprintf("git diff origin/%s...origin/%s", p.done.Base, p.keep.Branch)}
	for _, one := range p.done.Drafts[0].Environments {
		if one.Empty() {
			continue
		}
		of := proposal.Environment{Name: one.Environment, File: files[one.Environment], Summary: one.Summary()}
		for _, v := range one.Versions {
			of.Versions = append(of.Versions, proposal.Version{What: v.What, From: v.From, To: v.To})
		}
		p.change.Environments = append(p.change.Environments, of)
	}
	p.keep.Title, p.keep.Labels, p.keep.Body = p.change.Title(), p.change.Labels(), p.change.Body
}

// digest gives the digest of values, sha256:… in hexadecimal.
func digest(values ...any) string {
	data, _ := json.Marshal(values) // texts and files only
	return fmt.Sprintf("sha256:%x", sha256.Sum256(data))
}

// tellPull prints what became of a pull request.
func (a app) tellPull(f publishFlags, done publish.Outcome, report pullReport) error {
	commits := done.Commits() // those that were made for a look at the base
	if f.output == "json" {
		return a.printJSON(struct {
			Commits     []publish.Commit `json:"commits"`
			Pushed      *publish.Pushed  `json:"pushed"`
			PullRequest pullReport       `json:"pullRequest"`
		}{pullCommits(commits, report), nil, report})
	}
	for _, note := range report.Notes {
		a.err.Say("note: %s", note)
	}
	switch {
	case report.Result == string(pullrequest.Unchanged) && report.Number == 0:
		if !f.quiet {
			a.err.Say("up to date: nothing to propose")
		}
		return nil
	case f.quiet:
		return nil
	case !f.dryRun:
		a.out.Say("%s %s: %s", report.Result, cmp.Or(report.URL, "on "+report.Branch), report.Title)
		if report.Why != "" {
			a.err.Say("%s", report.Why)
		}
		return nil
	}
	a.tellEnvironments(done)
	a.out.Say("title:  %s", report.Title)
	a.out.Say("branch: %s", report.Branch)
	a.out.Say("base:   %s", report.Base)
	a.out.Say("labels: %s", strings.Join(report.Labels, ", "))
	err := a.out.Text("\n" + report.Body + "\n")
	a.err.Say("This was a dry run: nothing was pushed.")
	return err
}

// pullCommits gives the commits with the branch and the hash that they have now.
func pullCommits(commits []publish.Commit, report pullReport) []publish.Commit {
	for i := range commits {
		commits[i].Commit, commits[i].Branch = report.Commit, report.Branch
	}
	return commits
}
