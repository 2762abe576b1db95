package cli

import (
	"fmt"
	"slices"
	"strings"
)

// chartNotes collects what looking into charts cannot know. An environment is looked at more
// than once, and many have the same charts: each note is for the end of a run.
type chartNotes struct {
	notes []string
	of    map[string][]string // environments, by note
}

// maxNamed bounds the environments that a note names.
const maxNamed = 3

func (n *chartNotes) add(environment, note string) {
	if n.of[note] == nil {
		n.notes = append(n.notes, note)
	}
	if !slices.Contains(n.of[note], environment) {
		n.of[note] = append(n.of[note], environment)
	}
}

// lines gives each note once. Of a run of several environments each names those that it is about.
func (n *chartNotes) lines(several bool) []string {
	var all []string
	for _, note := range n.notes {
		if several {
			names := n.of[note]
			named := strings.Join(names[:min(len(names), maxNamed)], ", ")
			if more := len(names) - maxNamed; more > 0 {
				named += fmt.Sprintf(" and %d more", more)
			}
			note = fmt.Sprintf("note: %s: %s", named, strings.TrimPrefix(note, "note: "))
		}
		all = append(all, note)
	}
	return all
}
