package proposal_test

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// parsed holds all that a parser of Markdown finds in a body, with the extensions of GitHub,
// GitLab and Gitea.
type parsed struct {
	headings, html, fences, strong []string
	other                          []string // nodes that no body has
	plain                          string   // the text that is no code, a line for each block
	blocks                         int
}

func parse(source string) parsed {
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList))
	data := []byte(source)
	var p parsed
	var plain strings.Builder
	_ = ast.Walk(markdown.Parser().Parse(text.NewReader(data)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Type() == ast.TypeBlock && entering {
			p.blocks++
			plain.WriteString("\n")
		}
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Document, *ast.Paragraph, *ast.TextBlock, *ast.List, *ast.ListItem, *east.Table, *east.TableHeader, *east.TableRow, *east.TableCell:
		case *ast.Heading:
			p.headings = append(p.headings, string(n.Lines().Value(data)))
		case *ast.Emphasis:
			if n.Level != 2 {
				p.other = append(p.other, "emphasis")
			}
			p.strong = append(p.strong, string(n.FirstChild().(*ast.Text).Value(data)))
		case *ast.HTMLBlock:
			p.html = append(p.html, strings.TrimSpace(string(n.Lines().Value(data))))
		case *ast.RawHTML:
			p.html = append(p.html, string(n.Segments.Value(data)))
			plain.WriteString(" ")
		case *ast.FencedCodeBlock:
			p.fences = append(p.fences, string(n.Language(data)))
			return ast.WalkSkipChildren, nil
		case *ast.CodeSpan:
			plain.WriteString("\x00") // as nothing that a word goes on with
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			plain.WriteString(html.UnescapeString(string(n.Value(data))))
		default:
			p.other = append(p.other, n.Kind().String())
		}
		return ast.WalkContinue, nil
	})
	p.plain = plain.String()
	return p
}

var (
	ourHeadings = []string{"Before the merge", "Changed along with the versions", "Rollout", "Merging", "Changes in the cluster", "Changed chart defaults", "Rollback"}
	ourStrong   = regexp.MustCompile(`^(Routine|Needs a change|Needs a look|Breaking|Blocked|Blocked and breaking)\.$|^(missing|none|unknown|another digest|as far as it could be looked at|\d+ environments?)$`)
	ourSummary  = regexp.MustCompile(`^<details><summary>(?:(?:Wave \d+|Releases that go away): [a-z0-9 ,]+|The waves, drawn|(?:added|removed|changed) <code>[^<]*</code>)</summary>$`)
	ourHeading4 = regexp.MustCompile(`^(?:Wave \d+|Releases that go away): [a-z0-9 ,]+$`)

	// referring is wider than what forges look for in text that is no code: mentions, issues,
	// pull requests, snippets, labels, milestones, epics, alerts, emojis, commits, addresses.
	// https://docs.gitlab.com/user/markdown/#gitlab-specific-references,
	// https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls,
	// https://github.com/go-gitea/gitea/blob/main/modules/references/references.go.
	referring = regexp.MustCompile(`(?i)[@#!$~%&^*_\\<>{}\[\]]|[a-z]-\d|[0-9a-f]{7}|:[a-z0-9_+-]+:|/|\bwww\.`)
	// closing is GitLab's pattern, which it looks for in the source, code or not; GitHub has
	// fewer words: https://docs.gitlab.com/administration/issue_closing_pattern/.
	closing  = regexp.MustCompile(`(?i)\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?):?[ \t]+(?:issues?[ \t]+)?(?:[\w./-]*[#!]\d|[A-Z][A-Z0-9_]+-\d|https?://)`)
	steering = regexp.MustCompile(`(?i)\[(?:skip|no|ci|actions)[ _-](?:ci|skip|actions)\]|<!--\s*pm-gitops|[\x00-\x08\x0b-\x1f\x7f]|[\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}]`)
)

// checkBody checks a body: what the parser finds in it is ours alone.
func checkBody(t *testing.T, body string, limit int) {
	t.Helper()
	if len(body) > limit {
		t.Errorf("%d bytes, limit %d", len(body), limit)
	}
	got := parse(body)
	if len(got.other) > 0 {
		t.Errorf("nodes %q", got.other)
	}
	for _, heading := range got.headings {
		if !slices.Contains(ourHeadings, heading) && !ourHeading4.MatchString(heading) {
			t.Errorf("heading %q", heading)
		}
	}
	for _, strong := range got.strong {
		if !ourStrong.MatchString(strong) {
			t.Errorf("strong %q", strong)
		}
	}
	depth := 0
	for _, one := range got.html {
		switch {
		case one == "<br>":
		case ourSummary.MatchString(one):
			depth++
		case one == "</details>" || one == "</details>\n</details>":
			depth -= strings.Count(one, "</details>")
		default:
			t.Errorf("HTML %q", one)
		}
		if depth < 0 {
			t.Error("details are closed that are not open")
		}
	}
	if depth != 0 {
		t.Errorf("%d details are not closed", depth)
	}
	for _, language := range got.fences {
		if language != "diff" && language != "sh" && language != "mermaid" {
			t.Errorf("fence %q", language)
		}
	}
	for line := range strings.Lines(got.plain) {
		if found := referring.FindString(line); found != "" {
			t.Errorf("%q in the text %q", found, line)
		}
	}
	checkSource(t, body)
}

// checkSource checks what forges read in the source of a body, without parsing it.
func checkSource(t *testing.T, body string) {
	t.Helper()
	columns := 0
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "/") {
			t.Errorf("a quick action: %q", line)
		}
		switch {
		case !strings.HasPrefix(line, "| "):
			columns = 0
		case columns == 0:
			columns = strings.Count(line, "|")
		case columns != strings.Count(line, "|"):
			t.Errorf("another number of cells: %q", line)
		}
	}
	for _, pattern := range []*regexp.Regexp{closing, steering} {
		if found := pattern.FindString(body); found != "" {
			t.Errorf("%q in the source", found)
		}
	}
}

// TestBodies: every body is what it should be, and as long as a forge takes, for every
// limit.
func TestBodies(t *testing.T) {
	again := bodies()
	for name, body := range bodies() {
		t.Run(name, func(t *testing.T) {
			for _, limit := range append([]int{0, 1, 100, 500, 1_000, 2_000, 3_000}, limits...) {
				checkBody(t, body(limit), limit)
			}
			if again[name](65_536) != body(65_536) {
				t.Error("another body for the same facts")
			}
		})
	}
}

// TestEssentials: within the smallest limit, and with every list too long, there is verdict,
// version, action, wave and rollback, and where the rest is.
func TestEssentials(t *testing.T) {
	body := large().Body(4_000)
	for _, want := range []string{
		"**Blocked.** `prod` gets server `2025.10.202512010915`.", "Do not merge this yet:", "pm-gitops mirror -f environments/prod.yaml --lock",
		"| server | `2025.10.202511042343` | `2025.10.202512010915` |", "### Before the merge", "### Rollout", "Wave 2, `prefect-cloud`: updates 1000 objects",
		"### Merging", "### Rollback", "This text is cut", "pm-gitops diff --manifests -f environments/prod.yaml --base HEAD~1",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if whole := routine().Body(65_536); strings.Contains(whole, "is cut") {
		t.Error("says that it is cut, and is not")
	}
}
