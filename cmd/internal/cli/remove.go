package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

func (a app) removeCommand() *cobra.Command {
	var f publishFlags
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
			f.fillDir(a, cmd.Flags().Changed)
			if err := f.checkRemoval(cmd); err != nil {
				return hinted{usageError{err}, "See pm-gitops remove --help."}
			}
			return a.remove(cmd.Context(), args[0], f)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeWritten(cmp.Or(f.dir, a.repositoryHere())), cobra.ShellCompDirectiveNoFileComp
		},
	}
	f.add(cmd)
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
func (f publishFlags) checkRemoval(cmd *cobra.Command) error {
	if err := refuseEmpty(cmd, "dir", "repo", "branch", "message"); err != nil {
		return err
	}
	if f.dir == "" && f.repo == "" {
		return errors.New("remove needs --dir, --commit or --repo")
	}
	if err := f.check(cmd.Flags().Changed); err != nil {
		return err
	}
	return checkOutput(f.output, textOrJSON)
}

// remove takes the files of an environment out of where the flags say.
func (a app) remove(ctx context.Context, environment string, f publishFlags) error {
	removal := publish.Removal{Environment: environment, Place: "folder " + f.dir, Layouts: a.targets.Layouts()}
	if f.repo != "" {
		removal.Place = "the repository"
	}
	if f.commits() {
		request := f.publication(a)
		request.Make = removal.Make
		return a.publish(ctx, f, request, fleet.Request{})
	}
	_, removed, err := a.toFolder(ctx, f, &removal)
	if err == nil && !f.quiet && !f.dryRun {
		a.tellRemoved(removed)
	}
	return err
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
	a.err.Say("Take its environment file out as well: the next render of it would bring everything back.")
	target, err := a.targets.ByName(removed.Inventory.Target)
	if told, ok := target.(afterRemoval); err == nil && ok {
		for _, line := range told.AfterRemoval(removed.Inventory, removed.Emptied) {
			a.err.Say("%s", line)
		}
	}
}

// afterRemoval is a target that knows what stays in the cluster when the files
// of an environment go.
type afterRemoval interface {
	AfterRemoval(had tree.Inventory, emptied []string) []string
}
