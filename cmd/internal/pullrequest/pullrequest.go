// Package pullrequest keeps one pull request of a branch as it should be. All state is in
// Git and in the pull request: nothing is stored elsewhere, so that any number of runs, on
// any machine, killed at any point, end with the same pull request.
//
// The rules:
//
//   - The pull request is found by its head branch. Where it has the plan and the fingerprint
//     of the proposal nothing is pushed or edited: two requests to the forge.
//   - Another plan makes the branch anew, one commit on top of the newest base, pushed under a
//     lease, and edits the same pull request.
//   - A pull request that a person closed stays closed for its target. A person takes that back
//     by reopening it. Another target opens another pull request.
//   - A commit of others on the branch freezes the pull request: nothing is pushed or
//     edited, and a comment says so once. The label `rebase` or the checkbox in the body makes
//     the branch anew, without that commit.
//   - A superseded pull request is closed after a comment that says why.
//   - Where two runs are at it at once, one wins and the other one is [Outpaced].
//
// What a body says of the state is its marker, a comment of HTML at its end. It counts only
// where the author of the pull request is the account whose token is used.
package pullrequest

import (
	"context"
	"sync"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// RebaseLabel is the label with which a person has the branch made anew, whatever is on it.
// It is taken off then.
const RebaseLabel = "rebase"

// Proposal says what a pull request should be.
type Proposal struct {
	Branch string // the head, a branch of ours alone, such as pm-gitops/prod/patch-2025.10
	Base   string // the branch to merge into: the default branch if empty
	Title  string // one line
	// Body gives the text in at most limit characters. It is called only where it is needed.
	// Controls and marker are added behind it; a comment of HTML in it is escaped.
	Body   func(limit int) string
	Labels []string
	Draft  bool
	// Plan is a digest of what the commit changes, the content of every file before and after.
	// It stays when the base moves elsewhere.
	Plan string
	// Target names the versions that a person declines by closing the pull request, such as
	// "server=2025.10.1 ui=2025.11.2". It stays when only the base moves.
	Target string
	// Fingerprint is a digest of all that title, body, labels and draft are made of.
	Fingerprint string
	// Commit gives exactly one draft, on top of the newest commit of the base. The trailer
	// [Trailer] is added to its message.
	Commit gitrepo.Prepare
	// Options say who commits, and whether that is signed. Their message is not used.
	Options gitrepo.CommitOptions
	// Merge has the forge merge the pull request by itself when all that the repository asks
	// for is there.
	Merge bool
}

// Trailer is the trailer of every commit that this package makes. Its value is the plan.
const Trailer = "Pm-Gitops-Proposal"

// Result says what became of a pull request.
type Result string

// The results.
const (
	Opened     Result = "opened"
	Refreshed  Result = "refreshed" // pushed, edited or both
	Unchanged  Result = "unchanged" // it is as it should be, or there is nothing to propose
	Declined   Result = "declined"  // a person closed it for this target
	Frozen     Result = "frozen"    // a commit of others is on the branch
	Outpaced   Result = "outpaced"  // another run was faster, and does the same
	Superseded Result = "superseded"
)

// Outcome describes what was done.
type Outcome struct {
	Result Result
	// Pull is the pull request as it is then. Its number is 0 where there is none.
	Pull forge.PullRequest
	// Commit is the commit of ours that the branch has, in hexadecimal; empty where it is not known.
	Commit string
	// Why is a sentence for a person: why nothing was done, or what is waited for. Empty where
	// the result says it all.
	Why string
	// Notes are sentences about what the forge, or the token, could not do: labels, drafts, auto-merge.
	Notes []string
}

// State holds the pull requests that a forge has of a branch.
type State struct {
	// Pull is the open pull request of ours, the oldest if there are several, or nil.
	Pull *forge.PullRequest
	// Target is the open pull request's.
	Target string
	// All are the pull requests of the branch, of other accounts as well, the newest first.
	All []forge.PullRequest

	account string
	twins   []forge.PullRequest // more open ones of ours: Gitea takes several at the same moment
}

// Keeper keeps pull requests of a repository. It may be used for several branches at once.
type Keeper struct {
	forge forge.Forge
	open  Opener

	mu      sync.Mutex
	account string
	found   map[string][]forge.PullRequest // by branch
}

// Opener opens a branch of the repository, which starts from another one: from the default
// branch where that is empty.
type Opener func(ctx context.Context, branch, from string) (*gitrepo.Remote, error)

// New gives a keeper. It asks nothing yet.
func New(f forge.Forge, open Opener) *Keeper {
	return &Keeper{forge: f, open: open, found: map[string][]forge.PullRequest{}}
}
