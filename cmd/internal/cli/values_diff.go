package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// compared is two charts and how their values differ, in JSON.
type compared struct {
	From chartVersion `json:"from"`
	To   chartVersion `json:"to"`
	keys.Changes
}

type chartVersion struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// diffValues prints how the values of two charts differ.
func (a app) diffValues(o valuesOptions, from, to charts.Chart) error {
	changes, err := keys.Compare(from.Chart, to.Chart)
	if err != nil {
		return err
	}
	c := compared{chartVersion{from.Name(), from.Version()}, chartVersion{to.Name(), to.Version()}, changes}
	if o.output == "json" {
		var out bytes.Buffer
		if err := (app{out: &out}).printJSON(c); err != nil {
			return err
		}
		if _, err := fmt.Fprint(a.out, harmlessJSON(out.String())); err != nil {
			return err
		}
	} else {
		a.printDifferences(c)
	}
	if changes.None() {
		return nil
	}
	return foundError{errors.New("the default values differ")}
}

func (a app) printDifferences(c compared) {
	line := func(format string, args ...any) { fmt.Fprintln(a.out, text.Visible(fmt.Sprintf(format, args...))) }
	line("%s %s -> %s %s", c.From.Name, c.From.Version, c.To.Name, c.To.Version)
	if c.None() {
		line("no default value differs")
	}
	for _, d := range c.Removed {
		line("- %s: %s", d.Path, formatInline(d.Value))
	}
	for _, d := range c.Added {
		line("+ %s: %s", d.Path, formatInline(d.Value))
	}
	for _, d := range c.Changed {
		line("~ %s: %s -> %s", d.Path, formatInline(d.Old), formatInline(d.New))
	}
	for _, d := range c.Moved {
		line("> %s -> %s: %s (a guess: same value, similar name)", d.From, d.To, formatInline(d.Value))
	}
	for _, path := range c.NowRequired {
		line("! %s: required now", path)
	}
	for _, path := range c.NoLongerRequired {
		line("! %s: no longer required", path)
	}
}

// formatInline writes a value on one line, as JSON, which is YAML too.
func formatInline(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
