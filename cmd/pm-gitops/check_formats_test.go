package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// oddFinding is a finding whose every text tries to be something else.
func oddFinding() finding.Finding {
	const text = "a%b, c:d\n::error::x | `code` <b>@all</b> #9876 [l](https://e.vil) \\*"
	return finding.Finding{
		ID: "load-balancer", Severity: finding.Warning, Environment: "prod", Release: "app", Object: &finding.Object{Kind: "Service", Name: text, Namespace: "apps"},
		Field: "spec.type", File: "envs/a b%,:.yaml", Line: 3, Column: 5, Setting: "spec", Message: text, Fix: text,
	}
}

func reportOf(found ...finding.Finding) checkReport { return newCheckReport(found, finding.Info) }

// TestGitHubCommands: one line a finding, whatever is in it, and no property
// ends before its end.
func TestGitHubCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	got := githubCommands(reportOf(oddFinding()))
	if strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "::warning file=envs/a b%25%2C%3A.yaml,line=3,col=5,title=load-balancer (prod app)::Service/a%25b, c:d%0A::error::x") {
		t.Errorf("got %q", got)
	}
	info := oddFinding()
	info.Severity, info.File = finding.Info, "<stdin>"
	if got := githubCommands(reportOf(info)); !strings.HasPrefix(got, "::notice title=load-balancer (prod app)::") {
		t.Errorf("got %q", got)
	}
}

// TestAlikeFindingsAreReadOnce: what one value ends is one entry that names the
// other objects, in every format that people read; the count is that of all.
func TestAlikeFindingsAreReadOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	var found []finding.Finding
	for i := range 30 {
		f := oddFinding()
		f.Message, f.Object = "no address", &finding.Object{Kind: "Service", Name: fmt.Sprintf("s%02d", i)}
		found = append(found, f)
	}
	other := found[3]
	other.Severity = finding.Error
	report := reportOf(append(found, other)...)
	for name, text := range map[string]string{
		"text":     checkText(report, painter{}, 1),
		"github":   githubCommands(report),
		"markdown": checkMarkdown(report),
	} {
		if n := strings.Count(text, "no address"); n != 2 {
			t.Errorf("%s: told %d times, want 2:\n%s", name, n, text)
		}
		if !strings.Contains(text, "Service/s01, Service/s02,") || !strings.Contains(text, "Service/s20, and 9 more") || strings.Contains(text, "s21") {
			t.Errorf("%s: the others are not named:\n%s", name, text)
		}
		if name != "github" && !strings.Contains(text, "1 error, 30 warnings") {
			t.Errorf("%s: wrong count:\n%s", name, text)
		}
	}
}

// TestCheckMarkdown: a text is a text in a cell, and a report fits into a
// comment.
func TestCheckMarkdown(t *testing.T) {
	one := checkMarkdown(reportOf(oddFinding()))
	row := strings.Split(one, "\n")[5]
	if strings.Count(row, "|") != 6 || strings.ContainsAny(strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(row, "<br>", ""), "<!-- -->", ""), "`load-balancer`", ""), "`<[*") {
		t.Errorf("the row is %s", row)
	}
	for _, active := range []string{"@all", "#9876", "https://"} {
		if strings.Contains(row, active) {
			t.Errorf("%s in %s", active, row)
		}
	}
	var lots []finding.Finding
	for i := range 2000 {
		f := oddFinding()
		f.Message += fmt.Sprint(i)
		ignored := f
		ignored.Ignored = "why"
		lots = append(lots, f, ignored)
	}
	all := checkMarkdown(reportOf(lots...))
	if len(all) > mostMarkdown+200 || strings.Count(all, " more.\n") != 2 || strings.Count(all, "<details>") != strings.Count(all, "</details>") {
		t.Errorf("the report has %d bytes and ends with %s", len(all), all[len(all)-200:])
	}
}

// TestSARIF: the log has what the standard requires, every result points to a
// rule of its own ID, and what is accepted says why.
func TestSARIF(t *testing.T) {
	t.Chdir(t.TempDir())
	accepted := oddFinding()
	accepted.Ignored = "we know"
	data, err := json.Marshal(newSARIF(reportOf(oddFinding(), accepted)))
	if err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(run.Tool.Driver.Rules) != len(check.All()) || run.Tool.Driver.Name != "pm-gitops" {
		t.Fatalf("the log is %s", data)
	}
	for _, result := range run.Results {
		at := result.Locations[0].PhysicalLocation
		if run.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID || result.Level != "warning" || result.Message.Text == "" {
			t.Errorf("result %+v", result)
		}
		if at.ArtifactLocation.URI != "envs/a%20b%25,:.yaml" || *at.Region != (sarifRegion{3, 5}) {
			t.Errorf("location %+v %+v", at.ArtifactLocation, at.Region)
		}
	}
	if s := run.Results[1].Suppressions; len(s) != 1 || s[0].Justification != "we know" || len(run.Results[0].Suppressions) != 0 {
		t.Errorf("suppressions %+v and %+v", run.Results[0].Suppressions, s)
	}
	if !strings.Contains(string(data), `"suppressions":[]`) { // absent would say: not known
		t.Error("a result without suppressions does not say so")
	}
	for _, rule := range run.Tool.Driver.Rules {
		if !slices.Contains([]string{"error", "warning", "note"}, rule.DefaultConfiguration.Level) {
			t.Errorf("rule %s has level %s", rule.ID, rule.DefaultConfiguration.Level)
		}
	}
}

// TestFingerprint: a finding is the same when its line moves, and another one
// at another object or field.
func TestFingerprint(t *testing.T) {
	moved, object, field := oddFinding(), oddFinding(), oddFinding()
	moved.Line, moved.Fix, field.Field = 90, "otherwise", "spec"
	object.Object = &finding.Object{Kind: "Service", Name: "other"}
	if fingerprint(moved) != fingerprint(oddFinding()) || fingerprint(object) == fingerprint(oddFinding()) || fingerprint(field) == fingerprint(oddFinding()) {
		t.Error("fingerprints follow something else")
	}
}

// TestInRepository: code scanning wants paths from the top of the repository,
// wherever the program runs.
func TestInRepository(t *testing.T) {
	top := t.TempDir()
	if err := os.MkdirAll(filepath.Join(top, "envs", "eu"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(top, ".git"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(top, "envs"))
	for file, want := range map[string]string{
		"eu/prod.yaml": "envs/eu/prod.yaml", "../prod.yaml": "prod.yaml", filepath.Join(top, "a.yaml"): "a.yaml",
		"<stdin>": "", "<embedded>/catalog.yaml": "", "": "",
	} {
		if got := inRepository(file); got != want {
			t.Errorf("inRepository(%q) = %q, want %q", file, got, want)
		}
	}
}

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
	if got := (painter{true}).severity(finding.Error); got != "\x1b[31merror\x1b[0m" {
		t.Errorf("an error is %q", got)
	}
}
