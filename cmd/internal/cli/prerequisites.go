package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// prerequisiteOptions says what is asked about the delivery system itself.
type prerequisiteOptions struct {
	form  string // of what is printed
	check string // the file to check
}

func (o prerequisiteOptions) asked() bool { return o.form != "" || o.check != "" }

// systemCommands returns a command for each target whose delivery system must be set
// up first, named as the target.
func (a app) systemCommands() []*cobra.Command {
	var commands []*cobra.Command
	for _, target := range a.targets {
		if system, ok := target.(prerequisites); ok {
			commands = append(commands, a.systemCommand(target, system))
		}
	}
	return commands
}

func (a app) systemCommand(target render.Target, system prerequisites) *cobra.Command {
	title := target.Traits(render.Delivery{}).Title
	cmd := &cobra.Command{
		Use:   target.Name(),
		Short: "What " + title + " itself needs",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.prerequisitesCommand(target, system))
	return cmd
}

func (a app) prerequisitesCommand(target render.Target, system prerequisites) *cobra.Command {
	var in input
	var o prerequisiteOptions
	title, forms := target.Traits(render.Delivery{}).Title, system.PrerequisiteForms()
	cmd := &cobra.Command{
		Use:   "prerequisites",
		Short: "Print or check what must be set in " + title + " first",
		Long: fmt.Sprintf(`Prerequisites prints what %[1]s must have before it can reconcile an environment:
settings, and the Secrets that it needs, to fill in. Apply them once, with
kubectl apply --server-side.

--check reads a ConfigMap and prints what it lacks. The exit code is 3 if it lacks
anything.`, title),
		Example: fmt.Sprintf(`  pm-gitops %[1]s prerequisites > prerequisites.yaml    fill it in, then apply it
  pm-gitops %[1]s prerequisites --form %[2]s
  kubectl -n argocd get configmap argocd-cm -o yaml | pm-gitops %[1]s prerequisites --check -`, target.Name(), forms[len(forms)-1]),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			given := cmd.Flags().Changed
			if given("form") && given("check") {
				return hinted{usageError{errors.New("--form prints what --check looks for: want one of them")}, "See " + cmd.CommandPath() + " --help."}
			}
			if err := refuseEmpty(cmd, "check"); err != nil {
				return usageError{err}
			}
			return a.prerequisites(cmd.Context(), in, target.Name(), o)
		},
	}
	a.addInput(cmd, &in)
	cmd.Flags().StringVar(&o.form, "form", forms[0], "print them as "+text.OneOf(forms))
	cmd.Flags().StringVar(&o.check, "check", "", "print what the ConfigMap in this `file` lacks, - for standard input")
	completeWith(cmd, "form", forms)
	_ = cmd.MarkFlagFilename("check", "yaml", "yml")
	return cmd
}

// hasPrerequisites reports whether a target's delivery system must be set up first.
func hasPrerequisites(target render.Target) bool {
	_, has := target.(prerequisites)
	return has
}

// prerequisites is what must be set in a delivery system before it can
// reconcile a plan, for those that need something.
type prerequisites interface {
	PrerequisiteForms() []string
	Prerequisites(plan render.Plan, form string) ([]byte, error)
	CheckPrerequisites(plan render.Plan, configMap []byte) ([]string, error)
}

func (a app) prerequisites(ctx context.Context, in input, name string, o prerequisiteOptions) error {
	target, err := a.targets.ByName(name)
	if err != nil {
		return usageError{err}
	}
	system, ok := target.(prerequisites)
	if !ok {
		return usageError{fmt.Errorf("the %s target has no prerequisites: nothing must be set there", name)}
	}
	if form := o.form; o.check == "" && !slices.Contains(system.PrerequisiteForms(), form) {
		return usageError{fmt.Errorf("unknown form %q: want %s", form, text.OneOf(system.PrerequisiteForms()))}
	}
	plan, err := a.plan(ctx, in, render.Only(target))
	if err != nil {
		return err
	}
	if o.check != "" {
		return a.checkPrerequisites(ctx, o.check, plan, system, name)
	}
	printed, err := system.Prerequisites(plan, o.form)
	if err != nil {
		return err
	}
	if err := a.out.Raw([]byte(printed)); err != nil {
		return err
	}
	a.err.Say("Fill it in, and leave out the Secrets of what Argo CD can read already. Argo CD's ConfigMaps say more than this:")
	a.err.Say("kubectl apply --server-side -f FILE adds to them, without that option it replaces.")
	return nil
}

func (a app) checkPrerequisites(ctx context.Context, file string, plan render.Plan, system prerequisites, target string) error {
	configMap, err := a.read(ctx, file)
	if err != nil {
		return err
	}
	if file == "-" {
		file = "<stdin>"
	}
	missing, err := system.CheckPrerequisites(plan, configMap)
	if err != nil {
		return fmt.Errorf("check %s: %w", file, err)
	}
	for _, finding := range missing {
		a.out.Say("%s: %s", file, finding)
	}
	if len(missing) > 0 {
		return hinted{foundError{fmt.Errorf("%s: %s", file, text.Count(len(missing), "finding"))}, "See pm-gitops " + target + " prerequisites."}
	}
	a.out.Say("%s: everything is set", file)
	return nil
}
