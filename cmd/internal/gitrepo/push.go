package gitrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// PushOptions says where a branch is pushed to: to the remote that git push would
// take (branch.NAME.pushRemote, remote.pushDefault, branch.NAME.remote, origin).
type PushOptions struct {
	// Branch is the branch there; if empty the one that remote.NAME.push names for
	// ours, or else the one of the same name. A detached HEAD has none.
	Branch string
}

// Pushed describes a push.
type Pushed struct {
	URL    string   // as it was given, without credentials; several with commas between
	Branch string   // there; the whole name of what is no branch
	Hash   string   // what it is at now, in hexadecimal
	Said   []string // by the servers, line by line and fit for a terminal
}

// Push lets git push HEAD's branch, to every URL that its remote is pushed to, and
// nothing else. It never forces, and refuses a configuration that would, or that
// would push more. The pre-push hook is run.
//
// [ErrUnchanged] says that the server has everything. A [RemoteError] of the kind
// [Raced] says that it has commits which are not in our branch.
func (l *Local) Push(ctx context.Context, o PushOptions) (Pushed, error) {
	head, err := l.head()
	if err != nil {
		return Pushed{}, err
	}
	if l.git == nil {
		return Pushed{}, noGit("push from a checkout")
	}
	to, err := l.findDestination(head, o)
	if err != nil {
		return Pushed{}, err
	}
	answer, err := to.Run(ctx)
	if answer.Unchanged {
		err = ErrUnchanged
	}
	return Pushed{to.URLs(), strings.TrimPrefix(to.Ref, "refs/heads/"), to.Commit, answer.Said}, err
}

// PushURL returns the URL that git push would push HEAD's branch to, the first where there
// are several. It may hold credentials.
func (l *Local) PushURL() (string, error) {
	urls, err := l.pushURLs()
	if err != nil {
		return "", err
	}
	return urls[0], nil
}

func (l *Local) pushURLs() ([]string, error) {
	head, err := l.head()
	if err != nil {
		return nil, err
	}
	_, urls, err := l.findURLs(head.branch())
	return urls, err
}

// PushesTo reports whether [Local.Push] to a branch pushes the branch of that name, or
// what git push sends there. It is true of every branch where HEAD is detached: then no
// branch here gets the commit.
func (l *Local) PushesTo(branch string) (bool, error) {
	named, err := branchName(branch)
	if err != nil {
		return false, err
	}
	head, err := l.head()
	if err != nil || head.ref == "" || named == "" || named == head.branch() {
		return err == nil, err
	}
	remote, _, err := l.findURLs(head.branch())
	if err != nil {
		return false, err
	}
	for _, spec := range l.config.All("remote." + remote + ".push") {
		if there, covered := mapRef(strings.TrimPrefix(spec, "+"), head.ref); covered {
			return there == "refs/heads/"+named, nil
		}
	}
	return false, nil
}

// ErrNoBranch says that neither HEAD nor the caller names the branch to push to.
var ErrNoBranch = errors.New("no branch with a commit is checked out: name the branch to push to")

// Branch returns the branch that is checked out; empty where HEAD is detached.
func (l *Local) Branch() (string, error) {
	head, err := l.head()
	return head.branch(), err
}

// branchName returns a branch's short name: refs/heads/main, as many systems for
// continuous integration call it, is main. An empty one stays empty.
func branchName(name string) (string, error) {
	short := strings.TrimPrefix(name, "refs/heads/")
	wrong := func(hint string) (string, error) {
		return "", transport.Errorf(transport.NoBranch, "%q is no name of a branch%s", text.Clip(name), hint)
	}
	switch rest, origin := strings.CutPrefix(short, "origin/"); {
	case name == "":
		return "", nil
	case short == "HEAD", strings.HasPrefix(short, "refs/"), plumbing.NewBranchReferenceName(short).Validate() != nil:
		return wrong("")
	case origin:
		return wrong(fmt.Sprintf(" on the server: did you mean %s?", text.Clip(rest)))
	}
	return short, nil
}

// findDestination finds out where a branch is pushed to.
func (l *Local) findDestination(head headOf, o PushOptions) (*transport.GitPush, error) {
	named, err := branchName(o.Branch)
	if err != nil {
		return nil, err
	}
	if head.hash.IsZero() || head.ref == "" && named == "" {
		return nil, ErrNoBranch
	}
	to := &transport.GitPush{Git: l.git, Commit: head.hash.String(), From: cmp.Or(head.ref, "HEAD"), Ref: "refs/heads/" + named, Hooked: l.hasHook("pre-push")}
	var urls []string
	if to.Remote, urls, err = l.findURLs(head.branch()); err != nil {
		return nil, err
	}
	if err := l.refuseMore(to.Remote); err != nil {
		return nil, err
	}
	if named == "" {
		if to.Ref, err = l.findRef(to.Remote, head.ref); err != nil {
			return nil, err
		}
	}
	for _, url := range urls {
		conn, err := transport.Describe(l.sys, l.config, url, l.config.Get("remote."+to.Remote+".pushurl") == "")
		if err != nil {
			return nil, err
		}
		to.To = append(to.To, conn)
	}
	return to, nil
}

