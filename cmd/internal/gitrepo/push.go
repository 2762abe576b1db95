package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// PushOptions is where a branch is pushed to.
type PushOptions struct {
	// Remote is a remote's name or a URL. If empty it is the one that git push
	// would take: branch.NAME.pushRemote, remote.pushDefault, branch.NAME.remote,
	// origin.
	Remote string
	// Branch is the branch there; if empty the one of the same name. A detached
	// HEAD has none.
	Branch string
}

// Pushed is what a push did.
type Pushed struct {
	URL    string // as it was given, without credentials
	Branch string // there
	Hash   string // what it is at now, in hexadecimal
}

// Push sends HEAD's branch: exactly the objects that are new there. It never
// forces. What git knows of the remote's branch is brought up to date.
//
// [ErrUnchanged] says that it has everything. A [RemoteError] of the kind Raced
// says that it has commits which are not in our branch.
func (l *Local) Push(ctx context.Context, o PushOptions) (Pushed, error) {
	head, err := l.head()
	if err != nil {
		return Pushed{}, err
	}
	to, err := l.destination(ctx, head, o)
	if err != nil {
		return Pushed{}, err
	}
	result := Pushed{URL: to.conn.at.shown, Branch: to.branch, Hash: head.hash.String()}
	err = l.pushTo(ctx, to.conn, update{ref: "refs/heads/" + to.branch, to: head.hash})
	if err == nil || errors.Is(err, ErrUnchanged) {
		err = errors.Join(err, l.track(ctx, to, head.hash, "update by push"))
	}
	return result, err
}

// ErrNoBranch is that nothing says which branch to push to.
var ErrNoBranch = errors.New("no branch with a commit is checked out: name the branch to push to")

// Branch is the branch that is checked out; empty where HEAD is detached.
func (l *Local) Branch() (string, error) {
	head, err := l.head()
	return head.branch(), err
}

// Last gives the commit that HEAD is at, in hexadecimal, and its message; both
// are empty for a branch that is yet to be born.
func (l *Local) Last() (hash, message string, err error) {
	head, err := l.head()
	if err != nil || head.hash.IsZero() {
		return "", "", err
	}
	storage := l.objects()
	defer storage.Close()
	data, err := readObject(storage, plumbing.CommitObject, head.hash)
	_, message, _ = strings.Cut(string(data), "\n\n")
	return head.hash.String(), message, err
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
	remote string // empty for a URL
	branch string
	conn   *connection
}

func (l *Local) destination(ctx context.Context, head headOf, o PushOptions) (destination, error) {
	named, err := branchName(o.Branch)
	if err != nil {
		return destination{}, err
	}
	to := destination{branch: firstOf(named, head.branch())}
	if to.branch == "" || head.hash.IsZero() {
		return to, ErrNoBranch
	}
	remote, url, err := l.pushURL(o.Remote, head.branch())
	if err != nil {
		return to, err
	}
	at, err := newAddress(url, l.config, l.config.get("remote."+remote+".pushurl") == "")
	if err != nil {
		return to, err
	}
	to.remote = remote
	to.conn, err = connect(ctx, l.sys, l.config, at)
	return to, err
}

// pushURL is a remote's name, empty for a URL, and its URL.
func (l *Local) pushURL(name, branch string) (remote, url string, err error) {
	named := name != ""
	if !named {
		name = firstOf(l.config.get("branch."+branch+".pushremote"), l.config.get("remote.pushdefault"), l.config.get("branch."+branch+".remote"))
		named = name != ""
		name = firstOf(name, "origin")
	}
	if url := firstOf(l.config.get("remote."+name+".pushurl"), l.config.get("remote."+name+".url")); url != "" {
		if !strings.Contains(url, ":") && !filepath.IsAbs(url) { // a path, seen from the working tree
			url = filepath.Join(l.workTree, url)
		}
		return name, url, nil
	}
	if strings.ContainsAny(name, ":/") {
		return "", name, nil
	}
	var names []string
	for key := range l.config {
		if other, found := strings.CutSuffix(strings.TrimPrefix(key, "remote."), ".url"); found && strings.HasPrefix(key, "remote.") {
			names = append(names, other)
		}
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return "", "", fmt.Errorf("there is no remote: git remote add %s URL adds one", name)
	case len(names) == 1 && !named: // as git does
		return l.pushURL(names[0], branch)
	}
	return "", "", fmt.Errorf("there is no remote %q: there are %s", name, strings.Join(names, ", "))
}

