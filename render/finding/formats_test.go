package finding

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// makeOdd makes a finding whose every text tries to be something else.
func makeOdd() Finding {
	const text = "a%b, c:d\r\n::error::x | `code` <b>@all</b> #9876 [l](https://e.vil) \\*"
	return Finding{
		ID: "load-balancer", Severity: Warning, Environment: "prod", Release: "app", Object: &Object{Kind: "Service", Name: text, Namespace: "apps"},
		Field: "spec.type", File: "envs/a b%,:.yaml", Line: 3, Column: 5, Setting: "spec", Message: text, Fix: text, Certainty: Proved,
	}
}

func report(found ...Finding) Report { return NewReport(found, Info) }

// locate knows files of a repository by their names.
func locate(file string) string {
	if strings.HasPrefix(file, "<") {
		return ""
	}
	return file
}

// TestText: a person reads the findings below the release that they are of,
// then what is accepted, then how many there are.
func TestText(t *testing.T) {
	worst := Finding{ID: "bad-name", Severity: Error, Environment: "prod", Release: "app", Object: &Object{Kind: "Job", Name: "x"}, Message: "the name is bad", Setting: "spec"}
	known := Finding{ID: "load-balancer", Severity: Warning, Environment: "prod", Release: "app", Source: "a.yaml", Message: "no address", Fix: "say one", Certainty: Proved, File: "prod.yaml", Line: 3, Column: 5, Setting: "spec.a"}
	next := Finding{ID: "bad-name", Severity: Error, Environment: "test", Object: &Object{Kind: "Job", Name: "x"}, Field: "metadata.name", Message: "the name is bad", File: "test.yaml", Setting: "spec"}
	hidden, ignored, also := next, worst, worst
	hidden.Severity, ignored.Ignored = Info, "we\nknow"
	also.Ignored, also.Object = ignored.Ignored, &Object{Kind: "Job", Name: "y"}
	found := []Finding{worst, known, next, hidden, ignored, also}
	const want = `<title>prod app</title>
  <error>error</error> bad-name Job/x
    the name is bad
    at  spec
  <warning>warning</warning> load-balancer a.yaml
    no address
    at  prod.yaml:3:5: spec.a
    fix say one

<title>test</title>
  <error>error</error> bad-name Job/x (metadata.name)
    the name is bad
    at  test.yaml: spec

accepted in prod app: bad-name Job/x: we\nknow
    also Job/y
2 errors, 1 warning in 2 environments; 1 less severe not shown; 2 accepted
`
	tags := func(style Style, text string) string { return fmt.Sprintf("<%s>%s</%s>", style, text, style) }
	if got := Text(NewReport(found, Warning), 2, tags); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	plain := strings.NewReplacer("<title>", "", "</title>", "", "<error>", "", "</error>", "", "<warning>", "", "</warning>", "").Replace(want)
	if got := Text(NewReport(found, Warning), 2, nil); got != plain {
		t.Errorf("got\n%s\nwant\n%s", got, plain)
	}
	if got := Text(report(), 1, nil); got != "nothing found in 1 environment\n" {
		t.Errorf("of nothing it is %q", got)
	}
}

// TestTextIsVisible: no text of a finding begins a line of its own or steers a
// terminal, whatever made the finding.
func TestTextIsVisible(t *testing.T) {
	const text = "a\x1b[31m\r\nb\u202e"
	f := Finding{ID: text, Severity: Error, Environment: text, Release: text, Object: &Object{Kind: text, Name: text}, Field: text, File: text, Setting: text, Message: text, Fix: text}
	also, ignored := f, f
	also.Object = &Object{Kind: "Job", Name: text}
	ignored.Ignored = text
	got := Text(report(f, also, ignored), 1, nil)
	if strings.ContainsAny(got, "\x1b\r\u202e") || strings.Count(got, "\n") != 9 {
		t.Errorf("got %q", got)
	}
}

