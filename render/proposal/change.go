package proposal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Change is an ordinary change of one or several environments, which a person asks for.
type Change struct {
	// Subject is the commit's subject, or what the person says in its place.
	Subject      string
	Environments []Environment // in their order
	// Changes is the difference of the files that are written, settled with hunks.
	Changes diff.Result
	// DiffCommand prints the whole difference in a checkout of the branch.
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

// Title gives the title: the subject in at most 200 characters.
func (c Change) Title() string {
	return cutRunes(text.FirstLine(c.Subject), maxTitle)
}

// Labels gives the labels, sorted: env/NAME of each environment.
func (c Change) Labels() []string {
	var labels []string
	for _, one := range c.Environments {
		labels = append(labels, "env/"+one.Name)
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

// Body gives the body in Markdown, in at most limit characters: the environments with what
// changes in each, then the differences of their files. What does not fit is counted, and
// the body says where it is whole.
func (c Change) Body(limit int) string {
	d := document{limit: limit - pointing}
	d.add(fmt.Sprintf("**%s**. Objects: %s.\n", text.Count(len(c.Environments), "environment"), text.MarkdownText(c.Changes.Summary())))
	if c.Lacks.Labels {
		d.add("\nLabels: " + text.MarkdownCode(short(strings.Join(c.Labels(), " "))) + "\n")
	}
	table := rows{head: "\n| environment | file | versions | files |\n|---|---|---|---|\n", of: "environments"}
	for _, one := range c.Environments {
		table.lines = append(table.lines, fmt.Sprintf("| %s | %s | %s | %s |", code(one.Name), code(one.File), one.versions(), text.MarkdownText(short(one.Summary))))
	}
	d.add(table.write(min(d.left(), essentials/2)))
	content, isWhole := c.Changes.MarkdownPart(d.left(), !c.Lacks.Folding)
	d.add(content)
	d.limit = limit
	if !isWhole {
		d.add(pointer(c.DiffCommand))
	}
	return d.String()
}

// versions writes the versions for a cell of a table.
func (e Environment) versions() string {
	var all []string
	for _, v := range e.Versions {
		all = append(all, text.MarkdownText(short(v.What))+" "+code(v.From)+" → "+code(v.To))
	}
	return strings.Join(all, "<br>")
}
