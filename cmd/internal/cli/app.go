// Package cli holds the commands of pm-gitops: each turns its flags into a request,
// lets another package do the work, and prints the result.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/console"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// System is all that the commands may reach outside their arguments and the
// files that these name. All of its fields must be set, but for Version.
type System struct {
	In       io.Reader
	Out, Err io.Writer
	Now      func() time.Time
	Getenv   func(string) string
	Environ  []string       // the environment, for programs that Git's configuration names
	Targets  render.Targets // what --target takes, the default first
	Version  string         // of the release; empty for that of the build information
}

// app is the system as the commands see it.
type app struct {
	in             io.Reader
	out, err       *console.Stream
	now            func() time.Time
	getenv         func(string) string
	environ        []string
	targets        render.Targets
	forges         forge.System
	programVersion string
}

func newApp(s System) app {
	return app{
		in: s.In, out: console.New(s.Out), err: console.New(s.Err), now: s.Now, getenv: s.Getenv, environ: s.Environ, targets: s.Targets,
		forges:         forge.NewSystem(gitrepo.NewSystem(s.Getenv, s.Environ, s.Now)),
		programVersion: versionOf(s.Version, buildInfo()),
	}
}

// Run executes a command line and returns the exit code, one of [ExitDone],
// [ExitFailed], [ExitUsage] and [ExitFound]. Errors are printed to s.Err. When the
// context ends, what runs stops as soon as it can.
func Run(ctx context.Context, s System, args []string) int { return newApp(s).run(ctx, args) }

// Command returns the root command, with all others below it.
func Command(s System) *cobra.Command { return newApp(s).rootCommand() }

// The exit codes of every command.
const (
	ExitDone   = 0
	ExitFailed = 1
	ExitUsage  = 2
	ExitFound  = 3 // differences, blocking findings, or what is not ready yet
)

// usageError is a command line that makes no sense.
type usageError struct{ error }

// foundError is findings that a command printed as its result.
type foundError struct{ error }

// hinted is an error with a line that says what to do next.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// run executes a command line and gives the exit code. Only it prints errors.
func (a app) run(ctx context.Context, args []string) int {
	log.SetFlags(0) // libraries write there
	log.SetOutput(a.err.Log())
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(a.in)
	var help, remarks strings.Builder // and completions
	root.SetOut(&help)
	root.SetErr(&remarks)
	err := root.ExecuteContext(ctx)
	_ = a.err.Text(remarks.String())
	_ = a.out.Text(help.String())
	var found foundError
	if err == nil || errors.As(err, &found) {
		err = cmp.Or(a.out.Err(), err)
	}
	if err == nil {
		return ExitDone
	}
	a.report(err)
	var usage usageError
	if errors.As(err, &usage) {
		return ExitUsage
	}
	if errors.As(err, &found) {
		return ExitFound
	}
	return ExitFailed
}

// maxProblems limits how many problems are printed: more are not read.
const maxProblems = 100

// report prints what went wrong, input problems a line each, then at most one
// line that says what to do next.
func (a app) report(err error) {
	found, others := splitFindings(err)
	a.tellFindings(found[:min(len(found), maxProblems)])
	for _, other := range others {
		message := other.Error()
		if errors.Is(other, context.Canceled) {
			message = strings.ReplaceAll(message, context.Canceled.Error(), "interrupted")
		}
		a.err.Say("pm-gitops: %s", message)
	}
	what := "nothing was written"
	var partial partialError
	if errors.As(err, &partial) {
		what = "the other " + cmp.Or(partial.of, "environments") + " were " + partial.done
	}
	if len(found) > 0 {
		a.err.Say("pm-gitops: %s; %s", text.Count(len(found), "problem"), what)
	} else if partial.error != nil {
		a.err.Say("pm-gitops: %s", what)
	}
	var h hinted
	if errors.As(err, &h) {
		a.err.Say("%s", h.hint)
	}
}

