package cli

import (
	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
)

func (a app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of environment files",
		Long: `Schema prints the JSON Schema of environment files, for editors that complete
and check them. It is made from the types that the program reads files into.`,
		Example: `  pm-gitops schema > environment.schema.json
  # first line of environment.yaml, for editors with the YAML language server:
  # yaml-language-server: $schema=environment.schema.json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.printJSON(render.Schema()) },
	}
}
