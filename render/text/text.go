// Package text prepares texts for messages: it keeps foreign text from steering
// a terminal or becoming markup, and it suggests the right name for a wrong one.
package text

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible writes out what a reader of a text would not see, or that would steer a
// terminal, as Go writes it: control characters, line ends and tabs included,
// characters that turn the direction of reading, invisible characters, and bytes that
// are no UTF-8. Text from a file or a file's name must not look like another line of
// output either.
//
// Nor is it a command to a runner of pipelines, some of which look for ##[command] and
// its like anywhere in a line
// (https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs,
// https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands).
func Visible(text string) string {
	if isPlain(text, "") {
		return text
	}
	return writeOut(text, false)
}

// VisibleLines does as [Visible] for a text of several lines, whose line ends and tabs stay.
// A line that a runner would take for a command, ::error:: and the like, gets a bar
// before it.
func VisibleLines(text string) string {
	if isPlain(text, "\n\t") && !strings.Contains(text, "::") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") {
			b.WriteString("| ")
		}
		content, isWhole := strings.CutSuffix(line, "\n")
		if !isPlain(content, "\t") {
			content = writeOut(content, true)
		}
		b.WriteString(content)
		if isWhole {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// isPlain reports whether a text is printable ASCII, or one of some characters more, and holds
// no command to a runner. Nearly all text is.
func isPlain(text, more string) bool {
	for i := range len(text) {
		if c := text[i]; (c < ' ' || c > '~') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return !strings.Contains(text, "##")
}

var runnerCommand = regexp.MustCompile(`##(\w*)\[`)

func writeOut(text string, tabs bool) string {
	text = runnerCommand.ReplaceAllString(text, "## $1[")
	var b strings.Builder
	before := ' '
	for i, size := 0, 0; i < len(text); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case tabs && r == '\t', isVisible(r), r == emoji && before > unicode.MaxASCII:
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			r = ' '
		}
		before = r
	}
	return b.String()
}

// emoji is the invisible character behind another one that makes it an emoji.
const emoji = '\ufe0f'

// isVisible reports whether a reader sees a character. To Go, letters and marks that
// fonts draw nothing for, such as the Hangul filler, are printable.
func isVisible(r rune) bool {
	return unicode.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// plainName matches the names of objects and containers
// (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
var plainName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)

// Argument gives a name for a command that a person may paste. What is no name of
// Kubernetes is quoted for the shell: a server, or a file of a repository, says it.
func Argument(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return "'" + strings.ReplaceAll(Visible(name), "'", `'\''`) + "'"
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

// ShellArgument writes a text as one word of a POSIX shell, in quotes where it needs them.
func ShellArgument(text string) string {
	// No shell takes these for anything else, in any place.
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@,+"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return ShellWord(text)
}

// ShellWord writes a text as one word of a POSIX shell, in quotes.
func ShellWord(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
