package cli

import (
	"os"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/console"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// marked paints as a test can read it.
func marked(code, text string) string { return "<" + code + ">" + text + "</>" }

// TestColour: only a terminal gets colours, and only one that wants them.
func TestColour(t *testing.T) {
	device, err := os.Open(os.DevNull) // as a terminal is one
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	for name, test := range map[string]struct {
		out       *console.Stream
		variables map[string]string
		want      bool
	}{
		"terminal": {console.New(device), nil, true},
		"NO_COLOR": {console.New(device), map[string]string{"NO_COLOR": "1"}, false},
		"dumb":     {console.New(device), map[string]string{"TERM": "dumb"}, false},
		"a pipe":   {console.New(nil), nil, false},
	} {
		a := app{out: test.out, getenv: func(name string) string { return test.variables[name] }}
		if got := a.colour() != nil; got != test.want {
			t.Errorf("%s: colours %v, want %v", name, got, test.want)
		}
	}
	if got := painter(marked).findings()(finding.Style(finding.Error), "error"); got != "<31>error</>" {
		t.Errorf("an error is %q", got)
	}
}
