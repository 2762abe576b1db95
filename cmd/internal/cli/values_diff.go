package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
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
		data, err := encodeJSON(c, "  ")
		if err = cmp.Or(err, a.out.Raw([]byte(harmlessJSON(string(data))))); err != nil {
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
	a.out.Say("%s %s -> %s %s", c.From.Name, c.From.Version, c.To.Name, c.To.Version)
	if c.None() {
		a.out.Say("no default value differs")
	}
	for _, d := range c.Removed {
		a.out.Say("- %s: %s", d.Path, formatInline(d.Value))
	}
	for _, d := range c.Added {
		a.out.Say("+ %s: %s", d.Path, formatInline(d.Value))
	}
	for _, d := range c.Changed {
		a.out.Say("~ %s: %s -> %s", d.Path, formatInline(d.Old), formatInline(d.New))
	}
	for _, d := range c.Moved {
		a.out.Say("> %s -> %s: %s (a guess: same value, similar name)", d.From, d.To, formatInline(d.Value))
	}
	for _, path := range c.NowRequired {
		a.out.Say("! %s: required now", path)
	}
	for _, path := range c.NoLongerRequired {
		a.out.Say("! %s: no longer required", path)
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