// TestGitHub: one line a finding, whatever is in it, and no property ends
// before its end.
func TestGitHub(t *testing.T) {
	const text = "a%25b, c:d%0D%0A::error::x | `code` <b>@all</b> #9876 [l](https://e.vil) \\*"
	want := "::warning file=envs/a b%25%2C%3A.yaml,line=3,col=5,title=load-balancer (prod app)::Service/" + text + " (spec.type): " + text + "%0AFix: " + text + "\n"
	if got := GitHub(report(makeOdd()), locate); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, test := range []struct {
		finding Finding
		want    string
	}{
		{Finding{ID: "a:b", Severity: Error, Environment: "x,y", File: "<stdin>", Line: 3, Message: "m"}, "::error title=a%3Ab (x%2Cy)::m\n"},
		{Finding{ID: "a", Severity: Info, Environment: "e", File: "f", Source: "t.yaml", Message: "m"}, "::notice file=f,title=a (e)::t.yaml: m\n"},
		{Finding{ID: "a", Severity: Error, Ignored: "why"}, ""},
	} {
		if got := GitHub(report(test.finding), locate); got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
}

// TestAlikeFindingsAreReadOnce: what one value ends is one entry that names the
// other objects, in every format that people read; the count is that of all.
func TestAlikeFindingsAreReadOnce(t *testing.T) {
	var found []Finding
	for i := range 30 {
		f := makeOdd()
		f.Message, f.Object = "no address", &Object{Kind: "Service", Name: fmt.Sprintf("s%02d", i)}
		found = append(found, f, f) // an object that is found twice is named once
	}
	other := found[3]
	other.Severity = Error
	r := report(append(found, other)...)
	for name, text := range map[string]string{"text": Text(r, 1, nil), "github": GitHub(r, locate), "markdown": Markdown(r, "check")} {
		if n := strings.Count(text, "no address"); n != 2 {
			t.Errorf("%s: told %d times, want 2:\n%s", name, n, text)
		}
		if text = strings.ReplaceAll(text, "`", ""); !strings.Contains(text, "Service/s01, Service/s02,") || !strings.Contains(text, "Service/s19, and 10 more") || strings.Contains(text, "s20") {
			t.Errorf("%s: the others are not named:\n%s", name, text)
		}
		if name != "github" && !strings.Contains(text, "1 error, 60 warnings") {
			t.Errorf("%s: wrong count:\n%s", name, text)
		}
	}
}

// TestGuesses: in no format a guess or an advice is called a fix, and the reason
// for which it is a guess is in it.
func TestGuesses(t *testing.T) {
	for _, tt := range []struct {
		certainty Certainty
		label     string
	}{{Proved, "Fix"}, {Guess, "Guess"}, {Advice, "Advice"}, {"", "Advice"}} {
		f := Finding{ID: "a", Severity: Error, Environment: "e", Message: "m", Fix: "set b", Certainty: tt.certainty}
		want := tt.label + ": set b"
		if tt.certainty == Guess {
			f.Doubt = "c changes too"
			want += " (c changes too)"
		}
		r := report(f)
		sarif, quality := SARIF(r, Tool{}, locate), CodeQuality(r, locate)
		for format, got := range map[string]string{
			"text":   strings.ReplaceAll(Text(r, 1, nil), strings.ToLower(tt.label)+" set b", tt.label+": set b"),
			"github": GitHub(r, locate), "markdown": Markdown(r, "check"),
			"sarif": sarif.Runs[0].Results[0].Message.Text, "gitlab": quality[0].Description,
		} {
			if !strings.Contains(got, want) || tt.label != "Fix" && strings.Contains(strings.ToLower(got), "fix") {
				t.Errorf("%s of %q: got %s, want %s", format, tt.certainty, got, want)
			}
		}
	}
}

// TestGroupAlike: findings that differ in more than their objects are not alike.
func TestGroupAlike(t *testing.T) {
	found := []Finding{makeOdd()}
	for _, change := range []func(*Finding){
		func(f *Finding) { f.ID = "x" }, func(f *Finding) { f.Severity = Info }, func(f *Finding) { f.Environment = "x" },
		func(f *Finding) { f.Release = "x" }, func(f *Finding) { f.Message = "x" }, func(f *Finding) { f.Setting = "x" },
		func(f *Finding) { f.File = "x" }, func(f *Finding) { f.Fix = "x" }, func(f *Finding) { f.Certainty = Guess }, func(f *Finding) { f.Ignored = "x" },
	} {
		f := makeOdd()
		change(&f)
		found = append(found, f)
	}
	if got := groupAlike(found); len(got) != len(found) {
		t.Errorf("%d groups, want %d", len(got), len(found))
	}
	alike := makeOdd()
	alike.Object, alike.Field, alike.Source, alike.Line = nil, "x", "x", 90
	if got := groupAlike([]Finding{makeOdd(), alike}); len(got) != 1 || len(got[0]) != 2 {
		t.Errorf("%d groups, want 1", len(got))
	}
}

// TestMarkdown: a text is a text in a cell, and a report fits into a comment.
func TestMarkdown(t *testing.T) {
	one := strings.Split(Markdown(report(makeOdd()), "pm-gitops check"), "\n")
	if one[0] != "<!-- pm-gitops check -->" || one[1] != "### pm-gitops check: 1 warning" {
		t.Errorf("it begins with %q", one[:2])
	}
	row := one[5]
	outside := regexp.MustCompile("``.*?[^`]``|`[^`]*`").ReplaceAllString(row, "") // of code
	outside = strings.NewReplacer("<br>", "", "&#124;", "").Replace(outside)
	if strings.Count(row, "|") != 6 || strings.ContainsAny(outside, "`<[*#&") {
		t.Errorf("the row is %s", row)
	}
	for _, active := range []string{"@all", "9876", "https://"} {
		if strings.Contains(outside, active) {
			t.Errorf("%s in %s", active, row)
		}
	}
	var lots []Finding
	for i := range 2000 {
		f := makeOdd()
		f.Message += fmt.Sprint(i)
		ignored := f
		ignored.Ignored = "why | not"
		lots = append(lots, f, ignored)
	}
	all := Markdown(report(lots...), "pm-gitops check")
	if len(all) > maxMarkdown+200 || strings.Count(all, " more.\n") != 2 || strings.Count(all, "<details>") != 1 || strings.Count(all, "</details>") != 1 {
		t.Errorf("the report has %d bytes and ends with %s", len(all), all[len(all)-200:])
	}
	shown := strings.Count(all, "| warning |")
	if !strings.Contains(all, fmt.Sprintf("\nand %d more.\n", 2000-shown)) {
		t.Errorf("%d findings are shown, and another number is said to be left out", shown)
	}
	if !strings.Contains(all, " | why &#124; not |\n") {
		t.Error("the reason of what is accepted is no cell")
	}
	less := Markdown(NewReport([]Finding{makeOdd()}, Error), "x")
	if less != "<!-- x -->\n### x: nothing found\n\n1 less severe not shown.\n" {
		t.Errorf("got %q", less)
	}
}

// TestWriteRows: behind the first row that does not fit there is none, and every
// finding that is left out counts.
func TestWriteRows(t *testing.T) {
	var b strings.Builder
	groups := [][]Finding{{{ID: "aaa"}}, {{ID: "bbbbbb"}, {ID: "b"}}, {{ID: "c"}, {ID: "c"}, {ID: "c"}}}
	writeRows(&b, groups, 6, func(alike []Finding) string { return alike[0].ID + "\n" })
	if got := b.String(); got != "aaa\n\nand 5 more.\n" {
		t.Errorf("got %q", got)
	}
}

// TestSARIF: the log has what the standard requires, every result points to a
// rule of its own ID, and what is accepted says why.
func TestSARIF(t *testing.T) {
	accepted, anywhere := makeOdd(), Finding{ID: "bad-name", Severity: Error, File: "<stdin>", Line: 7, Message: "m"}
	accepted.Ignored, accepted.Severity, accepted.Line = "we know", Info, 0
	tool := Tool{Name: "tool", Version: "v1", URL: "https://tool", Rules: []Rule{
		{ID: "bad-name", Severity: Error, Title: "A title", Why: "Why.", Fix: "Fix.", Page: "## Page", Source: "https://source"},
		{ID: "load-balancer", Severity: Info},
	}}
	data, err := json.Marshal(SARIF(report(makeOdd(), accepted, anywhere), tool, locate))
	if err != nil {
		t.Fatal(err)
	}
	var log Log
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(run.Results) != 3 || run.Tool.Driver.Name != "tool" || run.Tool.Driver.Version != "v1" || run.Tool.Driver.InformationURI != "https://tool" {
		t.Fatalf("the log is %s", data)
	}
	rules := run.Tool.Driver.Rules
	if len(rules) != 2 || rules[0] != (sarifRule{"bad-name", sarifText{Text: "A title"}, sarifText{Text: "Why."}, "https://source", sarifText{"Fix.", "## Page"}, sarifRuleLevel{"error"}}) || rules[1].DefaultConfiguration.Level != "note" {
		t.Errorf("rules %+v", rules)
	}
	for i, level := range []string{"warning", "error", "note"} { // what is accepted is the last
		result := run.Results[i]
		if rules[result.RuleIndex].ID != result.RuleID || result.Level != level || result.PartialFingerprints["pmGitopsFinding/v1"] == "" {
			t.Errorf("result %+v", result)
		}
	}
	odd, known := run.Results[0], run.Results[2]
	if text := makeOdd().Message; odd.Message.Text != "Service/"+text+" (spec.type): "+text+". Fix: "+text || run.Results[1].Message.Text != "m" {
		t.Errorf("messages %q and %q", odd.Message.Text, run.Results[1].Message.Text)
	}
	at := odd.Locations[0].PhysicalLocation
	if at.ArtifactLocation != (sarifArtifact{"envs/a%20b%25,:.yaml", "%SRCROOT%"}) || *at.Region != (sarifRegion{3, 5}) || known.Locations[0].PhysicalLocation.Region != nil {
		t.Errorf("location %+v %+v, without a line %+v", at.ArtifactLocation, at.Region, known.Locations[0].PhysicalLocation.Region)
	}
	if logical := odd.Locations[0].LogicalLocations; len(logical) != 1 || logical[0].FullyQualifiedName != "prod/app/Service/apps/"+makeOdd().Object.Name {
		t.Errorf("logical locations %+v", logical)
	}
	// GitHub refuses a result without a physical location.
	if at := run.Results[1].Locations; len(at) != 1 || at[0].PhysicalLocation.ArtifactLocation.URI != "stdin" {
		t.Errorf("a finding without a file has locations %+v", at)
	}
	if len(odd.Suppressions) != 0 || len(known.Suppressions) != 1 || known.Suppressions[0] != (sarifSuppression{"external", "we know"}) {
		t.Errorf("suppressions %+v and %+v", odd.Suppressions, known.Suppressions)
	}
	if !strings.Contains(string(data), `"suppressions":[]`) { // absent would say: not known
		t.Error("a result without suppressions does not say so")
	}
}

// TestSARIFWithoutRule: a finding of no rule points to none.
func TestSARIFWithoutRule(t *testing.T) {
	log := SARIF(report(Finding{ID: "x"}), Tool{Rules: []Rule{{ID: "a"}}}, locate)
	if got := log.Runs[0].Results[0].RuleIndex; got != -1 {
		t.Errorf("it points to rule %d", got)
	}
}

// TestEmptySARIF: nothing found and no rules are lists, as the standard wants.
func TestEmptySARIF(t *testing.T) {
	data, err := json.Marshal(SARIF(report(), Tool{}, locate))
	if err != nil || !strings.Contains(string(data), `"rules":[]`) || !strings.Contains(string(data), `"results":[]`) {
		t.Errorf("the log is %s, %v", data, err)
	}
}

// TestFingerprint: a finding is the same when its line moves, and another one
// at another object or field.
func TestFingerprint(t *testing.T) {
	odd := fingerprint(makeOdd())
	moved := makeOdd()
	moved.Line, moved.Column, moved.Fix, moved.Message, moved.Severity = 90, 9, "otherwise", "otherwise", Error
	if fingerprint(moved) != odd {
		t.Error("it follows the line or the text")
	}
	for name, change := range map[string]func(*Finding){
		"id": func(f *Finding) { f.ID = "x" }, "environment": func(f *Finding) { f.Environment = "x" }, "release": func(f *Finding) { f.Release = "x" },
		"template": func(f *Finding) { f.Source = "x" }, "field": func(f *Finding) { f.Field = "x" },
		"object": func(f *Finding) { f.Object = &Object{Kind: "Service", Name: "x", Namespace: "apps"} }, "no object": func(f *Finding) { f.Object = nil },
	} {
		f := makeOdd()
		if change(&f); fingerprint(f) == odd {
			t.Errorf("it is the same with another %s", name)
		}
	}
	setting := Finding{ID: "a", Setting: "spec.a", Message: "m"}
	other := setting
	if other.Setting = "spec.b"; fingerprint(other) == fingerprint(setting) {
		t.Error("it is the same at another setting")
	}
}

// TestCodeQuality holds the report to GitLab's format: every field is required, the
// severity is one of five words, and no two issues share a fingerprint.
// https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
func TestCodeQuality(t *testing.T) {
	alike := Finding{ID: "bad-name", Severity: Error, Environment: "prod", Object: &Object{Kind: "Job", Name: "x"}, Message: "one", File: "<standard input>"}
	also, ignored := alike, alike
	also.Message = "two"
	ignored.Ignored = "we know"
	data, err := json.Marshal(CodeQuality(report(makeOdd(), alike, also, ignored, Finding{ID: "x", Severity: Info, Message: "m", File: "a.yaml", Line: 7}), locate))
	if err != nil {
		t.Fatal(err)
	}
	var issues []struct {
		Description, Fingerprint, Severity string
		CheckName                          string `json:"check_name"`
		Location                           struct {
			Path  string
			Lines struct{ Begin int }
		}
	}
	if err := json.Unmarshal(data, &issues); err != nil {
		t.Fatal(err)
	}
	fingerprints, places := map[string]bool{}, []string{}
	for _, issue := range issues {
		if issue.Description == "" || issue.CheckName == "" || fingerprints[issue.Fingerprint] {
			t.Errorf("issue %+v", issue)
		}
		fingerprints[issue.Fingerprint] = true
		places = append(places, fmt.Sprintf("%s %s:%d", issue.Severity, issue.Location.Path, issue.Location.Lines.Begin))
	}
	if got, want := strings.Join(places, ", "), "minor envs/a b%,:.yaml:3, critical stdin:1, critical stdin:1, info a.yaml:7"; got != want {
		t.Errorf("issues %s, want %s", got, want)
	}
	if data, err := json.Marshal(CodeQuality(report(), locate)); err != nil || string(data) != "[]" {
		t.Errorf("nothing found is %s, %v", data, err)
	}
}
