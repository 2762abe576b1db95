package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/finding"
)

// TestColour: only a terminal gets colours, and only one that wants them.
func TestColour(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a := app{out: &output{w: file}, getenv: func(string) string { return "" }}
	if a.colour().on {
		t.Error("a file gets colours")
	}
	terminal, err := os.Open("/dev/null") // a device, as a terminal is
	if err != nil {
		t.Skip("no device to be had")
	}
	defer terminal.Close()
	for name, test := range map[string]struct {
		variables map[string]string
		want      bool
	}{
		"terminal": {nil, true}, "NO_COLOR": {map[string]string{"NO_COLOR": "1"}, false}, "dumb": {map[string]string{"TERM": "dumb"}, false},
	} {
		a := app{out: &output{w: terminal}, getenv: func(name string) string { return test.variables[name] }}
		if got := a.colour().on; got != test.want {
			t.Errorf("%s: colours %v, want %v", name, got, test.want)
		}
	}
	if got := (painter{true}).findings()(finding.Style(finding.Error), "error"); got != "\x1b[31merror\x1b[0m" {
		t.Errorf("an error is %q", got)
	}
}
