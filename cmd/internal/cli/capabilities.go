package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cluster"
)

func (a app) capabilitiesCommand() *cobra.Command {
	var o cluster.Options
	cmd := &cobra.Command{
		Use:   "capabilities",
		Short: "Record the Kubernetes version and the API versions of a cluster",
		Long: `Capabilities reads a cluster's version of Kubernetes and the API versions and
kinds that it serves, and prints them as a file. Commit the file beside the
environment, and name it in spec.cluster.capabilities: preview, check, images and
diff --manifests then render charts with what that cluster says of itself. The
file counts in place of cluster.kubeVersion and cluster.apiVersions. Without it,
charts get what a Kubernetes of cluster.kubeVersion serves by default.

It only reads, and nothing but discovery, which every login may read. It finds
the cluster as kubectl does. Record the file again after an upgrade of the
cluster, and after new custom resource definitions. An API version that is
registered and does not answer is named on standard error.`,
		Example: `  pm-gitops capabilities > capabilities.yaml       of the current context of kubectl
  pm-gitops capabilities --context prod > environments/prod.capabilities.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.capabilities(cmd.Context(), o)
		},
	}
	addCluster(cmd, &o, "`context` of the kubeconfig (default: the current one)")
	return cmd
}

// addCluster adds the flags that say which cluster is meant.
func addCluster(cmd *cobra.Command, o *cluster.Options, context string) {
	flags := cmd.Flags()
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig `file` (default: $KUBECONFIG or ~/.kube/config)")
	flags.StringVar(&o.Context, "context", "", context)
	_ = cmd.MarkFlagFilename("kubeconfig")
	completeContexts(cmd, o, "context")
}

// completeContexts completes a flag with the contexts of the kubeconfig.
func completeContexts(cmd *cobra.Command, o *cluster.Options, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return cluster.Contexts(o.Kubeconfig), cobra.ShellCompDirectiveNoFileComp
	})
}

func (a app) capabilities(ctx context.Context, o cluster.Options) error {
	client, err := cluster.Open(o)
	if err != nil {
		return hintCluster(err)
	}
	recorded, unread, err := client.Capabilities(ctx)
	if err != nil {
		return hintCluster(err)
	}
	for _, version := range unread {
		a.err.Say("note: %s is registered and does not answer: its kinds are not in the file", version)
	}
	data, err := recorded.YAML()
	if err != nil {
		return err
	}
	return a.out.Raw([]byte("# Recorded by pm-gitops capabilities; spec.cluster.capabilities names this file.\n"), data)
}
