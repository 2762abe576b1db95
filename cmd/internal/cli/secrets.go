package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
)

type secretsListOptions struct {
	input
	target targetFlag
	output string
}

func (a app) secretsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secrets",
		Short: "What must be secret, and where it must be",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.secretsListCommand(), a.secretsTraceCommand())
	return cmd
}

func (a app) secretsListCommand() *cobra.Command {
	var o secretsListOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Print the Secrets that must exist before the first install",
		Long: `List prints the Secrets that an environment needs and that nothing we write
makes, as manifests to fill in. Keep the filled-in file out of Git.`,
		Example: `  pm-gitops secrets list > secrets.yaml      fill it in, then: kubectl apply -f secrets.yaml
  pm-gitops secrets list --target argo       with what Argo CD itself needs
  pm-gitops secrets list -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.secretsList(cmd.Context(), o) },
	}
	a.addInput(cmd, &o.input)
	a.addTarget(cmd, &o.target)
	addOutput(cmd, &o.output, textOrJSON)
	return cmd
}

// requiredSecrets gives the plan's Secrets, or what a target makes of them that
// needs others.
func requiredSecrets(plan render.Plan) ([]render.RequiredSecret, error) {
	if own, ok := plan.Target().(interface {
		RequiredSecrets(render.Plan) ([]render.RequiredSecret, error)
	}); ok {
		return own.RequiredSecrets(plan)
	}
	return plan.RequiredSecrets(), nil
}

func (a app) secretsList(ctx context.Context, o secretsListOptions) error {
	if err := checkOutput(o.output, textOrJSON); err != nil {
		return err
	}
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	plan, err := a.plan(ctx, o.input, target)
	if err != nil {
		return err
	}
	secrets, err := requiredSecrets(plan)
	if err != nil {
		return err
	}
	if o.output == "json" {
		return a.printJSON(struct {
			Environment string                  `json:"environment"`
			Secrets     []render.RequiredSecret `json:"secrets"`
		}{plan.Environment, append([]render.RequiredSecret{}, secrets...)})
	}
	if len(secrets) == 0 {
		fmt.Fprintf(a.err, "%s needs no Secrets.\n", plan.Environment)
		return nil
	}
	manifests, err := render.SecretTemplates(secrets)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(a.out, strings.TrimSuffix(string(manifests), "\n")+"\n")
	return err
}
