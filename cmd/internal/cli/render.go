package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

type renderOptions struct {
	input
	commitFlags
	target string
	dir    string
	built  bool
	force  bool
	remove string
	quiet  bool
	output string
	setup  prerequisiteOptions

	partial bool // some environments failed
}

func (a app) renderCommand() *cobra.Command {
	var o renderOptions
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Write the manifests of an environment, or commit them",
		Long: `Render writes the manifests of an environment for the delivery system that
reconciles them: to standard output, or with --dir into a folder, which is the
root of your Git repository. Every overlay is built with kustomize first; one
that does not build is an error, and then nothing is written.

Into a folder, only what changed is written, and what is no longer rendered is
removed. Files that a person changed or put there are left alone, and said;
--force takes them.

--commit does so and commits it: to the Git repository that holds the folder, on
the branch that is checked out; without --dir, to the one that holds this folder,
at its root. Nothing but those files is in the commit, and what else is staged or
edited stays as it is. The message ends with the digest of what was rendered and
the program's version. Hooks but pre-push are not run, and ignored files are refused.

--push has git push the branch to the remote that git push would take, and never
forces. If others were faster the commit stays here, and the exit code is 1.

--repo URL needs no checkout: it reads the environment files from the repository,
commits what they render to on top of its newest commit, and pushes. If somebody
else is faster, all of that is done again. --local takes the files from here: what
others changed in the repository meanwhile is not looked at then.

Logins come from Git's credential helpers, GIT_ASKPASS, SSH's agent and keys, or,
each for its own server alone, GITHUB_TOKEN, GITLAB_TOKEN, GITEA_TOKEN,
BITBUCKET_TOKEN and AZURE_DEVOPS_EXT_PAT. docs/git.md says more.

Argo CD must be set up first: see pm-gitops argo prerequisites.`,
		Example: `  pm-gitops render --target flux                   print every file
  pm-gitops render --target flux --dir .           write them into this repository
  pm-gitops render --dir . --commit --push         commit and push them
  pm-gitops render -f environments/ --commit --commit-per environment
  pm-gitops render -f environments/ --repo https://git.company.com/platform/fleet.git --dry-run
  pm-gitops render --target flux --built | kubectl diff -f -`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runRender(cmd, o) },
	}
	a.addInput(cmd, &o.input)
	a.addTarget(cmd, &o.target)
	cmd.Flags().BoolVar(&o.built, "built", false, "print what reaches the cluster: overlays as kustomize builds them")
	o.addPublishing(cmd)
	cmd.Flags().BoolVar(&o.keepGoing, "keep-going", false, "go on with the environments that are fine where others are not; the exit code stays 1")
	cmd.Flags().BoolVar(&o.local, "local", false, "with --repo: --file and --catalog name files here, not in the repository")
	cmd.Flags().StringVar(&o.per, "commit-per", commitsPer[0], "make one commit of all, or one `per` environment: "+text.OneOf(commitsPer))
	_ = cmd.RegisterFlagCompletionFunc("commit-per", cobra.FixedCompletions(commitsPer, cobra.ShellCompDirectiveNoFileComp))
	o.addDeprecated(cmd, a.targets)
	return cmd
}

// runRender checks the flags of render, and does what they ask for.
func (a app) runRender(cmd *cobra.Command, o renderOptions) error {
	if o.commit && !cmd.Flags().Changed("dir") && o.repo == "" {
		o.dir = a.repositoryHere()
	}
	if err := o.check(cmd, a.targets); err != nil {
		return hinted{usageError{err}, "See pm-gitops render --help."}
	}
	if o.setup.asked() {
		if target, _ := a.targets.ByName(o.target); target != nil && prerequisiteForms(render.Targets{target}) != nil {
			a.sayDeprecated("render --prerequisites and --check-prerequisites", o.target+" prerequisites")
		}
		return a.prerequisites(cmd.Context(), o.input, o.target, o.setup)
	}
	if o.remove != "" {
		a.sayDeprecated("render --remove", "remove "+o.remove)
	}
	return a.publish(cmd.Context(), o)
}

// addPublishing adds the flags that say where files go, and how.
func (o *renderOptions) addPublishing(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.dir, "dir", "", "write into this folder, the root of the repository")
	cmd.Flags().BoolVar(&o.force, "force", false, "overwrite and delete files that a person changed, another target's, and let releases move")
	o.commitFlags.add(cmd)
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but problems")
	addOutput(cmd, &o.output)
	_ = cmd.MarkFlagDirname("dir")
}

// addDeprecated adds the flags that became commands. They work for one more release.
func (o *renderOptions) addDeprecated(cmd *cobra.Command, targets render.Targets) {
	flags := cmd.Flags()
	flags.StringVar(&o.remove, "remove", "", "take the files of this environment out of --dir, or of --repo")
	flags.StringVar(&o.setup.form, "prerequisites", "", "print what must be set in Argo CD first")
	flags.StringVar(&o.setup.check, "check-prerequisites", "", "print what the ConfigMap in this file lacks")
	if forms := prerequisiteForms(targets); forms != nil {
		flags.Lookup("prerequisites").NoOptDefVal = forms[0]
	}
	for _, name := range []string{"remove", "prerequisites", "check-prerequisites"} {
		_ = flags.MarkHidden(name)
	}
}

