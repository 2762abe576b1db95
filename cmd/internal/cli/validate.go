package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
	choice "github.com/pm-gitops/pm-gitops/render/upgrade"
)

type validateOptions struct {
	input
	explainOptions
	optionalCharts
	target targetFlag
	output string
}

func (a app) validateCommand() *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check environment files",
		Long: `Validate checks environment files and files of defaults, and says everything
that is wrong with them at once: file, line, column and field, what is expected
and the nearest name; also what the delivery system cannot do, and environments
that cannot all be applied. It writes nothing, and reaches for no network unless
--charts is given.

With --charts, or with --chart-dir, it also looks into the chart of each
release: values that the chart's schemas refuse, values that the chart does not
know, and a Kubernetes that the chart does not want, are errors. What the chart
knows and no template reads, and what may be one of these, is a warning. Charts
are read, not rendered.

With --explain it also prints every field that is in force and every chart
value of each release, with the file and line it came from and what it replaces.
A secret is only named. In JSON that is explanations, one a file, with fields,
and releases with their values: each with path, value or secret, origin (from,
file, line, column, field), rule and replaces.`,
		Example: `  pm-gitops validate
  pm-gitops validate -f environments/prod.yaml
  pm-gitops validate -f environments/
  pm-gitops validate -f environments/prod.yaml -o json
  pm-gitops validate --target argo
  pm-gitops validate --charts                      with the charts from their registry
  pm-gitops validate --chart-dir charts            with charts from a folder
  pm-gitops validate --explain                     where each value came from
  pm-gitops validate --explain --release prefect-cloud`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.validate(cmd.Context(), o) },
	}
	a.addInput(cmd, &o.input)
	a.addTarget(cmd, &o.target)
	addOutput(cmd, &o.output, textOrJSON)
	a.addExplainFlags(cmd, &o)
	a.addOptionalCharts(cmd, &o.optionalCharts, "check values against the charts too")
	return cmd
}

// examined is an environment file with all that was found out about it.
type examined struct {
	fleet.Member // without a plan if the file holds defaults
	warnings     []finding.Finding
	summary      string
	explanation  render.Explanation
}

func (a app) validate(ctx context.Context, o validateOptions) error {
	if err := errors.Join(checkOutput(o.output, textOrJSON), o.explainOptions.check(), o.checkCharts()); err != nil {
		return err
	}
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	request, err := o.request(a)
	if err != nil {
		return err
	}
	request.Defaults = true
	members, err := fleet.Render(ctx, request, target)
	err = hintRead(err)
	files := o.examine(members, a.today())
	if err == nil {
		err = o.pick(files)
	}
	if err == nil && o.asksCharts() {
		err = a.checkValues(ctx, o, files)
	}
	if o.output == "json" {
		return a.validateJSON(o, files, err)
	}
	for _, file := range files {
		a.tellFindings(file.warnings)
	}
	if err != nil {
		return err
	}
	if o.explain {
		a.explain(files)
		return nil
	}
	for _, file := range files {
		a.out.Say("%s", file.summary)
	}
	return nil
}

// examine says what there is to say about valid environments and defaults.
func (o validateOptions) examine(members []fleet.Member, today time.Time) []examined {
	var files []examined
	for _, m := range members {
		warnings := append(slices.Clip(m.Plan.Warnings), unsupported(m, today)...).Sorted()
		found := examined{Member: m, warnings: finding.FromProblems(finding.Warning, warnings)}
		if m.Environment.IsDefaults() {
			found.summary = m.File + ": valid defaults; an environment that extends them says the rest"
			found.explanation = render.Explanation{Fields: m.Environment.Explain(), Releases: []render.ExplainedRelease{}}
		} else {
			found.summary = fmt.Sprintf("%s: valid; waves of %s", m.File, m.Plan)
		}
		if o.explain && !m.Environment.IsDefaults() {
			found.explanation = m.Plan.Explain()
		}
		files = append(files, found)
	}
	return files
}

// unsupported warns of a release line that the vendor supports no more.
func unsupported(m fleet.Member, today time.Time) render.Problems {
	line, covered, err := m.Catalog.Find(render.PrefectCloud, m.Environment.Spec.Versions.PrefectCloud.Version())
	if says := choice.Unsupported(line, today); err == nil && covered && says != "" {
		return render.Problems{m.Environment.Problem("spec.versions.prefectCloud", "%s", says)}
	}
	return nil
}

// validateJSON prints findings as JSON. Other failures are errors as ever.
func (a app) validateJSON(o validateOptions, files []examined, failure error) error {
	found, others := splitFindings(failure)
	wrong := len(found)
	if len(others) > 0 {
		return failure
	}
	report := struct {
		File         string           `json:"file"` // as the flags name it; several with a comma between
		Valid        bool             `json:"valid"`
		Findings     []finding.InFile `json:"findings"`
		Explanations []explanation    `json:"explanations,omitempty"`
	}{File: strings.Join(o.files, ","), Valid: failure == nil, Findings: []finding.InFile{}}
	for _, file := range files {
		found = append(found, file.warnings...)
		if o.explain && failure == nil {
			report.Explanations = append(report.Explanations, explanation{file.File, file.explanation})
		}
	}
	for _, f := range found {
		report.Findings = append(report.Findings, f.InFile())
	}
	if err := a.printJSON(report); err != nil {
		return err
	}
	if failure != nil {
		return fmt.Errorf("%s: %s", report.File, text.Count(wrong, "problem"))
	}
	return nil
}

// printJSON prints a value for programs.
func (a app) printJSON(value any) error {
	data, err := encodeJSON(value, "  ")
	return cmp.Or(err, a.out.Raw(data))
}

// encodeJSON writes a value as JSON, on one line where the indentation is empty.
func encodeJSON(value any, indentation string) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", indentation)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("print JSON: %w", err)
	}
	return out.Bytes(), nil
}
