package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// prerequisiteOptions is the flags of render about the delivery system itself.
type prerequisiteOptions struct {
	form  string // of what is printed
	check string // the file to check
}

func (o prerequisiteOptions) asked() bool { return o.form != "" || o.check != "" }

// addFlags adds the flags where one of the targets has prerequisites.
func (o *prerequisiteOptions) addFlags(cmd *cobra.Command, targets render.Targets) {
	var forms []string
	for _, target := range targets {
		if system, ok := target.(prerequisites); ok {
			forms = append(forms, system.PrerequisiteForms()...)
		}
	}
	if forms == nil {
		return
	}
	cmd.Flags().StringVar(&o.form, "prerequisites", "", "print what must be set in Argo CD first, as "+text.OneOf(forms))
	cmd.Flags().Lookup("prerequisites").NoOptDefVal = forms[0]
	cmd.Flags().StringVar(&o.check, "check-prerequisites", "", "say what the ConfigMap argocd-cm in this file lacks, - for standard input")
	_ = cmd.RegisterFlagCompletionFunc("prerequisites", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagFilename("check-prerequisites", "yaml", "yml")
}

// prerequisites is what must be set in a delivery system before it can
// reconcile a plan, for those that need something.
type prerequisites interface {
	PrerequisiteForms() []string
	Prerequisites(plan render.Plan, form string) ([]byte, error)
	CheckPrerequisites(plan render.Plan, configMap []byte) ([]string, error)
}

func (a app) prerequisites(ctx context.Context, o renderOptions) error {
	target, err := a.targets.ByName(o.target)
	if err != nil {
		return usageError{err}
	}
	system, ok := target.(prerequisites)
	if !ok {
		return usageError{fmt.Errorf("the %s target has no prerequisites: nothing must be set there", o.target)}
	}
	if form := o.setup.form; form != "" && !slices.Contains(system.PrerequisiteForms(), form) {
		return usageError{fmt.Errorf("unknown form %q: want %s", form, text.OneOf(system.PrerequisiteForms()))}
	}
	plan, err := a.plan(ctx, o.input, target)
	if err != nil {
		return err
	}
	if o.setup.check != "" {
		return a.checkPrerequisites(ctx, o.setup.check, plan, system)
	}
	printed, err := system.Prerequisites(plan, o.setup.form)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s", printed)
	fmt.Fprintf(a.err, "Fill it in, and leave out the Secrets of what Argo CD can read already. Argo CD's ConfigMaps say more than this:\nkubectl apply --server-side -f FILE adds to them, without that option it replaces.\n")
	return nil
}

func (a app) checkPrerequisites(ctx context.Context, file string, plan render.Plan, system prerequisites) error {
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
		fmt.Fprintf(a.out, "%s: %s\n", file, finding)
	}
	if len(missing) > 0 {
		return hinted{foundError{fmt.Errorf("%s: %s", file, text.Count(len(missing), "finding"))}, "See pm-gitops render --target argo --prerequisites."}
	}
	fmt.Fprintf(a.out, "%s: everything is set\n", file)
	return nil
}
