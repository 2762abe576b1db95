package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/roadmap"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

type planOptions struct {
	input
	chartFlags
	target      targetFlag
	release     string // of spec.releases, instead of the vendor's
	to          string
	maintenance place
	output      string

	writeCatalog place
}

// planFormats are the formats of plan, the default first.
var planFormats = []string{"text", "json", "markdown", "html"}

func (a app) planCommand() *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [RELEASE]",
		Short: "Plan upgrades to other release lines, hop by hop",
		Long: `Plan says how an environment gets from its versions to a release line, to a
version of prefect-cloud, or to the newest that can be had: the hops in order,
each with its versions, what blocks it and what must be done first. It changes
no environment. A line is taken after the one before it, as the vendor wants.

The versions are those that the source and the mirror list, and the tags of the
images those that the catalog has for the line. What is not known of a hop is
said to be unknown: it may have changed. With --offline the catalog alone counts,
with --chart-dir the charts in that folder and the catalog.

Each environment has a verdict, that of its next hop: routine, needs decisions,
unknown, breaking or blocked. What to do comes next, then the details, and the
runbook of the next hop with the commands that prove its steps.

With a RELEASE of spec.releases it plans that release: --to is a version of its
chart, which has no lines.

` + draftHelp + `Exit codes: 0 routine, 3 otherwise, 1 if an environment cannot be planned, the
others are planned all the same. In JSON, environments is a list, each with
verdict, goal, remarks, unseen and hops; a hop has versions, todo, charts and
runbook.`,
		Example: `  pm-gitops plan                                   to the newest that can be had
  pm-gitops plan -f environments/prod.yaml --to 1.3
  pm-gitops plan --to 1.3.900 --chart-dir charts   with the charts of a folder
  pm-gitops plan -f environments/ -o markdown > plan.md
  pm-gitops plan --to 1.3 --write-catalog catalogs/1.3.yaml
  pm-gitops plan --offline -o html > plan.html     a page, by the catalog alone`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.furtherReleases(cmd.Context(), o.input), cobra.ShellCompDirectiveNoFileComp
		},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && (fleet.IsYAML(args[0]) || strings.ContainsAny(args[0], `/\`)) {
				return hinted{usageError{fmt.Errorf("%q is no release", args[0])}, "Name each file, folder or pattern with -f."}
			}
			return noArgs(cmd, args[min(1, len(args)):])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.release = args[0]
			}
			if err := o.check(cmd); err != nil {
				return hinted{usageError{err}, "See pm-gitops plan --help."}
			}
			return a.roadmaps(cmd.Context(), o)
		},
	}
	a.addInput(cmd, &o.input)
	a.addCharts(cmd, &o.chartFlags)
	a.addTarget(cmd, &o.target)
	addOutput(cmd, &o.output, planFormats)
	cmd.Flags().StringVar(&o.to, "to", "", "release `line`, or version of prefect-cloud or of RELEASE (default: the newest that can be had)")
	cmd.Flags().Var(&o.maintenance, "maintenance", "`file` with the vendor's manifest for maintenance mode, for the runbook")
	_ = cmd.MarkFlagFilename("maintenance", "yaml", "yml")
	addDraft(cmd, &o.writeCatalog)
	_ = cmd.RegisterFlagCompletionFunc("to", func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.linesAhead(cmd.Context(), o.input), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// check refuses flags that make no sense.
func (o planOptions) check(cmd *cobra.Command) error {
	err := errors.Join(refuseEmpty(cmd, "to"), checkOutput(o.output, planFormats), o.checkCatalog())
	switch {
	case err != nil:
		return err
	case o.release == render.PrefectCloud || o.release == render.PrefectIstiod:
		return fmt.Errorf("%s is planned with its release line: leave its name out", o.release)
	case o.release == "":
		return upgrade.CheckGoal(o.to)
	}
	return nil
}

// furtherReleases gives the releases of the environments that are not the vendor's.
func (a app) furtherReleases(ctx context.Context, in input) []string {
	return slices.DeleteFunc(a.completeReleases(ctx, in), func(key string) bool {
		return key == render.PrefectCloud || key == render.PrefectIstiod
	})
}

// linesAhead gives the release lines of the catalog that an environment may be planned to,
// with the months of their releases.
func (a app) linesAhead(ctx context.Context, in input) []string {
	var all []string
	for _, m := range a.readable(ctx, in) {
		now := m.Environment.Spec.Versions.PrefectCloud.Version()
		from, covered, err := m.Catalog.Find(render.PrefectCloud, now)
		ahead := !covered || err != nil
		for _, line := range m.Catalog.Lines {
			ahead = ahead || line.Name == from.Name
			word := line.Name
			if line.Released != "" {
				word += "\treleased " + line.Released
			}
			if ahead && !slices.Contains(all, word) {
				all = append(all, word)
			}
		}
	}
	return all
}

// roadmaps plans the environments that the flags name.
func (a app) roadmaps(ctx context.Context, o planOptions) error {
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	source, err := a.openCharts(o.chartFlags)
	if err != nil {
		return err
	}
	lists, err := a.listsFor(o)
	if err != nil {
		return err
	}
	members, failed := a.load(ctx, o.input, target)
	if failed != nil && !fleet.IsPartial(failed) {
		return failed
	}
	failures := []error{failed}
	p := planner{app: a, planOptions: o, lists: lists, source: source, draft: o.forDraft()}
	if err := o.checkDraft(members); err != nil {
		return errors.Join(failed, err)
	}
	var all []roadmap.Roadmap
	show := a.progress("environments planned")
	for i, m := range members {
		if show != nil {
			show(i, len(members))
		}
		if o.release != "" && !slices.Contains(m.Environment.ReleaseKeys(), o.release) {
			continue
		}
		a.warn(m.Plan.Warnings)
		one, err := p.roadmap(ctx, m)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("plan %s: %w", m.Plan.Environment, err))
			continue
		}
		all = append(all, one)
	}
	if show != nil {
		show(len(members), len(members))
	}
	if o.release != "" && all == nil && errors.Join(failures...) == nil {
		return refuseRelease(members, o.release)
	}
	var undrafted error
	if all != nil {
		undrafted = a.writeDraft(ctx, o, p.draft, all)
	}
	return a.tellRoadmaps(o, all, errors.Join(failures...), undrafted)
}

// refuseRelease says that no environment has a further release of a name.
func refuseRelease(members []fleet.Member, name string) error {
	var further []string
	for _, m := range members {
		for _, key := range m.Environment.ReleaseKeys() {
			if key != render.PrefectCloud && key != render.PrefectIstiod {
				further = append(further, key)
			}
		}
	}
	want := "spec.releases is empty"
	if further != nil {
		want = "want " + text.OneOf(dropRepeated(further))
	}
	return usageError{fmt.Errorf("no release %q in %s: %s", name, environmentsOf(plansOf(members)), want)}
}

// tellRoadmaps prints roadmaps, and gives the error of environments that failed, of a draft
// that was not made, or of the verdict.
func (a app) tellRoadmaps(o planOptions, all []roadmap.Roadmap, failed, undrafted error) error {
	var messages []string
	if err := errors.Join(failed, undrafted); err != nil {
		messages = strings.Split(err.Error(), "\n")
	}
	if o.writeCatalog == "-" {
		// stdout has the catalog
	} else if err := a.printRoadmaps(o.output, roadmap.NewReport(all, messages)); err != nil {
		return err
	}
	switch {
	case failed != nil && len(all) > 0:
		return partialError{error: errors.Join(failed, undrafted), done: "planned"}
	case failed != nil:
		return failed
	case undrafted != nil:
		return undrafted
	}
	var waiting []string
	for _, one := range all {
		if one.Verdict != roadmap.Routine {
			waiting = append(waiting, one.Name()+": "+one.Verdict.Words())
		}
	}
	if waiting != nil {
		return foundError{fmt.Errorf("not routine: %s", strings.Join(waiting, ", "))}
	}
	return nil
}

func (a app) printRoadmaps(format string, report roadmap.Report) error {
	switch format {
	case "json":
		return a.printJSON(report)
	case "markdown":
		return a.out.Raw([]byte(report.Markdown()))
	case "html":
		page, err := report.HTML()
		if err != nil {
			return err
		}
		return a.out.Raw(page)
	}
	return a.out.Text(report.Text())
}
