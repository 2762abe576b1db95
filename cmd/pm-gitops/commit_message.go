package main

import (
	"fmt"
	"strings"
	texttemplate "text/template"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/templates"
)

// versionTrailer ends every message of ours.
const versionTrailer = "Pm-Gitops-Version"

// mostLines is how many environments a message names.
const mostLines = 50

// message is what a commit says: the user's text or ours, and the trailers that
// say what it was made from.
func (d draft) message(text string) (gitrepo.Message, error) {
	message := gitrepo.Message{Text: text}
	if d.plan != "" {
		message.Trailers = append(message.Trailers, gitrepo.Trailer{Key: "Pm-Gitops-Plan", Value: d.plan})
	}
	message.Trailers = append(message.Trailers, gitrepo.Trailer{Key: versionTrailer, Value: versions().Version})
	if text != "" {
		return message, nil
	}
	said := struct {
		Scope, What string
		Lines       []string
	}{"prefect", d.what, d.lines()}
	if len(d.environments) == 1 {
		said.Scope += "/" + d.environments[0].environment
	}
	parsed, err := texttemplate.New("commit.txt").Parse(templates.Commit)
	if err != nil {
		return message, fmt.Errorf("write the commit's message: %w", err)
	}
	var out strings.Builder
	if err := parsed.Execute(&out, said); err != nil {
		return message, fmt.Errorf("write the commit's message: %w", err)
	}
	message.Text = out.String()
	return message, nil
}

// lines says what becomes of each environment.
func (d draft) lines() []string {
	if len(d.environments) == 1 {
		return []string{counts(d.environments[0].Changes)}
	}
	var lines []string
	for _, one := range d.environments {
		if !one.Empty() {
			lines = append(lines, "- "+one.environment+": "+counts(one.Changes))
		}
	}
	if more := len(lines) - mostLines; more > 0 {
		lines = append(lines[:mostLines], fmt.Sprintf("- and %d more", more))
	}
	return lines
}

// counts is changes in numbers.
func counts(c folder.Changes) string {
	return fmt.Sprintf("%d created, %d updated, %d removed", len(c.Created), len(c.Updated), len(c.Removed))
}
