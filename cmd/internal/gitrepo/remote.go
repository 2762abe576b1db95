package gitrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Remote is a branch of a repository that has no checkout here.
type Remote struct {
	sys        System
	connection *transport.Connection
	config     settings.Config
	who        *settings.Identities
	branch     string
	from       string
	head       string // the default branch, once the server was asked
	said       []string
}

// RemoteOptions names a branch.
type RemoteOptions struct {
	Branch string // the default branch if empty; made by the first commit if it is not there
	From   string // what a new branch starts from: the default branch if empty
}

// Prepare returns the commits that are to be made on a base, one on top of the other. It
// is called again, with the new base, when other commits were faster: it must not keep
// anything of the call before.
type Prepare func(context.Context, *Base) ([]Draft, error)

// Draft describes a commit that is to be made.
type Draft struct {
	Changes Changes
	Message Message
}

// URL returns the URL that is pushed to, without credentials.
func (r *Remote) URL() string { return r.connection.PushURL() }

// Said returns what the server said when it took the last commits, line by line and fit
// for a terminal.
func (r *Remote) Said() []string { return r.said }

// tries bounds how often a lost race is run again. Each waits for up to twice as
// long as the one before, so twenty who start at once all arrive.
const tries = 24

// CommitEach makes several commits, one on top of the other, and pushes them as
// one: all of them arrive or none. It sends exactly the new objects. A lost race is
// fetched again, a bounded number of times; nothing is ever forced. The results are those
// of the drafts, in their order; one that changes nothing has no hash. The message of the
// options is not used.
//
// Errors are those of prepare, [ErrUnchanged], a [RemoteError] and, about files,
// as in [Local.Commit].
func (r *Remote) CommitEach(ctx context.Context, prepare Prepare, o CommitOptions) ([]Result, error) {
	var sent []Result
	for try := range tries {
		began := r.sys.Now()
		target, err := r.read(ctx, false)
		if err != nil {
			return nil, err
		}
		if at := lastCommit(sent); at != "" && target.at.String() == at { // it got there, though we were not told
			return sent, nil
		}
		results, err := r.attempt(ctx, target, prepare, o)
		if r.arrived(ctx, results, err) {
			err = nil
		}
		if !errors.Is(err, transport.ErrRaced) {
			if err != nil && !errors.Is(err, ErrUnchanged) {
				results = nil
			}
			return results, err
		}
		sent = results
		if err := r.pause(ctx, try, r.sys.Now().Sub(began)); err != nil {
			return nil, err
		}
	}
	return nil, transport.Errorf(transport.Raced, "others commit to %s of %s all the time: they were faster %d times", r.branch, r.connection.URL(), tries)
}

// lastCommit returns the last commit that was made, if any was.
func lastCommit(results []Result) string {
	for _, result := range slices.Backward(results) {
		if result.Hash != "" {
			return result.Hash
		}
	}
	return ""
}

// arrived reports, where a server may have done what we asked for and only did not get
// to say so, whether the branch has the commits that were sent.
func (r *Remote) arrived(ctx context.Context, sent []Result, err error) bool {
	var said *transport.Error
	hash := lastCommit(sent)
	if hash == "" || !errors.As(err, &said) || !slices.Contains([]transport.Kind{transport.NoConnection, transport.Stalled, transport.Other}, said.Kind) {
		return false
	}
	known, err := r.connection.References(ctx)
	return err == nil && known.Branch(sent[0].Branch).String() == hash
}

// pause waits by chance: for up to as long as the try took at first, and twice as
// long each time. A client that comes back sooner makes a busy server work for nothing.
func (r *Remote) pause(ctx context.Context, try int, took time.Duration) error {
	const least, most = 50 * time.Millisecond, 5 * time.Second
	longest := min(max(took, least), most) << min(try, 10)
	return r.sys.Sleep(ctx, time.Duration(r.sys.Random()*float64(min(longest, most))))
}

// target is a branch, and the commit that ours goes on top of.
type target struct {
	base   *Base
	branch string
	head   string        // the default branch
	at     plumbing.Hash // where the branch is, zero if it is not there
}

// Read returns the branch's newest commit, or that of the branch that it is to
// start from.
func (r *Remote) Read(ctx context.Context) (*Base, error) {
	target, err := r.read(ctx, false)
	return target.base, err
}

