package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// PushOptions is where a branch is pushed to: to the remote that git push would
// take (branch.NAME.pushRemote, remote.pushDefault, branch.NAME.remote, origin).
type PushOptions struct {
	// Branch is the branch there; if empty the one that remote.NAME.push names for
	// ours, or else the one of the same name. A detached HEAD has none.
	Branch string
}

// Pushed is what a push did.
type Pushed struct {
	URL    string // as it was given, without credentials; several with commas between
	Branch string // there; the whole name of what is no branch
	Hash   string // what it is at now, in hexadecimal
}

// Push lets git push HEAD's branch, to every URL that its remote is pushed to, and
// nothing else. It never forces, and refuses a configuration that would, or that
// would push more. The pre-push hook is run.
//
// [ErrUnchanged] says that the server has everything. A [RemoteError] of the kind
// Raced says that it has commits which are not in our branch.
func (l *Local) Push(ctx context.Context, o PushOptions) (Pushed, error) {
	head, err := l.head()
	if err != nil {
		return Pushed{}, err
	}
	if l.git == nil {
		return Pushed{}, noGit("push from a checkout")
	}
	to, err := l.destination(head, o)
	if err != nil {
		return Pushed{}, err
	}
	result := Pushed{strings.Join(to.shown(), ", "), strings.TrimPrefix(to.ref, "refs/heads/"), head.hash.String()}
	for range pushes {
		err = l.push(ctx, to)
		var said *RemoteError
		if !errors.As(err, &said) || said.Kind != Raced {
			break
		}
		ours, theirs := l.compare(ctx, head, to)
		if theirs {
			return result, ErrUnchanged
		}
		if !ours {
			break
		}
	}
	return result, err
}

// pushes is how often a push is tried that others of our own make as well: an older
// run, killed or not, whose git is still at work.
const pushes = 3

// ErrNoBranch is that nothing says which branch to push to.
var ErrNoBranch = errors.New("no branch with a commit is checked out: name the branch to push to")

// Branch is the branch that is checked out; empty where HEAD is detached.
func (l *Local) Branch() (string, error) {
	head, err := l.head()
	return head.branch(), err
}

// branchName is a branch's short name: refs/heads/main, as many systems for
// continuous integration call it, is main. An empty one stays empty.
func branchName(name string) (string, error) {
	short := strings.TrimPrefix(name, "refs/heads/")
	wrong := func(hint string) (string, error) {
		return "", &RemoteError{Kind: NoBranch, sentence: fmt.Sprintf("%q is no name of a branch%s", clip(name), hint)}
	}
	switch rest, origin := strings.CutPrefix(short, "origin/"); {
	case name == "":
		return "", nil
	case short == "HEAD", strings.HasPrefix(short, "refs/"), plumbing.NewBranchReferenceName(short).Validate() != nil:
		return wrong("")
	case origin:
		return wrong(fmt.Sprintf(" on the server: did you mean %s?", clip(rest)))
	}
	return short, nil
}

// destination is where a branch is pushed to.
type destination struct {
	remote string        // a name or a URL, for git
	from   string        // what is pushed: HEAD's branch, or HEAD
	ref    string        // there
	at     []*connection // every URL, with what is known of it; nothing is asked of it
}

func (d destination) shown() (urls []string) {
	for _, conn := range d.at {
		urls = append(urls, conn.at.shown)
	}
	return urls
}

func (l *Local) destination(head headOf, o PushOptions) (destination, error) {
	named, err := branchName(o.Branch)
	if err != nil {
		return destination{}, err
	}
	if head.hash.IsZero() || head.ref == "" && named == "" {
		return destination{}, ErrNoBranch
	}
	to := destination{from: firstOf(head.ref, "HEAD"), ref: "refs/heads/" + named}
	var urls []string
	if to.remote, urls, err = l.pushURLs(head.branch()); err != nil {
		return to, err
	}
	if err := l.pushesMore(to.remote); err != nil {
		return to, err
	}
	if named == "" {
		if to.ref, err = l.refThere(to.remote, head.ref); err != nil {
			return to, err
		}
	}
	for _, url := range urls {
		conn, err := l.known(url, len(l.config["remote."+to.remote+".pushurl"]) == 0)
		if err != nil {
			return to, err
		}
		to.at = append(to.at, conn)
	}
	return to, nil
}