// findURLs returns the remote that is pushed to, by name or URL, and its URLs.
func (l *Local) findURLs(branch string) (remote string, urls []string, err error) {
	name := cmp.Or(l.config.Get("branch."+branch+".pushremote"), l.config.Get("remote.pushdefault"), l.config.Get("branch."+branch+".remote"))
	var names []string
	for _, remote := range l.config.Sub("remote", "url") {
		names = append(names, remote.Key)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if name == "" {
		name = "origin"
		if len(names) == 1 { // as git does
			name = names[0]
		}
	}
	urls = l.config.All("remote." + name + ".pushurl")
	if len(urls) == 0 {
		urls = l.config.All("remote." + name + ".url")
	}
	switch {
	case len(urls) > 0:
	case strings.ContainsAny(name, ":/"):
		urls = []string{name}
	case len(names) == 0:
		return "", nil, fmt.Errorf("there is no remote: git remote add %s URL adds one", name)
	default:
		return "", nil, fmt.Errorf("there is no remote %q: there are %s", name, strings.Join(names, ", "))
	}
	for i, url := range urls {
		urls[i] = l.fromHere(url)
	}
	return name, urls, nil
}

// fromHere returns a URL; a path is one seen from the working tree.
func (l *Local) fromHere(url string) string {
	if !strings.Contains(url, ":") && !strings.HasPrefix(url, "-") && !filepath.IsAbs(url) {
		return filepath.Join(l.workTree, url)
	}
	return url
}

// refuseMore refuses settings with which git would push, or delete, more than a
// branch.
func (l *Local) refuseMore(remote string) error {
	mirror := "remote." + remote + ".mirror"
	switch recurse := strings.ToLower(l.config.Get("push.recursesubmodules")); {
	case l.config.Bool(mirror, false):
		return misconfigured(mirror, "would make the server's branches and tags the same as those here, deleting others")
	case l.config.Bool("push.followtags", false):
		return misconfigured("push.followTags", "would push tags as well")
	case recurse == "on-demand", recurse == "only", l.config.Bool("push.recursesubmodules", false):
		return misconfigured("push.recurseSubmodules", "would push submodules as well")
	}
	return nil
}

func misconfigured(setting, does string) error {
	return transport.Errorf(transport.Misconfigured, "%s %s, and only one branch is pushed here: git config --show-origin --get-all %s says where it is set", setting, does, setting)
}

// findRef returns where a branch is pushed to: what remote.NAME.push says of it, and
// only of it, or else the branch of the same name.
func (l *Local) findRef(remote, branch string) (string, error) {
	setting := "remote." + remote + ".push"
	specs := l.config.All(setting)
	for _, spec := range specs {
		plain, forced := strings.CutPrefix(spec, "+")
		there, covered := mapRef(plain, branch)
		switch {
		case covered && forced:
			return "", misconfigured(setting, fmt.Sprintf("(%s) would force", text.Clip(spec)))
		case covered:
			return there, nil
		}
	}
	if len(specs) > 0 {
		return "", misconfigured(setting, "names other branches than "+strings.TrimPrefix(branch, "refs/heads/"))
	}
	return branch, nil
}

// mapRef returns where a refspec pushes a branch, if it does.
// https://git-scm.com/docs/git-push#Documentation/git-push.txt-ltrefspecgt82308203
func mapRef(spec, branch string) (there string, covered bool) {
	from, to, mapped := strings.Cut(spec, ":")
	short := strings.TrimPrefix(branch, "refs/heads/")
	switch before, after, pattern := strings.Cut(from, "*"); {
	case spec == ":":
		return branch, true
	case pattern && len(branch) >= len(from)-1 && strings.HasPrefix(branch, before) && strings.HasSuffix(branch, after):
		star := branch[len(before) : len(branch)-len(after)]
		return strings.Replace(cmp.Or(to, from), "*", star, 1), true
	case pattern, from != "HEAD" && from != "@" && from != branch && from != short:
		return "", false
	case !mapped || to == "":
		return branch, true
	case strings.HasPrefix(to, "refs/"):
		return to, true
	}
	return "refs/heads/" + to, true
}

// noGit says that something takes the git program.
func noGit(what string) error {
	return transport.Errorf(transport.NoGit, "%s: this takes the git program, and there is none on the PATH; --repo does without", what)
}
