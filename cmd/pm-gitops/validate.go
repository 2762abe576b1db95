package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

type validateOptions struct {
	input
	target string
	output string
	explainOptions
}

func (a app) validateCommand() *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check an environment file",
		Long: `Validate checks an environment file, or a file of defaults, and says everything
that is wrong with it at once: file, line, column and field, what is expected
and the nearest name; also what the delivery system cannot do. It writes nothing
and reaches for no network.

With --explain it also prints every field that is in force and every chart
value of each release, with the file and line it came from and what it replaces.
A secret is only named. In JSON that is explanation, with fields, and releases
with their values: each with path, value or secret, origin (from, file, line,
column, field), rule and replaces.`,
		Example: `  pm-gitops validate
  pm-gitops validate -f environments/prod.yaml
  pm-gitops validate -f environments/prod.yaml -o json
  pm-gitops validate --target argo
  pm-gitops validate --explain                     where each value came from
  pm-gitops validate --explain --release prefect-cloud`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.validate(cmd.Context(), o) },
	}
	o.addFlags(cmd)
	addTarget(cmd, &o.target)
	addOutput(cmd, &o.output)
	a.addExplainFlags(cmd, &o)
	return cmd
}

// addOutput adds the flag for the format of a result.
func addOutput(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVarP(output, "output", "o", "text", "format: text or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// checkOutput refuses other formats.
func checkOutput(output string) error {
	if output != "text" && output != "json" {
		return usageError{fmt.Errorf("unknown format %q: want text or json", output)}
	}
	return nil
}

// finding is a problem in JSON output.
type finding struct {
	Severity string `json:"severity"` // error or warning
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Field    string `json:"field,omitempty"`
	Message  string `json:"message"`
}

func findings(severity string, problems render.Problems) []finding {
	found := []finding{}
	for _, p := range problems {
		found = append(found, finding{severity, p.Position.File, p.Position.Line, p.Position.Column, p.Path, p.Message})
	}
	return found
}

func (a app) validate(ctx context.Context, o validateOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	target, err := targets.ByName(o.target)
	if err != nil {
		return usageError{err}
	}
	if err := o.explainOptions.check(); err != nil {
		return err
	}
	if o.explain {
		return a.explain(ctx, o, target)
	}
	warnings, summary, err := a.examine(ctx, o.input, target)
	if o.output == "json" {
		return a.validateJSON(o.file, warnings, err)
	}
	a.warn(warnings)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.out, summary)
	return nil
}

// examine checks the environment and renders it: what the delivery system
// cannot do, and what does not build, is found too.
func (a app) examine(ctx context.Context, in input, target render.Target) (render.Problems, string, error) {
	env, cat, err := a.environment(ctx, in)
	if err != nil {
		return nil, "", err
	}
	if env.IsDefaults() {
		return nil, in.file + ": valid defaults; an environment that extends them says the rest", nil
	}
	plan, err := render.NewPlan(env, cat, target.SecretsInto())
	if err != nil {
		return nil, "", err
	}
	if _, err := render.Render(plan, target); err != nil {
		return plan.Warnings, "", err
	}
	return plan.Warnings, fmt.Sprintf("%s: valid; waves of %s", in.file, plan), nil
}

// validateJSON prints problems and warnings as JSON. Other failures are
// errors as ever.
func (a app) validateJSON(file string, warnings render.Problems, failure error) error {
	var problems render.Problems
	if failure != nil && !errors.As(failure, &problems) {
		return failure
	}
	report := struct {
		File     string    `json:"file"`
		Valid    bool      `json:"valid"`
		Findings []finding `json:"findings"`
	}{file, failure == nil, append(findings("error", problems), findings("warning", warnings)...)}
	if err := a.printJSON(report); err != nil {
		return err
	}
	if failure != nil {
		return fmt.Errorf("%s: %s", file, count(len(problems), "problem"))
	}
	return nil
}

func (a app) printJSON(value any) error {
	encoder := json.NewEncoder(a.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}