// known gives what is known of a URL: its host, and the token that is for it.
func (l *Local) known(url string, pushes bool) (*connection, error) {
	at, err := newAddress(url, l.config, pushes)
	if err != nil {
		return nil, err
	}
	conn := &connection{sys: l.sys, config: l.config, at: at}
	if at.Protocol == "https" || at.Protocol == "http" {
		conn.extraHeaders() // none of them is shown
		return conn, conn.use(tokenFor(l.sys, at))
	}
	return conn, nil
}

// pushURLs gives the remote that is pushed to, by name or URL, and its URLs.
func (l *Local) pushURLs(branch string) (remote string, urls []string, err error) {
	name := firstOf(l.config.get("branch."+branch+".pushremote"), l.config.get("remote.pushdefault"), l.config.get("branch."+branch+".remote"))
	var names []string
	for key := range l.config {
		if other, found := strings.CutSuffix(strings.TrimPrefix(key, "remote."), ".url"); found && strings.HasPrefix(key, "remote.") {
			names = append(names, other)
		}
	}
	slices.Sort(names)
	if name == "" {
		name = "origin"
		if len(names) == 1 { // as git does
			name = names[0]
		}
	}
	urls = l.config["remote."+name+".pushurl"]
	if len(urls) == 0 {
		urls = l.config["remote."+name+".url"]
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
	urls = slices.Clone(urls)
	for i, url := range urls {
		if !strings.Contains(url, ":") && !strings.HasPrefix(url, "-") && !filepath.IsAbs(url) { // a path, seen from the working tree
			urls[i] = filepath.Join(l.workTree, url)
		}
	}
	return name, urls, nil
}

// pushesMore refuses settings with which git would push, or delete, more than a
// branch.
func (l *Local) pushesMore(remote string) error {
	mirror := "remote." + remote + ".mirror"
	switch recurse := strings.ToLower(l.config.get("push.recursesubmodules")); {
	case l.config.boolean(mirror, false):
		return misconfigured(mirror, "would make the server's branches and tags the same as those here, deleting others")
	case l.config.boolean("push.followtags", false):
		return misconfigured("push.followTags", "would push tags as well")
	case recurse == "on-demand", recurse == "only", l.config.boolean("push.recursesubmodules", false):
		return misconfigured("push.recurseSubmodules", "would push submodules as well")
	}
	return nil
}

func misconfigured(setting, does string) error {
	return &RemoteError{Kind: Misconfigured, sentence: fmt.Sprintf("%s %s, and only one branch is pushed here: git config --show-origin --get-all %s says where it is set", setting, does, setting)}
}

// refThere gives where a branch is pushed to: what remote.NAME.push says of it, and
// only of it, or else the branch of the same name.
func (l *Local) refThere(remote, branch string) (string, error) {
	setting := "remote." + remote + ".push"
	specs := l.config[setting]
	for _, spec := range specs {
		plain, forced := strings.CutPrefix(spec, "+")
		there, covered := mapRef(plain, branch)
		switch {
		case covered && forced:
			return "", misconfigured(setting, fmt.Sprintf("(%s) would force", clip(spec)))
		case covered:
			return there, nil
		}
	}
	if len(specs) > 0 {
		return "", misconfigured(setting, "names other branches than "+strings.TrimPrefix(branch, "refs/heads/"))
	}
	return branch, nil
}

// mapRef gives where a refspec pushes a branch, if it does.
// https://git-scm.com/docs/git-push#Documentation/git-push.txt-ltrefspecgt82308203
func mapRef(spec, branch string) (there string, covered bool) {
	from, to, mapped := strings.Cut(spec, ":")
	short := strings.TrimPrefix(branch, "refs/heads/")
	switch before, after, pattern := strings.Cut(from, "*"); {
	case spec == ":":
		return branch, true
	case pattern && len(branch) >= len(from)-1 && strings.HasPrefix(branch, before) && strings.HasSuffix(branch, after):
		star := branch[len(before) : len(branch)-len(after)]
		return strings.Replace(firstOf(to, from), "*", star, 1), true
	case pattern, from != "HEAD" && from != "@" && from != branch && from != short:
		return "", false
	case !mapped || to == "":
		return branch, true
	case strings.HasPrefix(to, "refs/"):
		return to, true
	}
	return "refs/heads/" + to, true
}

// noGit is that something takes the git program.
func noGit(what string) error {
	return &RemoteError{Kind: NoGit, sentence: what + ": this takes the git program, and there is none on the PATH; --repo does without"}
}
