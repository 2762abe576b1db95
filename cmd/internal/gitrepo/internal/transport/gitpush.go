package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// GitPush has the git program push one branch to every URL of a remote.
type GitPush struct {
	Git    *settings.Program
	Remote string        // a name or a URL, for git
	From   string        // the local branch, or HEAD
	Commit string        // that it is at
	Ref    string        // the branch there: refs/heads/…
	To     []*Connection // every URL, of [Describe]; there is one at least
	Hooked bool          // there is a pre-push hook
}

// URLs returns the URLs, without credentials, with commas between.
func (p *GitPush) URLs() string {
	var urls []string
	for _, to := range p.To {
		urls = append(urls, to.URL())
	}
	return strings.Join(urls, ", ")
}

// Answer reports the result of a push.
type Answer struct {
	Unchanged bool     // every server has the commit
	Said      []string // by the servers, line by line and fit for a terminal
}

// Run pushes the branch. The error is an [Error], of the kind Raced where a server has
// commits that are not here.
func (p *GitPush) Run(ctx context.Context) (answer Answer, err error) {
	for range pushes {
		answer, err = p.push(ctx)
		var said *Error
		if !errors.As(err, &said) || said.Kind != Raced {
			break
		}
		ours, theirs := p.compare(ctx)
		if theirs {
			return Answer{Unchanged: true}, nil
		}
		if !ours {
			break
		}
	}
	return answer, err
}

// pushes bounds how often a push is tried that others of our own make as well: an
// older run, killed or not, whose git is still at work.
const pushes = 3

// push runs git push, and makes a sentence of what it says.
func (p *GitPush) push(ctx context.Context) (Answer, error) {
	out, said, err := p.run(ctx, "", "push", "--porcelain", "--no-progress", "--no-follow-tags", "--recurse-submodules=no", "--", p.Remote, p.From+":"+p.Ref)
	if ctx.Err() != nil {
		return Answer{}, ctx.Err()
	}
	report := readReport(out)
	var failed *settings.GitError
	switch {
	case err == nil:
		for _, to := range p.To {
			said = to.hide(said)
		}
		return Answer{report.unchanged, remarks(remoteLines(said))}, nil
	case !errors.As(err, &failed): // git did not run
		return Answer{}, err
	}
	if report.rejected != "" {
		to := p.To[min(report.by, len(p.To)-1)]
		err := to.rejected(report.rejected, remoteLines(failed.Said))
		if errors.Is(err, ErrRaced) {
			err = Errorf(Raced, "%s of %s has commits that are not here: git pull --rebase gets them, then push again", strings.TrimPrefix(p.Ref, "refs/heads/"), to.at.shown)
		}
		return Answer{}, err
	}
	to := p.To[min(report.servers, len(p.To)-1)]
	if strings.Contains(failed.Said, "fatal: ") || !p.Hooked {
		return Answer{}, to.explainGit(failed)
	}
	// The report has no branch, and git did not die: the hook said no.
	text, _, _ := strings.Cut(failed.Said, "error: failed to push")
	return Answer{}, Errorf(Rejected, "the pre-push hook of this repository refuses the push%s", to.hide(afterColon(serverSentence(text))))
}

// HaveGitFetch has git fetch objects of a remote by their hashes, as git does for a
// partial clone. The error is an [Error].
func (c *Connection) HaveGitFetch(ctx context.Context, git *settings.Program, remote string, hashes []plumbing.Hash) error {
	p := &GitPush{Git: git, To: []*Connection{c}}
	var wanted strings.Builder
	for _, hash := range hashes {
		wanted.WriteString(hash.String() + "\n")
	}
	_, _, err := p.run(ctx, wanted.String(), "-c", "fetch.negotiationAlgorithm=noop", "fetch", "-q", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--recurse-submodules=no", "--filter=blob:none", "--stdin", "--", remote)
	var failed *settings.GitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &failed):
		return c.explainGit(failed)
	}
	return err
}

// run runs git with the logins of the servers, and returns what it prints, and what is
// on its standard error.
func (p *GitPush) run(ctx context.Context, in string, args ...string) (out, said string, err error) {
	for _, to := range p.To {
		found, err := ownLogin(ctx, to.sys, to.at)
		if found != nil {
			err = to.use(found)
		}
		if err != nil {
			return "", "", err
		}
	}
	logins, secrets := p.logins()
	cmd := p.Git.Command(ctx, append(logins, args...)...)
	cmd.Env = append(cmd.Env, secrets...)
	aside := bounded{most: 1 << 16}
	cmd.Stderr = &aside
	out, err = settings.RunGit(cmd, in)
	return out, aside.kept.String(), err
}

// report holds what git push --porcelain says.
type report struct {
	servers   int    // that said something of the branch
	unchanged bool   // all of them have it
	rejected  string // why one did not take it, and which
	by        int
}

// https://git-scm.com/docs/git-push#_output
func readReport(out string) report {
	r := report{unchanged: true}
	for line := range strings.Lines(out) {
		flag, rest, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		switch {
		case strings.HasPrefix(line, "To "):
			r.servers++
		case flag == "!" && r.rejected == "":
			_, summary, _ := strings.Cut(rest, "\t")
			_, why, _ := strings.Cut(summary, "(")
			r.rejected, r.by = cmp.Or(strings.TrimSuffix(why, ")"), summary), r.servers-1
		case flag != "=" && rest != "":
			r.unchanged = false
		}
	}
	return r
}

