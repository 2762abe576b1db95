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

// harmless makes a stranger's text one whose lines stay what they are, and cannot
// steer the terminal. Such characters are written out for people to see.
func harmless(text string) string {
	text = strings.ReplaceAll(text, "\r", "\x00")
	text = strings.ReplaceAll(text, "\x00\n", "\r\n")
	return writeOut(text, func(r rune) string { return fmt.Sprintf("%+q", string(r)) })
}

// harmlessJSON does as harmless for JSON, which stays the same value.
func harmlessJSON(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return writeOut(strings.ReplaceAll(text, "\r", "\n"), escape)
}

// harmlessYAML does as harmless for YAML without comments, which stays the same
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
	return writeOut(string(quoted), escape), err
}

func quoteSteering(n *yamlnode.Node) {
	if n.Kind == yamlnode.ScalarNode && strings.ContainsFunc(n.Value, steers) {
		n.Style = yamlnode.DoubleQuotedStyle
	}
	for _, below := range n.Content {
		quoteSteering(below)
	}
}

// escape writes a character for a string of JSON or YAML. None that steers needs
// more than four digits.
func escape(r rune) string { return fmt.Sprintf(`\u%04x`, r) }

// writeOut writes out the characters of a text that steer a terminal.
func writeOut(text string, how func(rune) string) string {
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
