package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/edit"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// tellEdited says what was edited, or would be.
func (a app) tellEdited(o setOptions, e edited) error {
	for _, other := range e.others {
		a.err.Say("%s extends what was edited, and may change too", other)
	}
	for _, err := range e.unknown {
		a.err.Say("warning: another file may extend what was edited: %s", err)
	}
	if o.output == "json" {
		return a.editedJSON(o, e)
	}
	if len(e.changes) == 0 {
		a.err.Say("%s: nothing to change", e.files[0].Name)
		return nil
	}
	if o.dryRun {
		shown := e.diff(a.colour().diff())
		if strings.TrimSpace(shown) == "" {
			a.err.Say("%s", onlySecrets)
		}
		return a.out.Text(shown)
	}
	for _, c := range e.changes {
		a.out.Say("%s", formatChange(c))
	}
	return nil
}

// onlySecrets says why a diff is empty.
const onlySecrets = "only values change that look like secrets, and are not shown"

// diff is a unified diff of the files that changed.
func (e edited) diff(paint diff.Paint) string { return diffFiles(e.changed(), paint) }

// diffFiles is a unified diff of files, with all that looks like a secret hidden.
func diffFiles(files []edit.File, paint diff.Paint) string {
	var b strings.Builder
	for _, f := range files {
		var before, after []byte
		if len(f.Old) > 0 {
			before = edit.Shown(f.Name, f.Old)
		}
		if len(f.New) > 0 {
			after = edit.Shown(f.Name, f.New)
		}
		b.WriteString(diff.Files(f.Name, string(before), string(after), paint))
	}
	return b.String()
}

func formatChange(c edit.Change) string {
	at := fmt.Sprintf("%s:%d: %s", c.File, c.Line, c.Path)
	was, is := text.Clip(c.Old), text.Clip(c.New)
	switch {
	case c.Op == edit.Remove:
		at += ": removed " + was
	case c.Op == edit.Move:
		at += " -> " + c.To
	case c.Old == "":
		at += ": added " + is
	default:
		at += ": " + was + " -> " + is
	}
	return at
}

// editedJSON prints edits as JSON, an interface: fields are only ever added.
func (a app) editedJSON(o setOptions, e edited) error {
	type change struct {
		Op   edit.Op `json:"op"`
		File string  `json:"file"`
		Line int     `json:"line"`
		Path string  `json:"path"`
		To   string  `json:"to,omitempty"`
		Old  string  `json:"old,omitempty"` // as YAML, on one line
		New  string  `json:"new,omitempty"`
	}
	result := struct {
		Changes []change `json:"changes"`
		Also    []string `json:"also"` // the other files that change with what they extend
		Written bool     `json:"written"`
		Diff    string   `json:"diff,omitempty"`
	}{Changes: []change{}, Also: append([]string{}, e.others...), Written: !o.dryRun && len(e.changes) > 0}
	for _, c := range e.changes {
		result.Changes = append(result.Changes, change(c))
	}
	if o.dryRun {
		result.Diff = e.diff(nil)
	}
	return a.printJSON(result)
}

// completePaths completes a PATH with the fields and values of the file that the flags
// name, each with the suffix, as far as it can be read.
func (a app) completePaths(ctx context.Context, in input, prefix, suffix string) []string {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	request, err := in.request(a)
	if err != nil {
		return nil
	}
	env, err := request.Editable(ctx)
	if err != nil {
		return nil
	}
	var paths []string
	for _, path := range env.Paths() {
		if strings.HasPrefix(path, prefix) {
			paths = append(paths, path+suffix)
		}
	}
	return paths
}
