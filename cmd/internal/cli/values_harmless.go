package cli

import (
	"fmt"
	"strings"
	"unicode"

	yamlnode "go.yaml.in/yaml/v3"
)

// steers reports whether a character of a stranger's text can steer the
// terminal, or turn around what is read there. Line ends and tabs do not.
func steers(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' || unicode.Is(unicode.Bidi_Control, r)
}

// harmless is a text of a stranger whose lines stay what they are, and cannot
// steer the terminal. Such characters are written out for people to see.
func harmless(text string) string {
	text = strings.ReplaceAll(text, "\r", "\x00")
	text = strings.ReplaceAll(text, "\x00\n", "\r\n")
	return writtenOut(text, func(r rune) string { return fmt.Sprintf("%+q", string(r)) })
}

// harmlessJSON is harmless for JSON, which stays the same value.
func harmlessJSON(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return writtenOut(strings.ReplaceAll(text, "\r", "\n"), escaped)
}

// harmlessYAML is harmless for YAML without comments, which stays the same
// value: only what is quoted can be written out.
func harmlessYAML(text string) (string, error) {
	if !strings.ContainsFunc(text, steers) {
		return text, nil
	}
	var root yamlnode.Node
	if err := yamlnode.Unmarshal([]byte(text), &root); err != nil {
		return "", fmt.Errorf("print YAML: %w", err)
	}
	quoteSteering(&root)
	quoted, err := yamlnode.Marshal(&root)
	return writtenOut(string(quoted), escaped), err
}

func quoteSteering(n *yamlnode.Node) {
	if n.Kind == yamlnode.ScalarNode && strings.ContainsFunc(n.Value, steers) {
		n.Style = yamlnode.DoubleQuotedStyle
	}
	for _, below := range n.Content {
		quoteSteering(below)
	}
}

// escaped is a character in a string of JSON or YAML. None that steers needs
// more than four digits.
func escaped(r rune) string { return fmt.Sprintf(`\u%04x`, r) }

// writtenOut is a text with what steers written out.
func writtenOut(text string, how func(rune) string) string {
	if !strings.ContainsFunc(text, steers) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if steers(r) {
			b.WriteString(how(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
