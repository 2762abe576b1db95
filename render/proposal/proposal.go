// Package proposal writes pull requests: branch, title, labels, commit message and a
// Markdown body within a limit. It takes facts and gives the same texts for the same
// facts. It adds no controls and no marker: who keeps the pull request adds them.
//
// Every text of the facts is plain text and may come from charts, registries, forges
// and files. In the body it is no markup, mentions no account, links to no issue, closes
// none and runs no quick action.
package proposal

// Lacks says what a forge lacks. The zero value stands for GitHub, GitLab, Gitea and
// Forgejo, which have all of it.
type Lacks struct {
	Labels  bool // the body lists the labels
	Drafts  bool // a title begins with "[blocked]"
	Folding bool // <details> is not rendered: the body uses headings
	Mermaid bool // the body has no graph
}

// Risk says how much attention a change needs.
type Risk string

// The risks, in order.
const (
	Routine  Risk = "routine"
	Caution  Risk = "caution"  // a person must look at something, or do something
	Breaking Risk = "breaking" // the cluster refuses it, or data may be lost
)

// Concern is a reason for a risk.
type Concern struct {
	Risk Risk
	Why  string // a sentence without a period
}

// Unseen names something that could not be looked at. It makes a change one of [Caution].
type Unseen struct {
	What string // such as "the manifests of prefect-cloud"
	Why  string // such as "us-docker.pkg.dev answers 403"
}

// Action is something that the change requires.
type Action struct {
	Text   string // a sentence without a period, such as "set values.prefect-cloud.x"
	File   string // empty if it is about no file
	Line   int    // 0 if it is about no line
	Edited bool   // the commit does it; a person does the others before the merge
}
