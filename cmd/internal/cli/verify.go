package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render/text"
)

type verifyOptions struct {
	input
	target    targetFlag
	dir, repo string
	output    string
	commit    string
	quiet     bool
}

func (a app) verifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify [COMMIT]",
		Short: "Prove that a commit's files are what its environments render to",
		Long: `Verify renders the environments of a commit and compares the result with the files
of that commit: HEAD, or the one that is named. Everything comes from the commit:
--file and --catalog name files in it, and all of its environments must be among
them. As a required check it stops a pull request that changes a rendered file by
hand, or an environment without rendering it.

A file is changed, missing or extra. Extra is what lies in an environment's own
folders, or in the base, and is not rendered, and the inventory of an environment
that is not there. Other files are yours and are not looked at. The exit code is 3
if a file differs.

Another version of this program may render other files. If the commit's message
names another one (Pm-Gitops-Version), nothing is compared, and the exit code is 1.`,
		Example: `  pm-gitops verify -f environments/
  pm-gitops verify -f environments/ origin/main
  pm-gitops verify -f environments/ -o json HEAD~1
  pm-gitops verify -f environments/ --repo https://git.company.com/platform/fleet.git main`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.commit = ""; len(args) > 0 {
				if o.commit = args[0]; args[0] == "" {
					return usageError{errors.New("the commit is empty (unset variable?)")}
				}
			}
			if err := o.check(cmd); err != nil {
				return hinted{usageError{err}, "See pm-gitops verify --help."}
			}
			return a.verify(cmd.Context(), o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	a.addInput(cmd, &o.input)
	a.addTarget(cmd, &o.target)
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "dir", "", "the `folder` of the repository (default: the one that holds this folder)")
	flags.StringVar(&o.repo, "repo", "", "verify the newest commit of a branch, or a commit by its whole hash, of the repository at this `URL`")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but problems")
	addOutput(cmd, &o.output, textOrJSON)
	_ = cmd.MarkFlagDirname("dir")
	_ = cmd.RegisterFlagCompletionFunc("repo", cobra.NoFileCompletions)
	_ = flags.MarkHidden("environment")
	return cmd
}

// check refuses what makes no sense.
func (o verifyOptions) check(cmd *cobra.Command) error {
	if err := refuseEmpty(cmd, "dir", "repo"); err != nil {
		return err
	}
	switch {
	case len(o.only) > 0:
		return errors.New("all environments of a commit are verified: no --environment")
	case o.dir != "" && o.repo != "":
		return errors.New("--repo is a repository without a checkout, --dir is one: want one of them")
	}
	return checkOutput(o.output, textOrJSON)
}

// verify verifies a commit, and prints what it found.
func (a app) verify(ctx context.Context, o verifyOptions) error {
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	wanted, err := o.request(a)
	if err != nil {
		return err
	}
	wanted.Progress = a.progress("environments rendered")
	base, err := a.commitOf(ctx, o)
	if err != nil {
		return err
	}
	defer base.Close()
	verdict, err := publish.Verify(ctx, base, publish.Fleet{Request: wanted, Target: target, Layouts: a.targets.Layouts()}, a.programVersion)
	var other *publish.VersionError
	switch {
	case errors.As(err, &other) && other.Program == publish.UnknownVersion:
		return hinted{err, "Build the program in a clone, with its .git folder, or set its version as docs/git.md says."}
	case errors.As(err, &other):
		return hinted{err, "Verify it with the version that made it: another one may render other files."}
	case err != nil:
		return fmt.Errorf("verify commit %.12s: %w", verdict.Commit, hintMissing(err, "The files are those of the commit: commit yours, or name others with -f."))
	}
	return a.printVerdict(o, verdict)
}

// commitOf finds the commit that the flags name.
func (a app) commitOf(ctx context.Context, o verifyOptions) (*gitrepo.Base, error) {
	if o.repo == "" {
		repository, err := gitrepo.Open(a.git(), cmp.Or(o.dir, a.repositoryHere()))
		if err != nil {
			return nil, err
		}
		return repository.At(cmp.Or(o.commit, "HEAD"))
	}
	remote, err := gitrepo.OpenRemote(ctx, a.git(), o.repo, gitrepo.RemoteOptions{})
	if err != nil {
		return nil, err
	}
	return remote.At(ctx, o.commit)
}

// printVerdict prints the files that differ, and fails if there are some.
func (a app) printVerdict(o verifyOptions, v publish.Verdict) error {
	differences := len(v.Differences)
	found := foundError{fmt.Errorf("commit %.12s is not what its environments render to: %s", v.Commit, text.Count(differences, "difference"))}
	if o.output == "json" {
		err := a.printJSON(struct {
			Commit       string               `json:"commit"`
			Version      string               `json:"version,omitempty"`
			Environments []string             `json:"environments"`
			Files        int                  `json:"files"`
			Differences  []publish.Difference `json:"differences"`
		}{v.Commit, v.Version, v.Environments, v.Files, append([]publish.Difference{}, v.Differences...)})
		if err != nil || differences == 0 {
			return err
		}
		return found
	}
	for _, one := range v.Differences {
		a.out.Say("%s %s", one.State, one.Path)
	}
	if v.Version == "" && !o.quiet {
		a.err.Say("commit %.12s does not say which version of pm-gitops made it: it is compared with %s", v.Commit, a.programVersion)
	}
	if differences > 0 {
		return found
	}
	if !o.quiet {
		a.out.Say("commit %.12s is what its environments render to: %s of %s", v.Commit, text.Count(v.Files, "file"), text.Count(len(v.Environments), "environment"))
	}
	return nil
}
