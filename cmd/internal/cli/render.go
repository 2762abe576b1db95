package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

type renderOptions struct {
	input
	publishFlags
	target    targetFlag
	built     bool
	keepGoing bool
	local     bool
	per       string
	pull      bool // open a pull request

	removal string // deprecated, like setup
	setup   prerequisiteOptions
}

// The ways to split a fleet into commits, the default first.
var commitsPer = []string{"fleet", "environment"}

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
forces. If others were faster the commit stays here, and the exit code is 1. With a
--branch that is not checked out, the commit is made on the server, on top of that
branch, and has the environment files as well; the checkout stays as it is.

--pull-request commits to a branch of its own, pm-gitops/ENVIRONMENT/render (several
environments: pm-gitops/render), made anew from the base each time, and opens or
refreshes the pull request. The checkout stays as it is; the environment files as they
are here are in the commit. One that a person closed, and a branch with commits of
others, are left alone, and that is said.

--repo URL needs no checkout: it reads the environment files from the repository,
commits what they render to on top of its newest commit, and pushes. If others
are faster, all of that is done again. --local takes the files from here: what
others changed in the repository meanwhile is not looked at then.

Logins come from Git's credential helpers, GIT_ASKPASS, SSH's agent and keys, or,
each for its own server alone, GITHUB_TOKEN, GITLAB_TOKEN, GITEA_TOKEN,
BITBUCKET_TOKEN and AZURE_DEVOPS_EXT_PAT. docs/git.md says more.

