package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Unified is the differences as a unified diff of both sides, each object
// written the same way: keys sorted, secrets redacted. It is for people and
// for what shows diffs; since texts are normalised, it need not apply to the
// files.
func Unified(r Result, paint Paint) string {
	var b strings.Builder
	for _, c := range r.Changes {
		source := text.Visible(c.Source)
		from, to := "a/"+source, "b/"+source
		switch c.Kind {
		case Added:
			from = "/dev/null"
		case Removed:
			to = "/dev/null"
		}
		about := ""
		if c.Object.Kind != "" {
			about = "\t" + c.Object.String()
		}
		if c.Within != c.Source {
			about += " in " + text.Visible(c.Within)
		}
		fmt.Fprintln(&b, paint.paint(Title, "--- "+from+about))
		fmt.Fprintln(&b, paint.paint(Title, "+++ "+to+about))
		for line := range strings.Lines(c.hunks()) {
			fmt.Fprintln(&b, paint.line(strings.TrimSuffix(line, "\n")))
		}
	}
	return b.String()
}

// Files is a unified diff of a file before and after an edit; empty where both are the
// same. A file that is not there before, or after, is empty.
func Files(name, before, after string, paint Paint) string {
	if before == after {
		return ""
	}
	old, new, head := "a/"+name, "b/"+name, ""
	switch {
	case before == "":
		old, head = "/dev/null", fmt.Sprintf("@@ -0,0 +1,%d @@\n", strings.Count(after, "\n"))
	case after == "":
		new, head = "/dev/null", fmt.Sprintf("@@ -1,%d +0,0 @@\n", strings.Count(before, "\n"))
	}
	var b strings.Builder
	fmt.Fprintln(&b, paint.paint(Title, "--- "+old))
	fmt.Fprintln(&b, paint.paint(Title, "+++ "+new))
	for line := range strings.Lines(head + hunks(before, after)) {
		fmt.Fprintln(&b, paint.line(strings.TrimSuffix(line, "\n")))
	}
	return b.String()
}

// Settled is the result without the objects themselves, which take a hundred
// times the memory. Text and JSON need nothing of them; with hunks, what Unified
// and Markdown show of them is kept. Effects must be asked before.
func (r Result) Settled(hunks bool) Result {
	r.Changes = slices.Clone(r.Changes)
	several(len(r.Changes), func(i int) {
		c := &r.Changes[i]
		if hunks {
			c.written = c.hunks()
		}
		c.settled, c.old, c.new = true, unit{}, unit{}
	})
	return r
}

// hunks is the lines of a change, with line numbers.
func (c Change) hunks() string {
	if c.settled {
		return c.written
	}
	switch c.Kind {
	case Added:
		text := yamlOf(c.new.value)
		return fmt.Sprintf("@@ -0,0 +1,%d @@\n", strings.Count(text, "\n")) + signed("+", text)
	case Removed:
		text := yamlOf(c.old.value)
		return fmt.Sprintf("@@ -1,%d +0,0 @@\n", strings.Count(text, "\n")) + signed("-", text)
	}
	text := hunks(yamlOf(c.old.value), yamlOf(c.new.value))
	if text == "" {
		return "@@ @@ what differs is redacted\n"
	}
	return text
}

// JSON is the differences for programs: an object with changes, sorted, and a
// summary of how many are added, removed, changed and unchanged, and with
// effects of how many have each. A change has kind, within (the file, or the
// environment and release), source, object (apiVersion, kind, namespace,
// name), edits (op: add, remove, change or move; path; old; new) and effect
// (action, fields, why, source). Its errors say what could not be compared. Fields are
// only ever added.
func JSON(r Result) ([]byte, error) {
	out := struct {
		Changes []Change `json:"changes"`
		Summary summary  `json:"summary"`
		Errors  []string `json:"errors"`
	}{r.Changes, summary{r.Count(Added), r.Count(Removed), r.Count(Changed), r.Unchanged, nil}, append([]string{}, r.Errors...)}
	if out.Changes == nil {
		out.Changes = []Change{}
	}
	for action, n := range r.actions() {
		if out.Summary.Effects == nil {
			out.Summary.Effects = map[Action]int{}
		}
		out.Summary.Effects[action] = n
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		return nil, fmt.Errorf("write the differences: %w", err)
	}
	return b.Bytes(), nil
}

type summary struct {
	Added     int            `json:"added"`
	Removed   int            `json:"removed"`
	Changed   int            `json:"changed"`
	Unchanged int            `json:"unchanged"`
	Effects   map[Action]int `json:"effects,omitempty"`
}
