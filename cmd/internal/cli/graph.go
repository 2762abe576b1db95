package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/graph"
)

type graphOptions struct {
	input
	output string
}

// graphFormats are the formats of graph, the default first.
var graphFormats = []string{"mermaid", "dot", "svg", "json"}

func (a app) graphCommand() *cobra.Command {
	var o graphOptions
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "Draw the waves of environments",
		Long: `Graph draws what is installed before what: the prerequisites, then a column of
releases per wave. An arrow leads from what must be ready to what waits for it;
one that follows from others is left out. Releases that stay in the cluster when
their files go are marked. Several environments come into one drawing, which is
the same for every target. In JSON, an environment has its namespaces, waves of
releases with all they need, and the arrows that are left.`,
		Example: `  pm-gitops graph                                  Mermaid, for Markdown on GitHub and GitLab
  pm-gitops graph -o svg > waves.svg               a picture that stands alone
  pm-gitops graph -f environments/prod.yaml -o dot | dot -Tpng -o waves.png
  pm-gitops graph -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.graph(cmd.Context(), o) },
	}
	a.addInput(cmd, &o.input)
	addOutput(cmd, &o.output, graphFormats)
	return cmd
}

func (a app) graph(ctx context.Context, o graphOptions) error {
	if err := checkOutput(o.output, graphFormats); err != nil {
		return err
	}
	// Waves do not depend on the target.
	plans, err := a.loadPlans(ctx, o.input, render.Only(a.targets[0]))
	if err != nil {
		return err
	}
	for _, plan := range plans {
		a.warn(plan.Warnings)
	}
	g := graph.New(plans...)
	switch o.output {
	case "json":
		return a.printJSON(g)
	case "dot":
		return a.out.Raw(g.DOT())
	case "svg":
		return a.out.Raw(g.SVG())
	}
	return a.out.Raw(g.Mermaid())
}
