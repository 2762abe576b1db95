package publish

import (
	"fmt"
	"slices"
	"strings"
	texttemplate "text/template"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/text"
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
		Type, Scope, What string
		Lines             []string
	}{"chore", "prefect", d.what, d.lines()}
	if len(d.Environments) == 1 {
		fields.Scope += "/" + d.Environments[0].Environment
	}
	if what := d.versions(); what != "" {
		fields.Type, fields.What = "fix", what
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

// maxVersions bounds the bytes of the versions in a subject.
const maxVersions = 120

// versions says which versions change in all environments that change: empty if none
// does, or not the same ones.
func (d Draft) versions() string {
	changed := slices.DeleteFunc(slices.Clone(d.Environments), func(one Changed) bool { return one.Empty() })
	if len(changed) == 0 || len(changed[0].Versions) == 0 || slices.ContainsFunc(changed, func(one Changed) bool { return !slices.Equal(one.Versions, changed[0].Versions) }) {
		return ""
	}
	what := joinVersions(changed[0].Versions)
	if len(what) > maxVersions {
		what = "change " + text.Count(len(changed[0].Versions), "version")
	}
	if len(d.Environments) > 1 {
		what += " in " + text.Count(len(changed), "environment")
	}
	return what
}

func joinVersions(versions []Version) string {
	var words []string
	for _, version := range versions {
		words = append(words, version.String())
	}
	return strings.Join(words, ", ")
}

// lines says what becomes of each environment.
func (d Draft) lines() []string {
	var lines []string
	if len(d.Environments) == 1 {
		one := d.Environments[0]
		for _, version := range one.Versions {
			lines = append(lines, "- "+version.String())
		}
		if len(joinVersions(one.Versions)) <= maxVersions { // the subject has them
			lines = nil
		}
		return append(limited(lines), one.Summary())
	}
	for _, one := range d.Environments {
		switch versions := joinVersions(one.Versions); {
		case one.Empty():
		case versions == "" || len(versions) > maxVersions:
			lines = append(lines, "- "+one.Environment+": "+one.Summary())
		default:
			lines = append(lines, "- "+one.Environment+": "+versions+"; "+one.Summary())
		}
	}
	return limited(lines)
}

// limited cuts lines at maxLines.
func limited(lines []string) []string {
	if more := len(lines) - maxLines; more > 0 {
		lines = append(lines[:maxLines], fmt.Sprintf("- and %d more", more))
	}
	return lines
}