// read reads the branch or, if it is not there or is made anew, what it starts from.
func (r *Remote) read(ctx context.Context, anew bool) (target, error) {
	t := target{branch: r.branch}
	storage := memory.NewStorage()
	t.base = &Base{store: storage, storage: storage, connection: r.connection, folders: map[plumbing.Hash]map[string]object.Entry{}}
	err := r.connection.Tip(ctx, t.base.storage, func(known transport.References) (plumbing.Hash, error) {
		t.head = cmp.Or(known.Head, "main")
		r.head = t.head
		t.base.branches = known.Branches()
		t.branch = cmp.Or(r.branch, t.head)
		t.at = known.Branch(t.branch)
		t.base.commit, t.base.branch = t.at, t.branch
		if t.at.IsZero() || anew {
			t.base.branch = cmp.Or(r.from, t.head)
			t.base.commit = known.Branch(t.base.branch)
		}
		if t.base.commit.IsZero() && r.from != "" {
			return t.base.commit, r.noBranch(known)
		}
		if t.base.commit.IsZero() && len(known.Branches()) > 0 {
			return t.base.commit, transport.Errorf(transport.NoBranch, "%s does not say which branch is its default, and has no %s: name one that it has", r.connection.URL(), t.branch)
		}
		return t.base.commit, nil
	})
	if err == nil {
		t.base.tree, err = object.TreeOf(t.base.storage, t.base.commit)
	}
	return t, err
}

func (r *Remote) noBranch(known transport.References) error {
	hint := ""
	if near := text.Nearest(r.from, known.Branches()); near != "" {
		hint = fmt.Sprintf(": did you mean %s?", near)
	}
	return transport.Errorf(transport.NoBranch, "%s has no branch %s to start from%s", r.connection.URL(), r.from, hint)
}

// attempt makes commits on a base and sends them.
func (r *Remote) attempt(ctx context.Context, t target, prepare Prepare, o CommitOptions) ([]Result, error) {
	drafts, err := prepare(ctx, t.base)
	if err != nil {
		return nil, err
	}
	s := series{remote: r, base: t.base, at: t.base.commit, tree: t.base.tree}
	results := make([]Result, len(drafts))
	var problems []error
	for i, draft := range drafts {
		o.Message = draft.Message
		results[i], err = s.add(ctx, draft.Changes, o)
		results[i].Branch = t.branch
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if s.at == t.base.commit {
		return results, ErrUnchanged
	}
	packed, err := object.NewPack(s.objects.All)
	if err != nil {
		return nil, err
	}
	r.said, err = r.connection.Send(ctx, transport.Update{Branch: t.branch, From: t.at, To: s.at}, packed.Data)
	return results, err
}

// series makes commits, one on top of the other.
type series struct {
	remote  *Remote
	base    *Base
	at      plumbing.Hash // the last commit
	tree    plumbing.Hash // its tree
	objects object.Set
}

// add makes a commit, unless it would change nothing.
func (s *series) add(ctx context.Context, changes Changes, o CommitOptions) (Result, error) {
	b, tree, err := s.build(ctx, changes, o)
	if err != nil {
		return Result{}, err
	}
	s.objects = b.Objects
	if len(b.Written)+len(b.Removed) == 0 {
		return Result{}, nil
	}
	made, _, err := signer{s.remote.sys, s.remote.config, s.remote.who, o.Sign}.makeCommit(ctx, tree, s.at, o)
	if err != nil {
		return Result{}, err
	}
	s.at, s.tree = s.objects.Add(plumbing.CommitObject, made), tree
	return Result{Hash: s.at.String(), Written: b.Written, Removed: b.Removed}, nil
}

// build makes the trees. The base's .gitattributes and .gitignore count as they do in a
// checkout; those of the user's own settings do not.
func (s *series) build(ctx context.Context, changes Changes, o CommitOptions) (*object.Builder, plumbing.Hash, error) {
	root, err := object.NewEdit(changes.Write, changes.Remove, "")
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	if err := s.base.prefetch(ctx, root); err != nil {
		return nil, plumbing.ZeroHash, err
	}
	read, err := s.base.readAbove(ctx, changes.Write.Paths(), ".gitattributes", ".gitignore")
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	b := object.NewBuilder(lazyStore{ctx, s.base}, settings.Converter{Attributes: settings.NewAttributes(read).Of}.ToGit, false)
	b.Objects = s.objects // what the series made so far
	tree, err := b.Apply(s.tree, root)
	if err != nil {
		return nil, tree, err
	}
	if !o.IncludeIgnored {
		news := slices.DeleteFunc(slices.Clone(b.Written), func(name string) bool { _, known := b.Before[name]; return known })
		err = settings.RefuseIgnored(settings.NewIgnores(read).IgnoredBy, news)
	}
	if tree.IsZero() {
		tree = b.Objects.Add(plumbing.TreeObject, nil)
	}
	return b, tree, errors.Join(errors.Join(b.Problems...), err)
}
