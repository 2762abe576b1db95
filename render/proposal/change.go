package proposal

import "github.com/pm-gitops/pm-gitops/render/diff"

// Change is an ordinary change of one or several environments, which a person asks for.
type Change struct {
	Environments []Environment // in their order
	// Text is the user's title; empty for ours.
	Text string
	// Changes is the difference of the files that are written.
	Changes diff.Result
	// DiffCommand prints the whole difference.
	DiffCommand string
	Lacks       Lacks
}

// Environment is an environment of a change.
type Environment struct {
	Name string
	File string // the environment file, as a path in the repository
	// Summary says what becomes of its files, such as "2 written, 1 removed".
	Summary string
	// Versions are those that change.
	Versions []Version
}

// Title gives the title, in at most 200 characters.
func (c Change) Title() string { return "" }

// Labels gives the labels, sorted: env/NAME of each environment.
func (c Change) Labels() []string { return nil }

// Body gives the body in Markdown, in at most limit characters.
func (c Change) Body(limit int) string { return "" }
