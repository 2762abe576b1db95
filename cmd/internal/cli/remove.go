package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

func (a app) removeCommand() *cobra.Command {
	var o renderOptions
	cmd := &cobra.Command{
		Use:   "remove ENVIRONMENT",
		Short: "Take the files of an environment out of the repository",
		Long: `Remove takes the files that render wrote for an environment out of a folder, and
with --commit or --repo commits that. It needs no environment file, but take that
out as well: the next render would bring everything back. What stays in the cluster,
and how to uninstall it, is printed at the end.`,
		Example: `  pm-gitops remove staging --dir .
  pm-gitops remove staging --commit --push
  pm-gitops remove staging --repo https://git.company.com/platform/fleet.git --dry-run`,
		Args: oneEnvironment,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.remove = args[0]; o.commit && !cmd.Flags().Changed("dir") && o.repo == "" {
				o.dir = a.repositoryHere()
			}
			if err := o.checkRemoval(cmd); err != nil {
				return hinted{usageError{err}, "See pm-gitops remove --help."}
			}
			return a.publish(cmd.Context(), o)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeWritten(cmp.Or(o.dir, a.repositoryHere())), cobra.ShellCompDirectiveNoFileComp
		},
	}
	o.per, o.target = commitsPer[0], a.targets.Names()[0]
	o.addPublishing(cmd)
	return cmd
}

// oneEnvironment refuses other arguments than the name of one environment.
func oneEnvironment(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && args[0] != "" {
		return nil
	}
	return hinted{usageError{fmt.Errorf("%s takes the name of one environment", cmd.CommandPath())}, "See " + cmd.CommandPath() + " --help."}
}

// checkRemoval refuses flags that exclude or need each other.
func (o renderOptions) checkRemoval(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	for _, name := range []string{"dir", "repo", "branch", "message"} {
		if given(name) && isEmpty(cmd.Flag(name)) {
			return fmt.Errorf("--%s is empty (unset variable?)", name)
		}
	}
	if o.dir == "" && o.repo == "" {
		return errors.New("remove needs --dir, --commit or --repo")
	}
	if err := o.commitFlags.check(given); err != nil {
		return err
	}
	return checkOutput(o.output)
}

// removeFrom takes the files out of a folder.
func (a app) removeFrom(o renderOptions) error {
	root, err := openFolder(o.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	job := &publish.Removal{Environment: o.remove, Place: "folder " + o.dir, Layouts: a.targets.Layouts()}
	changes, removed, err := publish.ToFolder(root, publish.FolderRequest{Job: job, Force: o.force, DryRun: o.dryRun})
	if err != nil {
		return forceHint(err)
	}
	if !o.quiet && !o.dryRun {
		defer a.tellRemoved(removed)
	}
	return a.printChanges(o, changes)
}

// completeWritten names the environments that were written into a folder, for completion.
func completeWritten(dir string) []string {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer root.Close()
	found, _ := folder.FindAll(root.FS())
	return slices.Sorted(maps.Keys(found))
}

// tellRemoved says what stays: the environment file, and in the cluster what
// the target names.
func (a app) tellRemoved(removed *publish.Removed) {
	fmt.Fprintln(a.err, "Take its environment file out as well: the next render of it would bring everything back.")
	target, err := a.targets.ByName(removed.Inventory.Target)
	if told, ok := target.(afterRemoval); err == nil && ok {
		for _, line := range told.AfterRemoval(removed.Inventory, removed.Emptied) {
			fmt.Fprintln(a.err, line)
		}
	}
}

// afterRemoval is a target that knows what stays in the cluster when the files
// of an environment go.
type afterRemoval interface {
	AfterRemoval(had tree.Inventory, emptied []string) []string
}