Argo CD must be set up first: see pm-gitops argo prerequisites.`,
		Example: `  pm-gitops render --target flux                   print every file
  pm-gitops render --target flux --dir .           write them into this repository
  pm-gitops render --dir . --commit --push         commit and push them
  pm-gitops render -f environments/ --commit --commit-per environment
  pm-gitops render -f environments/ --commit --pull-request
  pm-gitops render -f environments/ --repo https://git.company.com/platform/fleet.git --dry-run
  pm-gitops render --target flux --built | kubectl diff -f -`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runRender(cmd, o) },
	}
	a.addInput(cmd, &o.input)
	a.addTarget(cmd, &o.target)
	o.publishFlags.add(cmd)
	o.add(cmd)
	o.addDeprecated(cmd, a.targets)
	return cmd
}

// add adds the flags of render alone.
func (o *renderOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&o.built, "built", false, "print what reaches the cluster: overlays as kustomize builds them")
	flags.BoolVar(&o.keepGoing, "keep-going", false, "go on with the environments that are fine where others are not; the exit code stays 1")
	flags.BoolVar(&o.local, "local", false, "with --repo: --file and --catalog name files here, not in the repository")
	flags.BoolVar(&o.pull, "pull-request", false, "with --commit or --repo: commit to a branch of pm-gitops' own, and keep a pull request of it")
	flags.StringVar(&o.per, "commit-per", commitsPer[0], "make one commit of all, or one `per` environment: "+text.OneOf(commitsPer))
	completeWith(cmd, "commit-per", commitsPer)
}

// addDeprecated adds the flags that became commands. They work for one more release.
func (o *renderOptions) addDeprecated(cmd *cobra.Command, targets render.Targets) {
	flags := cmd.Flags()
	flags.StringVar(&o.removal, "remove", "", "take the files of this environment out of --dir, or of --repo")
	deprecate(cmd, "remove", "remove")
	for _, target := range targets {
		system, ok := target.(prerequisites)
		if !ok || flags.Lookup("prerequisites") != nil {
			continue
		}
		flags.StringVar(&o.setup.form, "prerequisites", "", "print what must be set in Argo CD first")
		flags.StringVar(&o.setup.check, "check-prerequisites", "", "print what the ConfigMap in this file lacks")
		flags.Lookup("prerequisites").NoOptDefVal = system.PrerequisiteForms()[0]
		deprecate(cmd, "prerequisites", target.Name()+" prerequisites")
		deprecate(cmd, "check-prerequisites", target.Name()+" prerequisites --check")
	}
}

// runRender checks the flags of render, and does what they ask for.
func (a app) runRender(cmd *cobra.Command, o renderOptions) error {
	o.fillDir(a, cmd.Flags().Changed)
	if err := o.check(cmd, a.targets); err != nil {
		return hinted{usageError{err}, "See pm-gitops render --help."}
	}
	if o.setup.asked() {
		name := cmp.Or(o.target.name, a.targets[0].Name())
		if target, _ := a.targets.ByName(name); hasPrerequisites(target) {
			a.sayDeprecated("render --prerequisites and --check-prerequisites", name+" prerequisites")
		}
		return a.prerequisites(cmd.Context(), o.input, name, o.setup)
	}
	if o.removal != "" {
		a.sayDeprecated("render --remove", "remove "+o.removal)
		return a.remove(cmd.Context(), o.removal, o.publishFlags)
	}
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	return a.render(cmd.Context(), o, target)
}

// sayDeprecated names the command that takes the place of old flags.
func (a app) sayDeprecated(old, command string) {
	a.err.Say("warning: %s will go with the next release: use pm-gitops %s", old, command)
}

// check refuses flags that exclude or need each other.
func (o renderOptions) check(cmd *cobra.Command, targets render.Targets) error {
	given := cmd.Flags().Changed
	if err := refuseEmpty(cmd, "remove", "dir", "repo", "branch", "message"); err != nil {
		return err
	}
	if _, err := targets.ByName(o.target.name); err != nil && o.target.given && o.commits() { // before a server is asked
		return err
	}
	if !slices.Contains(commitsPer, o.per) {
		return fmt.Errorf("unknown --commit-per %q: want %s", o.per, text.OneOf(commitsPer))
	}
	if err := cmp.Or(o.checkPull(given), o.publishFlags.check(given)); err != nil {
		return err
	}
	switch {
	case o.local && o.repo == "":
		return errors.New("--local needs --repo")
	case o.removal != "" && o.dir == "" && o.repo == "":
		return errors.New("--remove needs --dir or --repo")
	case o.removal != "" && (o.built || given("file") || given("catalog")):
		return errors.New("--remove takes the files of an environment out by its name: no --file, --catalog or --built with it")
	case o.built && o.dir != "":
		return errors.New("--built prints, --dir writes: want one of them")
	case o.setup.form != "" && o.setup.check != "":
		return errors.New("--prerequisites prints what --check-prerequisites looks for: want one of them")
	case o.built && o.commits():
		return errors.New("--built prints, --commit and --repo write: want one of them")
	case o.repo != "" && !o.local && slices.Contains(o.files, "-"):
		return errors.New("with --repo, --file names files of the repository: --local takes standard input")
	case o.setup.asked() && (o.dir != "" || o.built || o.commits()):
		return errors.New("--prerequisites and --check-prerequisites are about Argo CD itself: no --dir, --built, --commit or --repo with them")
	case o.dir == "" && o.repo == "" && (o.force || o.quiet || given("output") || o.keepGoing || o.dryRun):
		return errors.New("--force, --quiet, --output, --keep-going and --dry-run need --dir, --commit or --repo")
	case o.removal != "" && (given("recursive") || given("environment")):
		return errors.New("--remove takes one environment, by its name")
	}
	return checkOutput(o.output, textOrJSON)
}

// checkPull refuses flags that make no sense with --pull-request.
func (o renderOptions) checkPull(given func(string) bool) error {
	switch {
	case !o.pull:
		return nil
	case !o.commits():
		return errors.New("--pull-request needs --commit or --repo")
	case given("branch"):
		return errors.New("--pull-request has a branch of its own, which is made anew each time: to name one, use --push --branch NAME, and open the pull request yourself")
	case o.per != commitsPer[0]:
		return errors.New("--pull-request has one commit: no --commit-per with it")
	case o.push:
		return errors.New("--pull-request pushes by itself: no --push with it")
	}
	return nil
}

// render renders the environments that the flags name, and prints them or takes
// them where the flags say.
func (a app) render(ctx context.Context, o renderOptions, target render.Choice) error {
	wanted, err := o.request(a)
	if err != nil {
		return err
	}
	wanted.Progress = a.progress("environments rendered")
	if o.commits() {
		job := publish.Fleet{Request: wanted, Target: target, Layouts: a.targets.Layouts(), PerEnvironment: o.per == "environment"}
		request := o.publication(a)
		request.KeepGoing = o.keepGoing
		if request.Make = job.Make; o.local {
			request.Make = job.FromHere()
		}
		if o.pull {
			return a.pullRequest(ctx, o.publishFlags, request)
		}
		return a.publish(ctx, o.publishFlags, request, wanted)
	}
	members, failed := a.renderFleet(ctx, wanted, target)
	if failed != nil && (!o.keepGoing || len(members) == 0) {
		return failed
	}
	if o.dir == "" {
		return a.printRendered(members, o.built)
	}
	changes, _, err := a.toFolder(ctx, o.publishFlags, publish.Rendered{Members: members, Layouts: a.targets.Layouts()})
	if err != nil {
		return err
	}
	a.warn(publish.Unread(os.DirFS(o.dir), o.dir, members))
	if !o.quiet {
		a.remark(o.dir, leftOver(changes, wanted, failed))
	}
	if failed != nil {
		return partialError{error: failed, done: "written"}
	}
	return nil
}
