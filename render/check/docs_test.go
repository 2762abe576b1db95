package check_test

import (
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

var update = flag.Bool("update", false, "rewrite docs/checks.md and the golden files")

const docsHead = `# Checks

What ` + "`pm-gitops check`" + ` looks for in the objects that a controller will apply, each with an example. This page is made
from the checks themselves (` + "`go test ./render/check -update`" + `); ` + "`pm-gitops check --explain ID`" + ` prints a section of it.

An **error** breaks the installation or an upgrade of it, a **warning** may, or is not for production, an **info** is good to
know. ` + "`--severity`" + ` (default warning) is the least that is shown, and that makes the exit code 3. What an environment accepts
under ` + "`spec.checks.ignore`" + ` is listed with its reason, and does not count; an entry that accepts nothing is found itself.

Flux puts 12 characters of the chart's digest behind its version; where the digest is not known, they are zeros here.

What a finding proposes is one of three things, in every format. A **fix** is proved: with it in the environment everything that
it touches was rendered again, the finding was gone, and nothing else had changed: no other place of any object but those that
the check asks to change (the pull secret of each pod, say), random values and checksums; no other release, namespace or fact of
the cluster; and nothing new was found, or what was new had a fix that was tried with it. A **guess** may help: it was not tried, or changes more, and the finding says what. An
**advice** is what a person must decide. In JSON that is ` + "`certainty`" + ` (` + "`proved`, `guess` or `advice`" + `), with ` + "`doubt`" + ` for why a guess is one;
` + "`set`" + ` has the fields and their values. Of several ways to set a value (the pull secret as a name or as a mapping, a registry or a whole name) the first that is proved
counts. For its fixes an environment is rendered again at most 50 times, a fleet of more than four environments 200 times in all, and
each environment at least once; findings that are not shown have guesses alone.

` + "`--fix`" + ` applies what is proved to the environment files, and only the lines of those values change. All fixes of an environment are
applied together, and it is looked at again: a fix that brings another finding with the others is left, with the reason. Then
the report is of what remains. The differences are shown and written when you answer y, or with ` + "`--yes`; `--dry-run`" + ` prints them
as a patch. A guess is never applied. A value that nothing reads, and that resembles no value of the chart, is taken out. A value in a file that the environment extends is left too, with the ` + "`pm-gitops set`" + ` command for it.

What only a cluster knows no check knows: what is installed there besides, whether it has load balancers, which sidecars its
Istio uses, and what its API server refuses: names, labels and API versions are looked at, types of fields are not. Objects are
those of a first install and of an upgrade with the same values. Where releases are named, only these are looked at, and what
releases do to each other is not found.

`

// TestDocs holds docs/checks.md to the checks: a section each, with a finding
// that its case really has.
func TestDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsHead)
	for _, c := range check.All() {
		found := ofID(fired(t, c.ID), c.ID)
		if len(found) == 0 {
			t.Fatalf("the case of %s finds nothing", c.ID)
		}
		example := found[0].Message
		if found[0].Object != nil {
			example = found[0].Object.String() + ": " + example
		}
		b.WriteString(c.Page(example) + "\n")
	}
	golden(t, "../../docs/checks.md", strings.TrimSuffix(b.String(), "\n"))
	var sections []string
	for _, m := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(b.String(), -1) {
		sections = append(sections, m[1])
	}
	if diff := cmp.Diff(ids(), sections); diff != "" {
		t.Errorf("sections of the page (-checks +page):\n%s", diff)
	}
}

// golden compares a text with a file, or with -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; rewrite with -update):\n%s", name, diff)
	}
}

func ids() []string {
	var all []string
	for _, c := range check.All() {
		all = append(all, c.ID)
	}
	return all
}

// TestTable: every check has all that a page needs, in sentences, and package
// render, which reads environment files, knows the same IDs.
func TestTable(t *testing.T) {
	for _, c := range check.All() {
		if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(c.ID) {
			t.Errorf("%q is no ID", c.ID)
		}
		if !slices.Contains(finding.Severities(), string(c.Severity)) || !strings.HasPrefix(c.Source, "https://") || strings.HasSuffix(c.Title, ".") || !strings.HasSuffix(c.Why, ".") || !strings.HasSuffix(c.Fix, ".") {
			t.Errorf("%s is not whole: %+v", c.ID, c)
		}
	}
	data, err := json.Marshal(render.Schema().Definitions["IgnoredCheck"])
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]struct{ Enum []string }
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ids(), schema.Properties["check"].Enum); diff != "" {
		t.Errorf("what an environment may name (-checks +schema):\n%s", diff)
	}
}
