package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/trace"
)

type secretsTraceOptions struct {
	releaseFlags
	output string
}

func (a app) secretsTraceCommand() *cobra.Command {
	var o secretsTraceOptions
	cmd := &cobra.Command{
		Use:   "trace [RELEASE ...]",
		Short: "Say where the secret values of releases land in what their charts make",
		Long: `Trace renders the charts of environments with a marker in place of each secret
value, and says where the markers land: in a Secret, or in an environment
variable, a ConfigMap, an annotation, a label, an argument or another field,
where more people can read them than may; and in what encoding. It needs none of
the secrets, and never talks to a cluster.

A checksum is what is made of a value and no longer shows it; of a short value
it may give it away. A value that lands nowhere is not used by the chart. What a
chart hashes with a random salt cannot be seen, and is noted.

Where the chart reads Secrets itself (secrets.into: chart, the way of Argo CD),
no secret value goes through it, and nothing can be traced: secrets list says
which Secrets it reads.

Exit code 3 says that a value lands outside of a Secret, or that nothing of a
release could be traced because its chart reads Secrets itself.`,
		Example: `  pm-gitops secrets trace
  pm-gitops secrets trace prefect-cloud --chart-dir charts
  pm-gitops secrets trace -f environments/ -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.releases = args
			return a.secretsTrace(cmd.Context(), o)
		},
	}
	a.addReleases(cmd, &o.releaseFlags)
	addOutput(cmd, &o.output, textOrJSON)
	return cmd
}

// tracedRelease is a release with the trace of its secrets, as JSON has it.
type tracedRelease struct {
	Environment string `json:"environment"`
	Release     string `json:"release"`
	trace.Trace
}

func (a app) secretsTrace(ctx context.Context, o secretsTraceOptions) error {
	if err := checkOutput(o.output, textOrJSON); err != nil {
		return err
	}
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	chosen, err := a.choose(ctx, o.releaseFlags, target)
	if err != nil {
		return err
	}
	releases, untraced := a.keepSecret(chosen.releases, chosen.fleet())
	traced, done := []tracedRelease{}, []bool{}
	if len(releases) > 0 {
		workers := a.workersFor(o.jobs, len(chosen.plans))
		defer workers.Close()
		traced, done, err = eachChart(ctx, o.jobs, workers, chosen, releases, func(ctx context.Context, p planned, own charts.Chart) (tracedRelease, error) {
			return traceRelease(ctx, p, own, p.plan.Traits().Renderer)
		})
	}
	if traced = append([]tracedRelease{}, keepDone(traced, done)...); err != nil && len(traced) == 0 {
		return hintKube(chosen.plans, err)
	}
	printed := a.printTraces(o, traced, chosen.fleet())
	if err != nil {
		return hintKube(chosen.plans, markPartial(err, done, "traced"))
	}
	var found foundError
	if len(untraced) == 0 || printed != nil && !errors.As(printed, &found) {
		return printed
	}
	return hinted{errors.Join(printed, foundError{fmt.Errorf("nothing was traced of %s: the chart reads Secrets itself (secrets.into: chart)", strings.Join(untraced, ", "))}), "See which it reads: pm-gitops secrets list --charts, or --chart-dir FOLDER."}
}

// keepSecret keeps the releases that have secret values, whose charts alone are
// looked at, and names those without whose charts read Secrets themselves. Of
// others it says that they have none.
func (a app) keepSecret(releases []planned, fleet bool) (kept []planned, untraced []string) {
	for _, p := range releases {
		name := nameUser(p.plan.Environment, p.Key, fleet)
		switch {
		case len(p.SecretInputs) > 0:
			kept = append(kept, p)
		case p.plan.ReadsSecrets(p.Release):
			untraced = append(untraced, name)
		default:
			a.err.Say("note: %s has no secret values", name)
		}
	}
	return kept, untraced
}

// traceRelease traces the secrets of a release. A marker is no secret, so
// nothing has to be taken out of what the chart says.
func traceRelease(ctx context.Context, p planned, own charts.Chart, as string) (tracedRelease, error) {
	in, err := p.input(own, as)
	if err != nil {
		return tracedRelease{}, err
	}
	found, err := own.Trace(ctx, p.Release, in)
	if err != nil {
		return tracedRelease{}, fmt.Errorf("%s: no marker takes the place of its secret values: %w", p.Key, err)
	}
	return tracedRelease{p.plan.Environment, p.Key, found}, nil
}

// printTraces prints where secrets land. A landing outside of a Secret is a
// finding.
func (a app) printTraces(o secretsTraceOptions, traced []tracedRelease, fleet bool) error {
	for _, one := range traced {
		for _, field := range one.Random {
			a.err.Say("note: %s: %s %s: %s is another one each time: no secret value can be seen there", nameUser(one.Environment, one.Release, fleet), field.Object.Kind, field.Object.Name, field.Path)
		}
	}
	var err error
	if o.output == "json" {
		err = a.printJSON(traced)
	} else {
		err = a.out.Text(formatTraces(traced, fleet))
	}
	if n := countOutside(traced); err == nil && n > 0 {
		return foundError{errors.New(text.Count(n, "place") + " outside of Secrets where secret values land")}
	}
	return err
}

// countOutside counts the places outside of Secrets where secret values land.
func countOutside(traced []tracedRelease) int {
	n := 0
	for _, one := range traced {
		for _, input := range one.Inputs {
			for _, landing := range input.Landings {
				if landing.Outside() {
					n++
				}
			}
		}
	}
	return n
}

// formatTraces writes where secrets land, the places outside of Secrets first.
func formatTraces(traced []tracedRelease, fleet bool) string {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for i, one := range traced {
		if i == 0 {
			fmt.Fprintln(table, "RELEASE\tVALUE\tLANDS IN\tOBJECT\tFIELD")
		}
		for _, input := range one.Inputs {
			name := nameUser(one.Environment, one.Release, fleet) + "\t" + input.Path
			if len(input.Landings) == 0 {
				fmt.Fprintf(table, "%s\tnothing\t\t\n", name)
			}
			landings := slices.Clone(input.Landings)
			slices.SortStableFunc(landings, func(a, b trace.Landing) int { return rankLanding(a) - rankLanding(b) })
			for _, l := range landings {
				how := string(l.How)
				if l.Encoding != "" {
					how += " (" + l.Encoding + ")"
				}
				row := []string{name, how, text.Visible(l.Object.Kind + " " + l.Object.Name), text.Visible(l.Path)}
				fmt.Fprintln(table, strings.Join(row, "\t"))
			}
		}
	}
	_ = table.Flush() // a buffer takes everything
	return out.String()
}

// rankLanding puts what is outside of Secrets first.
func rankLanding(l trace.Landing) int {
	if l.Outside() {
		return 0
	}
	return 1
}
