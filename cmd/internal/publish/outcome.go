package publish

import (
	"cmp"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
)

// Outcome says what became of a request.
type Outcome struct {
	Drafts []Draft
	URL    string   // of a remote repository
	Branch string   // of a remote repository, that gets the commits
	Base   string   // the branch whose newest commit they are on top of
	Pushed *Pushed  // from a checkout; nil if nothing was
	Hooks  []string // of the commit, that git would have run
	// Unstaged are files of ours whose staged content is in no commit.
	Unstaged []string
	// Unfinished says that something went wrong, with drafts that are not there.
	Unfinished bool
	// NothingToPush says that the server has it all.
	NothingToPush bool
	// Removed is what was taken out; nil if the job is another.
	Removed *Removed
	// Failed is the error of the environments that failed, if there are others that
	// were published.
	Failed error
	// Warnings are of the environments of all tries, each once.
	Warnings render.Problems
	// Uncommitted are environment files that are not committed as they are here,
	// although what was rendered from them is pushed.
	Uncommitted []string

	made []gitrepo.Result // of each draft; without a hash if it changed nothing
	said []string         // by the server of a remote repository
}

// Pushed is a commit that a server has now.
type Pushed struct {
	URL    string `json:"url"`
	Branch string `json:"branch"`
	Commit string `json:"commit"`
	// Remote holds the words of the server, line by line and fit for a terminal.
	Remote []string `json:"remote,omitempty"`
}

// Commit is a commit that was made, or in a dry run would be: then it has no hash,
// and in a checkout no branch.
type Commit struct {
	Commit       string   `json:"commit"`
	Branch       string   `json:"branch"`         // empty where HEAD is detached
	Base         string   `json:"base,omitempty"` // the branch of the commit that it is on top of, in a remote repository
	Environments []string `json:"environments"`
	Created      []string `json:"created"`
	Updated      []string `json:"updated"`
	Removed      []string `json:"removed"`
}

// Commits gives the drafts that became commits; of a dry run those that would.
func (o Outcome) Commits() []Commit {
	commits := []Commit{}
	for i, d := range o.Drafts {
		all := d.All()
		var made gitrepo.Result
		if i < len(o.made) {
			made = o.made[i]
		}
		if o.made == nil && all.Empty() || o.made != nil && made.Hash == "" {
			continue
		}
		one := Commit{made.Hash, cmp.Or(made.Branch, o.Branch), o.Base, []string{}, append([]string{}, all.Created...), append([]string{}, all.Updated...), append([]string{}, all.Removed...)}
		for _, environment := range d.Environments {
			if !environment.Empty() {
				one.Environments = append(one.Environments, environment.Environment)
			}
		}
		commits = append(commits, one)
	}
	return commits
}

// PushedTo gives where the commits are. Those to a remote repository are pushed as
// they are made.
func (o Outcome) PushedTo() *Pushed {
	commits := o.Commits()
	if o.URL == "" || len(commits) == 0 || o.made == nil {
		return o.Pushed
	}
	last := commits[len(commits)-1]
	return &Pushed{o.URL, last.Branch, last.Commit, o.said}
}

// warn adds warnings that are not there yet.
func (o *Outcome) warn(warnings render.Problems) {
	for _, warning := range warnings {
		if !slices.Contains(o.Warnings, warning) {
			o.Warnings = append(o.Warnings, warning)
		}
	}
}
