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
	got := tally{out: &out, actions: map[string]string{}, output: map[string][]string{}}
	got.read(strings.NewReader(printed))
	if got.passed != 2 || got.failed != 1 || got.skipped != 1 {
		t.Errorf("%d passed, %d failed, %d skipped, want 2, 1 and 1", got.passed, got.failed, got.skipped)
	}
	if !strings.Contains(out.String(), "skip TestParts/argo (0.0s)\nargocd could not be built\n") {
		t.Errorf("what a skipped test says is not printed:\n%s", out.String())
	}
	quiet := tally{out: io.Discard, actions: map[string]string{}, output: map[string][]string{}}
	quiet.read(strings.NewReader("not JSON\n"))
	if quiet.passed+quiet.failed+quiet.skipped != 0 {
		t.Errorf("a line that is no event counts: %+v", quiet)
	}
}

// A test that fails and passes when it is played once more is flaky, and counts as
// passed; one that fails again, or is not there again, failed.
func TestJudge(t *testing.T) {
	const first = `{"Action":"fail","Test":"TestOnce"}
{"Action":"fail","Test":"TestTwice"}
{"Action":"fail","Test":"TestGone"}
{"Action":"pass","Test":"TestPasses"}
`
	const second = `{"Action":"pass","Test":"TestOnce"}
{"Action":"fail","Test":"TestTwice"}
`
	var out strings.Builder
	played := tally{out: &out, actions: map[string]string{}, output: map[string][]string{}}
	played.read(strings.NewReader(first))
	again := tally{out: io.Discard, actions: map[string]string{}, output: map[string][]string{}}
	again.read(strings.NewReader(second))
	played.judge(again)
	if played.passed != 2 || played.failed != 2 || played.flaky != 1 {
		t.Errorf("%d passed, %d failed, %d flaky, want 2, 2 and 1", played.passed, played.failed, played.flaky)
	}
	if !strings.HasSuffix(out.String(), "\nflaky: TestOnce\n") {
		t.Errorf("the flaky test is not named:\n%s", out.String())
	}
}
