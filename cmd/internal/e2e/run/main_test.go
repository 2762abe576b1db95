package main

import (
	"io"
	"strings"
	"testing"
)

// What go test -json prints of a test with two parts, of which one is skipped,
// of one that fails and of one that passes.
const printed = `{"Action":"run","Test":"TestParts"}
{"Action":"output","Test":"TestParts/argo","Output":"argocd could not be built\n"}
{"Action":"skip","Test":"TestParts/argo","Elapsed":0}
{"Action":"pass","Test":"TestParts/flux","Elapsed":1}
{"Action":"pass","Test":"TestParts","Elapsed":1}
{"Action":"fail","Test":"TestFails","Elapsed":1}
{"Action":"pass","Test":"TestPasses","Elapsed":1}
{"Action":"fail"}
`

// A part that is skipped counts, though the test that it is of passes: what was
// not played has proved nothing.
func TestTally(t *testing.T) {
	var out strings.Builder
	got := tally{out: &out, output: map[string][]string{}}
	got.read(strings.NewReader(printed))
	if got.passed != 2 || got.failed != 1 || got.skipped != 1 {
		t.Errorf("%d passed, %d failed, %d skipped, want 2, 1 and 1", got.passed, got.failed, got.skipped)
	}
	if !strings.Contains(out.String(), "skip TestParts/argo (0.0s)\nargocd could not be built\n") {
		t.Errorf("what a skipped test says is not printed:\n%s", out.String())
	}
	quiet := tally{out: io.Discard, output: map[string][]string{}}
	quiet.read(strings.NewReader("not JSON\n"))
	if quiet.passed+quiet.failed+quiet.skipped != 0 {
		t.Errorf("a line that is no event counts: %+v", quiet)
	}
}