// remoteLines returns what the server said on git's standard error.
func remoteLines(said string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(said, "\rremote: ", "\r"), "\n") {
		if rest, found := strings.CutPrefix(line, "remote:"); found {
			lines = append(lines, strings.TrimPrefix(rest, " "))
		}
	}
	return strings.Join(lines, "\n")
}

// compare reports, for a race that was lost, whether our commit has everything that
// the servers have, and whether theirs have ours.
func (p *GitPush) compare(ctx context.Context) (ours, theirs bool) {
	ours, theirs = true, true
	leads := func(from, to string) bool {
		_, err := p.Git.Ask("", nil, "merge-base", "--is-ancestor", from, to)
		return err == nil
	}
	for _, to := range p.To {
		if _, _, err := p.run(ctx, "", "fetch", "-q", "--no-tags", "--recurse-submodules=no", "--", to.at.given, p.Ref); err != nil {
			return false, false
		}
		ours, theirs = ours && leads("FETCH_HEAD", p.Commit), theirs && leads(p.Commit, "FETCH_HEAD")
	}
	return ours, theirs
}

// tokenHelper prints the login that two variables of ours have, and does not store
// or forget any. https://git-scm.com/docs/gitcredentials
const tokenHelper = `!f() { test "$1" = get && printf 'username=%%s\npassword=%%s\n' "$PM_GITOPS_GIT_USER_%[1]d" "$PM_GITOPS_GIT_TOKEN_%[1]d"; }; f`

// logins returns settings that give git the tokens of variables, each for its own
// origin and before all other helpers, and the variables that have the tokens
// themselves. No helper is asked for a server without TLS. SSH never prompts.
func (p *GitPush) logins() (args, env []string) {
	set := func(key, value string) { args = append(args, "-c", key+"="+value) }
	for i, to := range p.To {
		helper := "credential." + to.at.origin() + ".helper"
		switch {
		case to.login != nil:
			set(helper, "")
			set(helper, fmt.Sprintf(tokenHelper, i))
			env = append(env, fmt.Sprintf("PM_GITOPS_GIT_USER_%d=%s", i, to.login.User), fmt.Sprintf("PM_GITOPS_GIT_TOKEN_%d=%s", i, to.login.Password))
		case to.at.Protocol == "http" && !safeForLogin(to.at):
			set(helper, "")
			env = append(env, "GIT_ASKPASS=")
		}
	}
	if getenv := p.To[0].sys.Getenv; p.To[0].config.Get("core.sshcommand") == "" && getenv("GIT_SSH_COMMAND") == "" && getenv("GIT_SSH") == "" {
		set("core.sshCommand", "ssh -o BatchMode=yes")
	}
	set("color.remote", "false") // of the words of a server
	return args, env
}

// gitWords maps the words of git, its HTTP library and ssh to problems.
var gitWords = []struct {
	words string
	problem
}{
	{"could not read Username", noLogin}, {"could not read Password", noLogin}, {"Authentication failed", badLogin}, {"Permission denied (", noKeyTaken},
	{"REMOTE HOST IDENTIFICATION HAS CHANGED", problem{kind: ChangedHostKey}}, {"Host key verification failed", problem{kind: UnknownHostKey}},
	{"The requested URL returned error: 403", problem{kind: Forbidden}},
	{"Could not resolve ", noHost}, {"certificate subject name", otherCertificate}, {"certificate has expired", badCertificate},
	{"SSL certificate problem", unknownCA}, {"certificate verification failed", unknownCA}, {"error setting certificate", unknownCA},
	{"unexpected TLS packet", noTLS}, {"wrong version number", noTLS},
	{"Failed to connect", refused}, {"Connection refused", refused}, {"Connection timed out", noWay}, {"No route to host", noWay},
	{"is this a git repository?", notGit}, {"git-http-push failed", notGit}, {"invalid server response", notGit}, {"bad line length", notGit},
	{"' not found", noRepository}, {"does not appear to be a git repository", noRepository}, {"Repository not found", noRepository},
}

// explainGit makes a sentence of what git died with.
func (c *Connection) explainGit(failed *settings.GitError) error {
	var p problem
	for _, known := range gitWords {
		if strings.Contains(failed.Said, known.words) {
			p = known.problem
			break
		}
	}
	server := remoteLines(failed.Said)
	if c.at.Protocol == "ssh" { // what the server says comes as it is
		server, _, _ = strings.Cut(failed.Said, "fatal: Could not read from remote repository")
	}
	switch {
	case hasAny(server, missing), hasAny(server, archived), hasAny(server, denials), p.kind == Forbidden:
		return c.scrub(c.explainRefusal(p.kind, server))
	case p.kind == ChangedHostKey, p.kind == UnknownHostKey:
		return c.scrub(hostKey(p.kind, c.at.Host, max(c.at.Port, 22)))
	case p == noLogin && c.at.Protocol == "http" && !safeForLogin(c.at):
		p = plainHTTP
	case p.sentence == "":
		return c.scrub(Errorf(Other, "cannot talk to %s: %s", c.at.shown, text.Address(failed.Error())))
	}
	return c.scrub(c.say(p))
}
