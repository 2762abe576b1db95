package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

type checkOptions struct {
	releaseFlags
	output   string
	severity string
	list     bool
	explain  string
	// fix says that proved fixes are applied, yes that nothing is asked before, and
	// dryRun that they are only shown.
	fix, yes, dryRun bool
}

// checkFormats are the formats of check, the default first.
var checkFormats = []string{"text", "json", "sarif", "markdown", "github", "gitlab"}

func (a app) checkCommand() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check [RELEASE ...]",
		Short: "Look for what takes installations down in the objects that a controller will apply",
		Long: `Check is for continuous integration. It does what validate does, renders the
charts of environments as the controller will, for a first install, for an
upgrade, and once more to see what is random, and looks at the objects: hooks
that wait for what waits for them, images from elsewhere than the mirror,
singletons in plural, API versions that are gone. --list lists the checks, and
--explain says why one is there and how to end its findings. It never talks to a
cluster, and prints nothing that Secrets hold.

--severity is the least severity that is shown and that makes the exit code 3:
error, warning (the default) or info. What the environment accepts, under
spec.checks.ignore and with a reason, is listed and does not count. Problems of
the environment file itself are errors as ever, with exit code 1.

-o sarif is for code scanning, github for annotations of a workflow, gitlab for
the code quality report of a merge request, markdown for a comment on a pull
request. In JSON, findings and ignored are lists, each
with check, severity, environment, release, object, source (the template), field
(in the object), file, line, column and setting (where to change it), message,
fix (what to do), certainty, doubt, set (the fields of the environment to set or
remove, with values, and for chart values their release and path) and, if
ignored, the reason; summary counts the findings that are not ignored by
severity, shown or not.

A fix that sets something is tried: everything that it touches is rendered again.
It is called a fix, certainty proved, only if its finding is gone and nothing else
has changed; where something new is found that has a fix itself, both are tried. What
was not tried or changes more is a guess, and doubt says why; what does not help is
not proposed. What only a person can decide is an advice. For its fixes an
environment is rendered again at most 50 times, a fleet of more than four
environments 200 times in all, and each environment at least once.

--fix applies the fixes that are proved to the environment files, as set does: only
the lines of the values change. All fixes of an environment are applied together and
it is looked at again: a fix that does not hold then is left, with the reason. A guess
is never applied, and a file that environments extend is not edited: the set command
that edits it is printed. The differences are shown, and written when you answer y,
or with --yes. The report is of what remains then.
--dry-run prints the differences and writes nothing, as --fix does without a terminal
and --yes. -o json has in addition: fixed (the findings that are gone), left (proved
fixes that were not applied, with why and command), written and diff.`,
		Example: `  pm-gitops check                                  every release, for Flux
  pm-gitops check prefect-cloud --target argo --chart-dir charts
  pm-gitops check -f environments/ --severity error
  pm-gitops check --fix                            apply what is proved
  pm-gitops check --fix --dry-run | git apply      the same
  pm-gitops check -o sarif > check.sarif           for code scanning
  pm-gitops check -o gitlab > gl-code-quality-report.json
  pm-gitops check --list
  pm-gitops check --explain migration-deadlock`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.releases = args
			if o.list || cmd.Flags().Changed("explain") {
				return a.aboutChecks(o)
			}
			return a.check(cmd.Context(), o)
		},
	}
	a.addReleases(cmd, &o.releaseFlags)
	o.add(cmd)
	return cmd
}

// add adds the flags of check alone.
func (o *checkOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	addOutput(cmd, &o.output, checkFormats)
	flags.StringVar(&o.severity, "severity", string(finding.Warning), "least severity to show, and to exit with 3 for: "+text.OneOf(finding.Severities()))
	flags.BoolVar(&o.fix, "fix", false, "apply the fixes that are proved to the environment files")
	flags.BoolVar(&o.yes, "yes", false, "apply fixes without a question")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the differences that fixes make, and write nothing")
	flags.BoolVar(&o.list, "list", false, "list the checks")
	flags.StringVar(&o.explain, "explain", "", "say what there is to know about a `check`")
	completeWith(cmd, "severity", finding.Severities())
	completeWith(cmd, "explain", checkIDs())
}