// pushTo sends what is new.
func (l *Local) pushTo(ctx context.Context, conn *connection, u update) error {
	sending, err := conn.startSending(ctx)
	if err != nil {
		return err
	}
	defer sending.session.Close()
	if u.from = sending.known.References[u.ref]; u.from == u.to {
		return ErrUnchanged
	}
	packed, err := l.newThere(u, sending.known.References)
	if err == nil {
		err = sending.send(ctx, u, packed)
	}
	if errors.Is(err, errRaced) {
		err = &RemoteError{Kind: Raced, Host: conn.at.Host, sentence: fmt.Sprintf("%s of %s has commits that are not here: git pull --rebase gets them, then push again", strings.TrimPrefix(u.ref, "refs/heads/"), conn.at.shown)}
	}
	return err
}

// newThere packs what a server lacks that has some references. The error is
// errRaced if its branch does not lead to ours.
func (l *Local) newThere(u update, has map[string]plumbing.Hash) ([]byte, error) {
	storage := l.objects()
	defer storage.Close()
	ends := endsOf(storage.rest)
	if !u.from.IsZero() {
		if inside, err := leadsTo(storage, ends, u.from, u.to); err != nil || !inside {
			return nil, firstError(err, errRaced)
		}
	}
	const most = 1000 // of the branches that may save us from sending something
	known := []plumbing.Hash{u.from}
	for _, ref := range sortedKeys(has) {
		if strings.HasPrefix(ref, "refs/heads/") && len(known) < most {
			known = append(known, has[ref])
		}
	}
	commits, err := since(storage, ends, u.to, known)
	if err != nil {
		return nil, err
	}
	b := between{from: storage, tried: map[plumbing.Hash]bool{}}
	if err := b.commits(commits); err != nil {
		return nil, err
	}
	packed, err := newPack(b.objects.all)
	if err != nil {
		return nil, err
	}
	return packed.data, nil
}

// track notes where the remote's branch is, where git fetch would note it too,
// and in the reflog how we know.
func (l *Local) track(ctx context.Context, to destination, at plumbing.Hash, why string) error {
	name := "refs/remotes/" + to.remote + "/" + to.branch
	fetched := l.config["remote."+to.remote+".fetch"]
	usual, single := "+refs/heads/*:refs/remotes/"+to.remote+"/*", "+refs/heads/"+to.branch+":"+name // git clone --single-branch
	if to.remote == "" || !slices.Contains(fetched, usual) && !slices.Contains(fetched, single) {
		return nil
	}
	known, err := l.resolve(name)
	if err != nil || known.hash == at {
		return err
	}
	file := filepath.Join(l.commonDir, filepath.FromSlash(name))
	if err := l.makeDirs(filepath.Dir(file)); err != nil {
		return fmt.Errorf("note %s: %w", name, reason(err))
	}
	held, err := l.acquire(ctx, file, time.Second)
	if err != nil {
		return fmt.Errorf("note %s: %w", name, err)
	}
	defer held.release()
	if by, err := l.who.of("committer"); err == nil {
		line := fmt.Sprintf("%s %s %s\t%s\n", known.hash, at, by.line(), why)
		if err := l.appendLog(filepath.Join(l.commonDir, "logs", filepath.FromSlash(name)), line); err != nil {
			return fmt.Errorf("note %s: %w", name, reason(err))
		}
	}
	return l.replace(l.gitDir, file, []byte(at.String()+"\n"))
}
