package publish

import (
	"fmt"
	"strings"
	texttemplate "text/template"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/templates"
)

// versionTrailer ends every message of ours.
const versionTrailer = "Pm-Gitops-Version"

// maxLines limits how many environments a message names.
const maxLines = 50

// message gives what a commit says: the user's text or ours, and the trailers that
// say what it was made from.
func (d Draft) message(r Request) (gitrepo.Message, error) {
	message := gitrepo.Message{Text: r.Message}
	if d.plan != "" {
		message.Trailers = append(message.Trailers, gitrepo.Trailer{Key: "Pm-Gitops-Plan", Value: d.plan})
	}
	message.Trailers = append(message.Trailers, gitrepo.Trailer{Key: versionTrailer, Value: r.Version})
	if r.Message != "" {
		return message, nil
	}
	fields := struct {
		Scope, What string
		Lines       []string
	}{"prefect", d.what, d.lines()}
	if len(d.Environments) == 1 {
		fields.Scope += "/" + d.Environments[0].Environment
	}
	parsed, err := texttemplate.New("commit.txt").Parse(templates.Commit)
	if err != nil {
		return message, fmt.Errorf("write the commit's message: %w", err)
	}
	var out strings.Builder
	if err := parsed.Execute(&out, fields); err != nil {
		return message, fmt.Errorf("write the commit's message: %w", err)
	}
	message.Text = out.String()
	return message, nil
}

// lines says what becomes of each environment.
func (d Draft) lines() []string {
	if len(d.Environments) == 1 {
		return []string{d.Environments[0].Summary()}
	}
	var lines []string
	for _, one := range d.Environments {
		if !one.Empty() {
			lines = append(lines, "- "+one.Environment+": "+one.Summary())
		}
	}
	if more := len(lines) - maxLines; more > 0 {
		lines = append(lines[:maxLines], fmt.Sprintf("- and %d more", more))
	}
	return lines
}
