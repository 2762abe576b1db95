package proposal

import (
	"fmt"
	"slices"
	"strings"
)

// maxTitle limits the characters of a title: GitHub takes 256, GitLab and Gitea 255, and
// a forge without drafts puts a word before it.
const maxTitle = 200

// Branch gives the branch of the pull request: pm-gitops/ENVIRONMENT/patch-LINE. A
// newer patch of the line has the same one.
func (p Patch) Branch() string {
	return "pm-gitops/" + p.Environment + "/patch-" + p.Line
}

// Subject gives the commit's subject, in at most 200 characters, such as
// "fix(prefect/prod): server 2025.10.1 -> 2025.10.2", with a "!" where it is [Breaking].
func (p Patch) Subject() string {
	mark := ""
	if risk, _ := p.Risk(); risk == Breaking {
		mark = "!"
	}
	return subject("fix", p.Environment, mark, bumps(p.Versions))
}

// Title gives the title: the subject, and that it is blocked where the forge has no drafts.
func (p Patch) Title() string {
	if p.Lacks.Drafts && len(p.Blockers()) > 0 {
		return "[blocked] " + p.Subject()
	}
	return p.Subject()
}

// Message gives the commit's message without trailers: the subject, then the file and
// every version with its digest.
func (p Patch) Message() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s:\n", p.Subject(), harmless(p.File))
	for _, v := range p.Versions {
		fmt.Fprintf(&b, "- %s%s\n", bump(v), prefixed(", ", harmless(v.Digest)))
	}
	return b.String()
}

// Labels gives the labels, sorted: env/NAME, patch, risk/RISK, and blocked.
func (p Patch) Labels() []string {
	risk, _ := p.Risk()
	labels := []string{"env/" + p.Environment, "patch", "risk/" + string(risk)}
	if len(p.Blockers()) > 0 {
		labels = append(labels, "blocked")
	}
	slices.Sort(labels)
	return labels
}

// subject writes a conventional commit's subject with as many parts as fit.
func subject(kind, environment, mark string, parts []string) string {
	scope := "prefect"
	if environment != "" {
		scope += "/" + cut(harmless(environment), 63)
	}
	title := fmt.Sprintf("%s(%s)%s: ", kind, scope, mark)
	const more = len(" and 99 more")
	for i, part := range parts {
		if i > 0 {
			part = ", " + part
		}
		if len(title)+len(part) > maxTitle-more {
			return cut(title, maxTitle-more) + fmt.Sprintf(" and %d more", len(parts)-i)
		}
		title += part
	}
	return title
}

// cut cuts a text of ASCII.
func cut(text string, most int) string { return text[:min(len(text), most)] }

// bumps gives the versions that change as parts of a title.
func bumps(versions []Version) []string {
	var parts []string
	for _, v := range versions {
		parts = append(parts, bump(v))
	}
	return parts
}

func bump(v Version) string {
	if v.From == "" {
		return harmless(v.What) + " " + harmless(v.To)
	}
	return harmless(v.What) + " " + harmless(v.From) + " -> " + harmless(v.To)
}

// harmless writes a foreign text for titles and messages of commits, which have no code in
// which mentions, references and commands would be none: every character that no version
// and no path needs becomes an underscore.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._+-/:", r):
			return r
		}
		return '_'
	}, text)
}