// sayDeprecated names the command that takes the place of old flags.
func (a app) sayDeprecated(old, command string) {
	fmt.Fprintf(a.err, "warning: %s will go with the next release: use pm-gitops %s\n", old, text.Visible(command))
}

// publish does what the flags ask for, where they ask for it.
func (a app) publish(ctx context.Context, o renderOptions) error {
	switch {
	case o.repo != "":
		return a.commitThere(ctx, o)
	case o.commit:
		return a.commitHere(ctx, o)
	case o.remove != "":
		return a.removeFrom(o)
	}
	return a.render(ctx, o)
}

// check refuses flags that exclude or need each other.
func (o renderOptions) check(cmd *cobra.Command, targets render.Targets) error {
	given := cmd.Flags().Changed
	for _, name := range []string{"remove", "dir", "repo", "branch", "message"} {
		if given(name) && isEmpty(cmd.Flag(name)) {
			return fmt.Errorf("--%s is empty (unset variable?)", name)
		}
	}
	if _, err := targets.ByName(o.target); err != nil && (o.commit || o.repo != "") { // before a server is asked
		return err
	}
	if err := o.commitFlags.check(given); err != nil {
		return err
	}
	switch {
	case o.remove != "" && o.dir == "" && o.repo == "":
		return errors.New("--remove needs --dir or --repo")
	case o.remove != "" && (o.built || given("file") || given("catalog")):
		return errors.New("--remove takes the files of an environment out by its name: no --file, --catalog or --built with it")
	case o.built && o.dir != "":
		return errors.New("--built prints, --dir writes: want one of them")
	case o.setup.form != "" && o.setup.check != "":
		return errors.New("--prerequisites prints what --check-prerequisites looks for: want one of them")
	case o.built && (o.commit || o.repo != ""):
		return errors.New("--built prints, --commit and --repo write: want one of them")
	case o.repo != "" && !o.local && slices.Contains(o.files, "-"):
		return errors.New("with --repo, --file names files of the repository: --local takes standard input")
	case o.setup.asked() && (o.dir != "" || o.built || o.commit || o.repo != ""):
		return errors.New("--prerequisites and --check-prerequisites are about Argo CD itself: no --dir, --built, --commit or --repo with them")
	case o.dir == "" && o.repo == "" && (o.force || o.quiet || given("output") || o.keepGoing || o.dryRun):
		return errors.New("--force, --quiet, --output, --keep-going and --dry-run need --dir, --commit or --repo")
	case o.remove != "" && (given("recursive") || given("environment")):
		return errors.New("--remove takes one environment, by its name")
	}
	return checkOutput(o.output)
}

// isEmpty reports whether a flag was given an empty text, or a list of them.
func isEmpty(flag *pflag.Flag) bool { return strings.Trim(flag.Value.String(), `[]" `) == "" }

func (a app) render(ctx context.Context, o renderOptions) error {
	target, err := a.targets.ByName(o.target)
	if err != nil {
		return usageError{err}
	}
	o.input.progress = a.progress("environments rendered")
	members, err := a.renderFleet(ctx, o.input, target)
	a.warnOf(members)
	if err != nil && (!o.keepGoing || len(members) == 0) {
		return err
	}
	if o.dir != "" {
		o.partial = err != nil
		if written := a.write(o, members); written != nil || err == nil {
			return written
		}
		return partialError{err, "written"}
	}
	var manifests []render.Manifest
	for _, m := range members {
		if o.built {
			manifests = append(manifests, m.Rendering.Manifests...)
		} else {
			manifests = append(manifests, files(m.Rendering.Tree)...)
		}
	}
	return a.stream(manifests)
}

// files is the YAML of a tree in the order of its paths. The inventory is
// bookkeeping between us and a folder.
func files(all tree.Tree) []render.Manifest {
	var manifests []render.Manifest
	for _, name := range all.Paths() {
		if path.Base(path.Dir(name)) != tree.InventoryFolder {
			manifests = append(manifests, render.Manifest{Source: name, YAML: all[name]})
		}
	}
	return manifests
}

// stream prints manifests as one YAML stream, each document with where it is from.
func (a app) stream(manifests []render.Manifest) error {
	out := bufio.NewWriter(a.out)
	for _, manifest := range manifests {
		for _, document := range strings.Split(string(manifest.YAML), "\n---\n") {
			fmt.Fprintf(out, "---\n# Source: %s\n%s\n", manifest.Source, strings.TrimSuffix(document, "\n"))
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print the manifests: %w", err)
	}
	return nil
}
