package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/templates"
)

func (a app) initCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a starter environment file",
		Long:  "Init writes a complete, commented environment file to start from. It never\noverwrites a file.",
		Example: `  pm-gitops init
  pm-gitops init -f environments/dev.yaml`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.init(file) },
	}
	cmd.Flags().StringVarP(&file, "file", "f", "environment.yaml", "file to write, or - for standard output")
	return cmd
}

func (a app) init(file string) error {
	if file == "-" {
		_, err := a.out.Write(templates.Environment)
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	switch {
	case errors.Is(err, fs.ErrExist):
		return hinted{fmt.Errorf("%s is there already: it was not touched", file), "Name another file with -f FILE."}
	case err != nil:
		return fmt.Errorf("write %s: %w", file, errors.Unwrap(err))
	}
	_, err = f.Write(templates.Environment)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	fmt.Fprintf(a.out, "wrote %s\n", file)
	fmt.Fprintf(a.err, "Make it yours, then: pm-gitops validate -f %s\n", file)
	return nil
}
