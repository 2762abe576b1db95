package text

import (
	"html"
	"regexp"
	"strings"
)

// Foreign text in Markdown is either plain words or code. Forges find mentions, issues,
// labels, commits and addresses in the rendered page, so that an escape of Markdown
// does not hide them, but none of them looks into code:
// https://github.com/go-gitea/gitea/blob/main/modules/markup/html.go (visitNode),
// https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/banzai/filter/references/reference_filter.rb
// (ignore_ancestor_query), https://docs.github.com/en/get-started/writing-on-github.
// What forges find in the source itself, code or not, is taken apart by defuse.

// MarkdownCell writes a text for a cell of a Markdown table: as [MarkdownText] does,
// with its line ends.
func MarkdownCell(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, MarkdownText(strings.TrimSuffix(line, "\n")))
	}
	return strings.Join(lines, "<br>")
}

// MarkdownText writes a sentence as Markdown on a line: its plain words as they are, all
// others as code. It fits into a paragraph, an item of a list and a cell of a table.
func MarkdownText(text string) string {
	var b, code strings.Builder
	flush := func() {
		b.WriteString(MarkdownCode(code.String()))
		code.Reset()
	}
	for i, word := range strings.Fields(Visible(text)) {
		before, core, after := "", word, ""
		isCode := !isPlainWord(word) || i == 0 && numbered.MatchString(word)
		if parts := punctuated.FindStringSubmatch(word); isCode && parts != nil {
			before, core, after = parts[1], parts[2], parts[3]
		}
		switch {
		case isCode && code.Len() > 0 && before == "":
			code.WriteString(" " + core)
		default:
			flush()
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(before)
			if isCode {
				code.WriteString(core)
			} else {
				b.WriteString(word)
			}
		}
		if after != "" {
			flush()
			b.WriteString(after)
		}
	}
	flush()
	return b.String()
}

var (
	plainWord = regexp.MustCompile(`^["'(]?[\p{L}\p{N}]+(?:[-'’.,][\p{L}\p{N}]+)*[)"'.,;:?…]*$`)
	// referring matches words that a forge may link: an issue of a tracker (GH-1, ABC-123),
	// a commit, an address; and versions, which read better as code.
	referring = regexp.MustCompile(`(?i)[a-z0-9]-[0-9]|[0-9a-f]{7}|\bwww\.|[0-9]\.[0-9]`)
	// numbered begins an item of a list.
	numbered   = regexp.MustCompile(`^[0-9]+[.)]`)
	punctuated = regexp.MustCompile(`^(["'(]*)(.*[^)"'.,;:?(])([)"'.,;:?]*)$`)
)

func isPlainWord(word string) bool {
	return plainWord.MatchString(word) && !referring.MatchString(word)
}

// MarkdownCode writes a text as code on a line of Markdown, of a table too. Tables are
// split at the bars of code as well (https://github.github.com/gfm/#example-200), so a bar
// stands outside of it.
func MarkdownCode(text string) string {
	parts := strings.Split(defuse(Visible(text)), "|")
	for i, part := range parts {
		if part == "" {
			continue
		}
		if part[0] == '`' || part[len(part)-1] == '`' || strings.TrimSpace(part) == "" || part[0] == ' ' && part[len(part)-1] == ' ' {
			part = " " + part + " " // one space on each side is none of the code
		}
		delimiter := strings.Repeat("`", longestRun(part)+1)
		parts[i] = delimiter + part + delimiter
	}
	return strings.Join(parts, "&#124;")
}

// HTMLCode writes a text as code for a place that takes HTML and no Markdown, such as a
// summary.
func HTMLCode(text string) string {
	return "<code>" + html.EscapeString(defuse(Visible(text))) + "</code>"
}

// MarkdownFence writes a text of several lines as a block of code, which no line of it ends.
func MarkdownFence(language, text string) string {
	text = command.ReplaceAllString(defuse(VisibleLines(strings.TrimSuffix(text, "\n"))), space+"/")
	fence := strings.Repeat("`", max(3, longestRun(text)+1))
	return fence + language + "\n" + text + "\n" + fence + "\n"
}

// longestRun gives the length of the longest run of backticks.
func longestRun(text string) int {
	most, run := 0, 0
	for i := range len(text) {
		if text[i] != '`' {
			run = 0
			continue
		}
		run++
		most = max(most, run)
	}
	return most
}

var (
	// closing matches what closes an issue at the merge. GitLab looks for it in the source of
	// descriptions, and forges do in messages of commits, which squashing makes of bodies:
	// https://docs.gitlab.com/user/project/issues/managing_issues/#default-closing-pattern,
	// https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue.
	closing = regexp.MustCompile(`(?i)\b((?:clos|fix|resolv|implement|reopen)(?:e|es|ed|s|d|ing)?:?)[ \t]+((?:issues?[ \t]+)?\S*(?:[#!]\d|-\d|://))`)
	// skipping keeps continuous integration from running:
	// https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs,
	// https://docs.gitlab.com/ci/pipelines/#skip-a-pipeline.
	skipping = regexp.MustCompile(`(?i)\[(skip|no|ci|actions)[ _-](ci|skip|actions)\]`)
	marking  = regexp.MustCompile(`<!--\s*pm-gitops`)
	// command matches the lines that GitLab and Prow run, in fences of more than three
	// backticks too:
	// https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/gitlab/quick_actions/extractor.rb.
	command = regexp.MustCompile(`(?m)^/`)
)

const space = "\u00a0" // one that separates nothing

// defuse takes apart what forges and we find in the source of Markdown, also within code:
// a no-break space comes in place of a space.
func defuse(text string) string {
	text = closing.ReplaceAllStringFunc(text, func(found string) string { return strings.NewReplacer(" ", space, "\t", space).Replace(found) })
	text = skipping.ReplaceAllString(text, "[${1}"+space+"${2}]")
	return marking.ReplaceAllString(text, "<!--"+space+"pm-gitops")
}
