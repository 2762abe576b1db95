package cli

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render/text"
)

type valuesOptions struct {
	input
	chartFlags
	chart   string
	version string
	show    string
	raw     bool
	diff    string
	output  string
}

// What values can print, and how, the default first.
var (
	valuesShows   = []string{"values", "schema", "readme", "chart"}
	valuesFormats = []string{"text", "yaml", "json"}
)

func (a app) valuesCommand() *cobra.Command {
	var o valuesOptions
	cmd := &cobra.Command{
		Use:   "values CHART",
		Short: "Print the default values of a chart, or what changed in them",
		Long: `Values prints the default values of a chart. CHART is a
release of the environment, such as prefect-cloud, in the version that the
environment has; a path with a / in it to an archive or an unpacked chart; or
oci://REPOSITORY/NAME:VERSION, or with @DIGEST or --version.

The defaults of the charts in it are there below their alias or name, with
global and imported values where Helm puts them, so what is printed can be set
as it is, but for what lies under _internal_defaults_do_not_set in Istio's
charts: it is set without that name. Comments are kept where no chart is in the chart. --raw prints the
chart's own values.yaml alone, as helm show values does. --show prints its own
schema, README or Chart.yaml instead.

--diff compares with another version, or another chart: which default values
were added, removed and changed from CHART to the other, which seem to have
moved, and what the schemas newly require. Lists are compared as a whole. The
exit code is 3 if anything differs.`,
		Example: `  pm-gitops values prefect-cloud
  pm-gitops values prefect-cloud --version 1.2.900 -o json | jq .global
  pm-gitops values prefect-istiod --raw
  pm-gitops values prefect-cloud --show schema
  pm-gitops values prefect-cloud --diff 1.2.900    what an update changes`,
		Args: oneChart,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.releaseKeys(cmd.Context(), o.input, nil), cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.chart = args[0]
			return a.values(cmd.Context(), o)
		},
	}
	a.addInput(cmd, &o.input)
	a.addCharts(cmd, &o.chartFlags)
	flags := cmd.Flags()
	flags.StringVar(&o.version, "version", "", "the chart's `version`, instead of the environment's")
	flags.StringVar(&o.show, "show", valuesShows[0], "what to print: "+text.OneOf(valuesShows))
	flags.BoolVar(&o.raw, "raw", false, "the chart's own values.yaml as it is, without those of the charts in it")
	flags.StringVar(&o.diff, "diff", "", "compare with this `version`, or with a chart named like CHART")
	addOutput(cmd, &o.output, valuesFormats)
	completeWith(cmd, "show", valuesShows)
	return cmd
}

// oneChart wants the name of one chart.
func oneChart(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return hinted{usageError{fmt.Errorf("%s wants one chart, got %d", cmd.CommandPath(), len(args))}, "See " + cmd.CommandPath() + " --help."}
}

// check refuses what makes no sense.
func (o valuesOptions) check() error {
	err := checkOutput(o.output, valuesFormats)
	switch {
	case err != nil:
		return err
	case !slices.Contains(valuesShows, o.show):
		err = fmt.Errorf("cannot show %q: want %s", o.show, text.OneOf(valuesShows))
	case o.diff != "" && (o.raw || o.show != valuesShows[0]):
		err = errors.New("--diff is about default values: leave out --raw and --show")
	case o.diff != "" && o.output == "yaml":
		err = errors.New("--diff prints text or json")
	case o.raw && (o.show != valuesShows[0] || o.output != valuesFormats[0]):
		err = errors.New("--raw is values.yaml as it is: leave out --show and --output")
	case o.output != valuesFormats[0] && (o.show == "readme" || o.show == "schema"):
		err = fmt.Errorf("a %s has no other form: leave out --output", o.show)
	default:
		return nil
	}
	return usageError{err}
}

func (a app) values(ctx context.Context, o valuesOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	log.SetPrefix(logPrefix)
	ctx, done := charts.Bounded(ctx)
	defer done()
	find := finder{app: a, valuesOptions: o}
	own, err := find.chartNamed(ctx, o.chart, o.version)
	if err != nil {
		return err
	}
	if o.diff != "" {
		other, err := find.other(ctx)
		if err != nil {
			return err
		}
		_, err = charts.InTime(ctx, "compare with chart "+other.Name()+" "+other.Version(), charts.MaxTime, func(context.Context) (any, error) { return nil, a.diffValues(o, own, other) })
		return err
	}
	text, err := charts.InTime(ctx, "chart "+own.Name()+" "+own.Version(), charts.MaxTime, func(context.Context) (string, error) { return a.show(o, own) })
	if err != nil {
		return err
	}
	if o.show == "readme" {
		return a.out.Text(text)
	}
	return a.out.Raw([]byte(text))
}

// show gives the text that is printed of a chart. But for a README, which is for people
// alone, it cannot steer the terminal.
func (a app) show(o valuesOptions, own charts.Chart) (string, error) {
	there := func(text []byte, what string, harmless func(string) string) (string, error) {
		if text == nil {
			return "", fmt.Errorf("chart %s %s has no %s", own.Name(), own.Version(), what)
		}
		return endLastLine(harmless(string(text))), nil
	}
	switch {
	case o.show == "schema":
		return there(own.Schema(), "schema of its own", harmlessJSON)
	case o.show == "readme":
		return there(own.Readme(), "README", func(text string) string { return text })
	case o.show == "chart":
		text, err := own.Metadata()
		if err != nil {
			return "", err
		}
		return o.reformat(text)
	case o.raw:
		return harmless(string(own.ValuesText())) + "\n", nil // what helm show values prints
	case o.output == "text" && len(own.Parts().Parts) == 0:
		return endLastLine(harmless(string(own.ValuesText()))), nil
	}
	return a.composeDefaults(o, own)
}

// composeDefaults gives the default values with those of the charts in it.
func (a app) composeDefaults(o valuesOptions, own charts.Chart) (string, error) {
	values, err := own.Defaults()
	if err != nil {
		return "", err
	}
	off, err := own.Off()
	if err != nil {
		return "", err
	}
	if len(off) > 0 {
		a.err.Say("note: off by default, and so without their defaults here: %s", strings.Join(off, ", "))
	}
	text, err := yaml.Marshal(values)
	if err != nil {
		return "", fmt.Errorf("print YAML: %w", err)
	}
	return o.reformat(text)
}

// reformat writes a value in YAML in the format that is wanted.
func (o valuesOptions) reformat(text []byte) (string, error) {
	if o.output != "json" {
		return harmlessYAML(string(text))
	}
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		return "", fmt.Errorf("print JSON: %w", err)
	}
	data, err := encodeJSON(value, "  ")
	return harmlessJSON(string(data)), err
}

// endLastLine ends the last line of a text.
func endLastLine(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}
