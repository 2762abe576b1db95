package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// push runs git push, and makes a sentence of what it says.
func (l *Local) push(ctx context.Context, to destination) error {
	args := append(l.logins(to), "push", "--porcelain", "--no-progress", "--no-follow-tags", "--recurse-submodules=no", "--", to.remote, to.from+":"+to.ref)
	cmd := l.git.command(ctx, args...)
	cmd.Env = append(cmd.Env, secretsOf(to)...)
	out, err := runGit(cmd, "")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	report := readReport(out)
	var failed *GitError
	if !errors.As(err, &failed) {
		if err == nil && report.unchanged {
			err = ErrUnchanged
		}
		return err
	}
	if report.rejected != "" {
		return to.at[min(report.by, len(to.at)-1)].refused(report.rejected, remoteLines(failed.said), to)
	}
	conn := to.at[min(report.servers, len(to.at)-1)]
	if strings.Contains(failed.said, "fatal: ") || !l.hook("pre-push") {
		return conn.explainGit(failed)
	}
	// Nothing was said of a branch, and git did not die: the hook said no.
	text, _, _ := strings.Cut(failed.said, "error: failed to push")
	return &RemoteError{Kind: Rejected, Host: conn.at.Host, sentence: "the pre-push hook of this repository refuses the push" + conn.hide(behindColon(serverSentence(text)))}
}

// refused makes an error of a branch that a server did not take.
func (c *connection) refused(status, progress string, to destination) error {
	err := c.rejected(status, progress)
	if errors.Is(err, errRaced) {
		return &RemoteError{Kind: Raced, Host: c.at.Host, sentence: fmt.Sprintf("%s of %s has commits that are not here: git pull --rebase gets them, then push again", strings.TrimPrefix(to.ref, "refs/heads/"), c.at.shown)}
	}
	return err
}

// report is what git push --porcelain says.
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
			r.rejected, r.by = firstOf(strings.TrimSuffix(why, ")"), summary), r.servers-1
		case flag != "=" && rest != "":
			r.unchanged = false
		}
	}
	return r
}

// remoteLines is what the server said on git's standard error.
func remoteLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, "remote:"); found {
			lines = append(lines, rest)
		}
	}
	return strings.Join(lines, "\n")
}

// compare reports, for a race that was lost, whether our commit has everything that
// the servers have, and whether theirs have ours.
func (l *Local) compare(ctx context.Context, head headOf, to destination) (ours, theirs bool) {
	ours, theirs = true, true
	leads := func(from, to string) bool {
		_, err := l.git.ask("", nil, "merge-base", "--is-ancestor", from, to)
		return err == nil
	}
	for _, conn := range to.at {
		args := append(l.logins(to), "fetch", "-q", "--no-tags", "--recurse-submodules=no", "--", conn.at.given, to.ref)
		cmd := l.git.command(ctx, args...)
		cmd.Env = append(cmd.Env, secretsOf(to)...)
		if _, err := runGit(cmd, ""); err != nil {
			return false, false
		}
		ours, theirs = ours && leads("FETCH_HEAD", head.hash.String()), theirs && leads(head.hash.String(), "FETCH_HEAD")
	}
	return ours, theirs
}

// tokenHelper prints the login that two variables of ours have, and does not store
// or forget any. https://git-scm.com/docs/gitcredentials
const tokenHelper = `!f() { test "$1" = get && printf 'username=%%s\npassword=%%s\n' "$PM_GITOPS_GIT_USER_%[1]d" "$PM_GITOPS_GIT_TOKEN_%[1]d"; }; f`

// logins is settings that give git the tokens of variables, each for its own origin
// and before all other helpers. The tokens themselves are in variables. No helper
// is asked for a server without TLS. Nobody is asked by SSH on a terminal.
func (l *Local) logins(to destination) []string {
	var args []string
	set := func(key, value string) { args = append(args, "-c", key+"="+value) }
	for i, conn := range to.at {
		switch helper := "credential." + conn.at.origin() + ".helper"; {
		case conn.login != nil:
			set(helper, "")
			set(helper, fmt.Sprintf(tokenHelper, i))
		case conn.at.Protocol == "http" && !safeForLogin(conn.at):
			set(helper, "")
		}
	}
	if l.config.get("core.sshcommand") == "" && l.sys.Getenv("GIT_SSH_COMMAND") == "" && l.sys.Getenv("GIT_SSH") == "" {
		set("core.sshCommand", "ssh -o BatchMode=yes")
	}
	return args
}

// secretsOf is the variables that the helpers of logins read.
func secretsOf(to destination) []string {
	var env []string
	for i, conn := range to.at {
		if conn.login != nil {
			env = append(env, fmt.Sprintf("PM_GITOPS_GIT_USER_%d=%s", i, conn.login.user), fmt.Sprintf("PM_GITOPS_GIT_TOKEN_%d=%s", i, conn.login.password))
		} else if conn.at.Protocol == "http" && !safeForLogin(conn.at) {
			env = append(env, "GIT_ASKPASS=")
		}
	}
	return env
}

// gitWords is how git, its HTTP library and ssh say what went wrong.
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
func (c *connection) explainGit(failed *GitError) error {
	var p problem
	for _, known := range gitWords {
		if strings.Contains(failed.said, known.words) {
			p = known.problem
			break
		}
	}
	server := remoteLines(failed.said)
	if c.at.Protocol == "ssh" { // what the server says comes as it is
		server, _, _ = strings.Cut(failed.said, "fatal: Could not read from remote repository")
	}
	switch {
	case hasAny(server, missing), hasAny(server, archived), hasAny(server, denials), p.kind == Forbidden:
		return c.told(c.turnedAway(p.kind, server))
	case p.kind == ChangedHostKey, p.kind == UnknownHostKey:
		return c.told(hostKey(p.kind, c.at.Host, max(c.at.Port, 22)))
	case p == noLogin && c.at.Protocol == "http" && !safeForLogin(c.at):
		p = plainHTTP
	case p.sentence == "":
		return c.told(&RemoteError{Kind: OtherRemote, sentence: fmt.Sprintf("cannot talk to %s: %s", c.at.shown, failed)})
	}
	return c.told(c.say(p))
}
