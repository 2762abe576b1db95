package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// commitFlags is the flags that put what was rendered into Git.
type commitFlags struct {
	commit, push, local, keepGoing, dryRun bool
	repo, branch, per                      string
	messages                               []string // paragraphs
	signs                                  signing
}

// The ways to split a fleet into commits, the default first.
var commitsPer = []string{"fleet", "environment"}

func (o *commitFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&o.commit, "commit", false, "write into the Git repository and commit; --dir is its root if it is not given")
	flags.BoolVar(&o.push, "push", false, "with --commit: have git push the branch")
	flags.StringVar(&o.repo, "repo", "", "commit to the repository at this `URL` without a checkout, and push; --file names files in it")
	flags.StringVar(&o.branch, "branch", "", "`branch` on the server (--repo: its default branch; --push: the name of ours)")
	flags.StringArrayVarP(&o.messages, "message", "m", nil, "what the commit says, in place of our own `text`; several are paragraphs")
	flags.Var(&o.signs, "sign", "sign the commit; without it, as Git's configuration says (commit.gpgSign)")
	flags.Lookup("sign").NoOptDefVal = "true"
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be written or committed, and do nothing")
	for _, name := range []string{"repo", "branch", "message"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// signing is the flag --sign.
type signing gitrepo.Signing

func (s *signing) String() string { return [...]string{"", "true", "false"}[*s] }
func (s *signing) Type() string   { return "bool" }

func (s *signing) Set(text string) error {
	switch text {
	case "true":
		*s = signing(gitrepo.SignAlways)
	case "false":
		*s = signing(gitrepo.SignNever)
	default:
		return fmt.Errorf("want true or false, got %q", text)
	}
	return nil
}

// check refuses flags that exclude or need each other.
func (o commitFlags) check(given func(string) bool) error {
	commits := o.commit || o.repo != ""
	switch {
	case !slices.Contains(commitsPer, o.per):
		return fmt.Errorf("unknown --commit-per %q: want %s", o.per, text.OneOf(commitsPer))
	case o.repo != "" && given("dir"):
		return errors.New("--repo is a repository without a checkout, --dir is one: want one of them")
	case o.push && !commits:
		return errors.New("--push needs --commit")
	case !commits && (given("branch") || given("message") || given("sign") || given("commit-per")):
		return errors.New("--branch, --message, --sign and --commit-per need --commit or --repo")
	case given("branch") && o.repo == "" && !o.push:
		return errors.New("--branch names a branch on the server: it needs --push or --repo. Here the branch that is checked out gets the commit")
	case o.local && o.repo == "":
		return errors.New("--local needs --repo")
	}
	return nil
}

// repositoryHere is the root of the Git repository that holds this folder, or the
// folder itself.
func (a app) repositoryHere() string {
	if working, err := os.Getwd(); err == nil {
		if top := fleet.RepositoryAbove(working); top != "" && top != working {
			return top
		}
	}
	return "."
}

// git is what the package for repositories may reach.
func (a app) git() gitrepo.System { return gitrepo.NewSystem(a.getenv, a.environ, a.now) }