func checkIDs() []string {
	var ids []string
	for _, c := range check.All() {
		ids = append(ids, c.ID)
	}
	return ids
}

// aboutChecks prints the list of the checks, or the page of one.
func (a app) aboutChecks(o checkOptions) error {
	switch {
	case len(o.releases) > 0:
		return usageError{fmt.Errorf("--list and --explain are about checks: no release %q with them", o.releases[0])}
	case o.fix:
		return usageError{errors.New("--list and --explain are about checks: no --fix with them")}
	case o.output != "text" && o.output != "json":
		return usageError{fmt.Errorf("--list and --explain print text or json, not %s", o.output)}
	}
	checks := check.All()
	if !o.list {
		one, ok := check.ByID(o.explain)
		if !ok {
			return hinted{usageError{fmt.Errorf("unknown check %q%s", o.explain, text.Suggest(o.explain, checkIDs()))}, "pm-gitops check --list lists them."}
		}
		checks = []check.Check{one}
	}
	if o.output == "json" {
		return a.printJSON(checks)
	}
	for _, c := range checks {
		if o.list {
			a.out.Say("%-26s %-8s %s", c.ID, c.Severity, c.Title)
		} else {
			_ = a.out.Text(c.Page(""))
		}
	}
	return nil
}

// check refuses what makes no sense.
func (o checkOptions) check() error {
	if !slices.Contains(finding.Severities(), o.severity) {
		return usageError{fmt.Errorf("unknown severity %q: want %s", o.severity, text.OneOf(finding.Severities()))}
	}
	switch {
	case (o.yes || o.dryRun) && !o.fix:
		return usageError{errors.New("--yes and --dry-run are about --fix")}
	case o.yes && o.dryRun:
		return usageError{errors.New("--yes and --dry-run exclude each other")}
	case o.fix && slices.Contains(o.files, "-"):
		return usageError{errors.New("--fix edits files: standard input is none")}
	}
	return checkOutput(o.output, checkFormats)
}

func (a app) check(ctx context.Context, o checkOptions) error {
	target, err := a.target(o.target)
	if err = cmp.Or(err, o.check()); err != nil {
		return err
	}
	source, err := a.openCharts(o.chartFlags)
	if err != nil {
		return err
	}
	request, err := o.request(a)
	if err != nil {
		return err
	}
	request.AllowUnlocked = true // that is a finding
	members, err := fleet.Render(ctx, request, target)
	if err != nil {
		return hintRead(err)
	}
	a.warnUnread(members)
	if _, err := plannedReleases(plansOf(members), o.releases); err != nil {
		return err
	}
	seen, failed := a.findings(ctx, o, source, members)
	for _, note := range dropRepeated(seen.notes) {
		a.err.Say("%s", note)
	}
	if failed != nil && (seen.checked == 0 || ctx.Err() != nil) {
		return failed
	}
	if len(o.releases) > 0 {
		a.err.Say("note: only %s was looked at: what other releases have to do with it is not found", strings.Join(dropRepeated(o.releases), ", "))
	}
	report := finding.NewReport(seen.found, finding.Severity(o.severity))
	if o.fix {
		f := &fixing{app: a, checkOptions: o, source: source, request: request, target: target, members: members}
		report, err = f.fix(ctx, report, seen)
	} else {
		err = a.printCheck(o, report, seen.checked)
	}
	if err != nil {
		return err
	}
	if failed != nil {
		return partialError{error: failed, done: "checked"}
	}
	if len(report.Findings) > 0 {
		return foundError{fmt.Errorf("%s", report.CountShown())}
	}
	return nil
}
