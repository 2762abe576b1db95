package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
)

// input is the flags that say which environments a command is about.
type input struct {
	files   []string
	catalog string
	only    []string // names of environments; all of them if empty
	recurse bool
	jobs    int

	unpinned bool // environments are planned by their tags, whatever their locks say
}

func (a app) addInput(cmd *cobra.Command, in *input) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&in.files, "file", "f", []string{fleet.DefaultFile}, "environment `file`, folder or pattern such as 'environments/*.yaml', or - for standard input; may be repeated")
	flags.BoolVarP(&in.recurse, "recursive", "R", false, "take the folders of --file with the folders in them")
	flags.StringArrayVarP(&in.only, "environment", "e", nil, "only the environment of this `name`; may be repeated")
	flags.StringVar(&in.catalog, "catalog", "", "catalog `file` that adds release lines or corrects them")
	flags.IntVarP(&in.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "how many environments to work on at a time")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml")
	_ = cmd.MarkFlagFilename("catalog", "yaml", "yml")
	_ = cmd.RegisterFlagCompletionFunc("environment", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return a.completeEnvironments(cmd.Context(), *in), cobra.ShellCompDirectiveNoFileComp
	})
}

// request asks for the environments that the flags name, and refuses flags that
// make no sense.
func (in input) request(a app) (fleet.Request, error) {
	var err error
	switch {
	case in.jobs < 1:
		err = usageError{fmt.Errorf("want at least one job at a time, got --jobs %d", in.jobs)}
	case slices.Contains(in.files, ""):
		err = usageError{errors.New("--file is empty (unset variable?)")}
	}
	return fleet.Request{
		Files: in.files, Recursive: in.recurse, Environments: in.only, Catalog: in.catalog,
		Jobs: in.jobs, Stdin: a.in, Unpinned: in.unpinned,
	}, err
}

// read reads a file that the user named, unless the user gives up first.
func (a app) read(ctx context.Context, name string) ([]byte, error) {
	data, err := fleet.Read(ctx, name, a.in)
	return data, hintRead(err)
}