// splitFindings takes an error that joins others apart: what is wrong with input
// files, and everything else.
func splitFindings(err error) (found []finding.Finding, others []error) {
	if h, ok := err.(hinted); ok {
		return splitFindings(h.error)
	}
	if p, ok := err.(partialError); ok {
		return splitFindings(p.error)
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			f, o := splitFindings(one)
			found, others = append(found, f...), append(others, o...)
		}
		return found, others
	}
	var problems render.Problems
	var errs finding.Errors
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &problems):
		return finding.FromProblems(finding.Error, problems), nil
	case errors.As(err, &errs):
		return errs, nil
	}
	return nil, []error{err}
}

// warn prints what is suspicious, a line each.
func (a app) warn(warnings render.Problems) {
	a.tellFindings(finding.FromProblems(finding.Warning, warnings))
}

// tellFindings prints findings of input files, a line each.
func (a app) tellFindings(found []finding.Finding) {
	for _, f := range found {
		a.err.Say("%s", finding.Line(f))
	}
}

func (a app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "pm-gitops",
		Short: "One environment file becomes the manifests that Flux or Argo CD reconciles",
		Long: `pm-gitops turns one environment file into the manifests that Flux or Argo CD
reconciles to run Customer-Managed Prefect Cloud: istiod first, then
prefect-cloud, then whatever else you name. It never puts a secret into Git;
only status and capabilities talk to a cluster, and only read there.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 differences, findings or, from
status, not ready yet.`,
		Example: `  pm-gitops demo                                   see it work, without any set-up
  pm-gitops init                                   write a starter environment.yaml
  pm-gitops render --target flux --dir .           write the manifests into this repository`,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.Version = a.programVersion
	root.SetVersionTemplate("pm-gitops {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return hinted{usageError{suggestFlag(cmd, err)}, "See " + cmd.CommandPath() + " --help."}
	})
	root.AddCommand(a.initCommand(), a.setCommand(), a.validateCommand(), a.renderCommand(), a.removeCommand(), a.previewCommand(), a.valuesCommand(), a.checkCommand(), a.capabilitiesCommand(), a.imagesCommand(), a.mirrorCommand(), a.diffCommand(), a.planCommand(), a.upgradeCommand(), a.graphCommand(), a.statusCommand(), a.secretsCommand(), a.schemaCommand(), a.demoCommand(), a.verifyCommand(), a.versionCommand())
	root.AddCommand(a.systemCommands()...)
	return root
}

// noArgs refuses arguments as wrong usage. Where there are commands to choose
// from, the argument was meant to be one.
func noArgs(cmd *cobra.Command, args []string) error {
	var names []string
	for _, command := range cmd.Commands() {
		if command.IsAvailableCommand() {
			names = append(names, command.Name())
		}
	}
	switch {
	case len(args) == 0:
		return nil
	case names != nil:
		return hinted{usageError{fmt.Errorf("unknown command %q for %s%s", args[0], cmd.CommandPath(), text.Suggest(args[0], names))}, "See " + cmd.CommandPath() + " --help."}
	default:
		return hinted{usageError{fmt.Errorf("%s takes no argument %q", cmd.CommandPath(), args[0])}, hintArgument(cmd, args[0])}
	}
}

// hintArgument says how files are named, where an argument looks like one: the
// shell makes many of a pattern without quotes, and -f takes the first alone.
func hintArgument(cmd *cobra.Command, arg string) string {
	looks := fleet.IsYAML(arg) || strings.HasSuffix(arg, ".json") || strings.ContainsAny(arg, `/\`)
	switch {
	case looks && cmd.Flags().Lookup("from") != nil:
		return "Name the values of an installation with --from, the file to write with -f."
	case looks && cmd.Flags().Lookup("file") != nil:
		return "Name each file, folder or pattern with -f, patterns in quotes: -f 'environments/*.yaml'."
	}
	return "See " + cmd.CommandPath() + " --help."
}
