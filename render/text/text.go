// Package text prepares texts for messages: it keeps foreign text from steering
// a terminal or becoming markup, and it suggests the right name for a wrong one.
package text

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Visible writes the control characters of a text out, line ends included, as
// Go writes them: text from a file or a file's name must not steer a terminal
// or look like another line of output.
//
// Nor is it a command to a runner of pipelines, some of which look for ##[command] and
// its like anywhere in a line
// (https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs,
// https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands).
func Visible(text string) string {
	if strings.Contains(text, "##") {
		text = runnerCommand.ReplaceAllString(text, "## $1[")
	}
	if !strings.ContainsFunc(text, invisible) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if invisible(r) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

var runnerCommand = regexp.MustCompile(`##(\w*)\[`)

func invisible(r rune) bool { return !unicode.IsPrint(r) }

// VisibleLines writes out every control character of a text but its line ends. A line
// that a runner would take for a command, ::error:: and the like, gets a bar before it.
func VisibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = Visible(line)
		if strings.HasPrefix(strings.TrimSpace(line), "::") {
			lines[i] = "| " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// Quoted quotes a text for a message as Go does, and cuts it, so that a message
// stays a line.
func Quoted(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return fmt.Sprintf("%q…", string(runes[:most]))
	}
	return fmt.Sprintf("%q", text)
}

// Count writes a number with its noun: 1 problem, 2 problems.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Clip cuts a foreign text that is too long for a message.
func Clip(text string) string {
	const most = 300
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}

// FirstLine returns the first line of a foreign text, visible and not too long for a
// message.
func FirstLine(foreign string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(foreign), "\n")
	return Clip(Visible(strings.TrimSpace(line)))
}
