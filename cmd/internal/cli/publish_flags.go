package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
)

// publishFlags say where files go, and how.
type publishFlags struct {
	dir, repo, branch           string
	commit, push, force, dryRun bool
	messages                    []string // paragraphs
	signs                       signing
	quiet                       bool
	output                      string
}

func (f *publishFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", "", "write into this folder, the root of the repository")
	flags.BoolVar(&f.force, "force", false, "overwrite and delete files that a person changed, another target's, and let releases move")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print nothing but problems")
	addOutput(cmd, &f.output, textOrJSON)
	_ = cmd.MarkFlagDirname("dir")
	flags.BoolVar(&f.commit, "commit", false, "write into the Git repository and commit; --dir is its root if it is not given")
	flags.BoolVar(&f.push, "push", false, "with --commit: have git push the branch")
	flags.StringVar(&f.repo, "repo", "", "commit to the repository at this `URL` without a checkout, and push; --file names files in it")
	flags.StringVar(&f.branch, "branch", "", "`branch` on the server (--repo: its default branch; --push: the name of ours); one that is not checked out gets the commit there alone")
	flags.StringArrayVarP(&f.messages, "message", "m", nil, "what the commit says, in place of our own `text`; several are paragraphs")
	flags.Var(&f.signs, "sign", "sign the commit; without it, as Git's configuration says (commit.gpgSign)")
	flags.Lookup("sign").NoOptDefVal = "true"
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be written or committed, and do nothing")
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

// commits reports whether files go into commits.
func (f publishFlags) commits() bool { return f.commit || f.repo != "" }

// fillDir sets the folder of a commit where no flag names it.
func (f *publishFlags) fillDir(a app, given func(string) bool) {
	if f.commit && !given("dir") && f.repo == "" {
		f.dir = a.repositoryHere()
	}
}

// check refuses flags that exclude or need each other.
func (f publishFlags) check(given func(string) bool) error {
	commits := f.commits()
	switch {
	case f.repo != "" && given("dir"):
		return errors.New("--repo is a repository without a checkout, --dir is one: want one of them")
	case f.push && !commits:
		return errors.New("--push needs --commit")
	case !commits && (given("branch") || given("message") || given("sign") || given("commit-per")):
		return errors.New("--branch, --message, --sign and --commit-per need --commit or --repo")
	case given("branch") && f.repo == "" && !f.push:
		return errors.New("--branch names a branch on the server: it needs --push or --repo. Here the branch that is checked out gets the commit")
	}
	return nil
}

// publication asks for commits, but not for what they are made of.
func (f publishFlags) publication(a app) publish.Request {
	return publish.Request{
		Force: f.force, DryRun: f.dryRun, Push: f.push, Branch: f.branch,
		Message: strings.Join(f.messages, "\n\n"), Version: a.programVersion, Sign: gitrepo.Signing(f.signs), System: a.git(),
	}
}

// repositoryHere finds the root of the Git repository that holds this folder, or the
// folder itself.
func (a app) repositoryHere() string {
	if working, err := os.Getwd(); err == nil {
		if top := fleet.RepositoryAbove(working); top != "" && top != working {
			return top
		}
	}
	return "."
}

// git gives what the package for repositories may reach.
func (a app) git() gitrepo.System { return a.forges.Git }
