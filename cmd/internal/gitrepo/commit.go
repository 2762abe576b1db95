package gitrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

// CommitOptions says how a commit is made.
type CommitOptions struct {
	Message Message
	// As replaces author and committer of Git's configuration and
	// environment name. Such a commit is not signed.
	As *Signature
	// Sign says whether the commit is signed, with the key that Git's configuration names.
	Sign Signing
	// IncludeIgnored commits files that .gitignore ignores, as git add -f does.
	IncludeIgnored bool
}

// indexPatience bounds the wait for others who work with the index. Git does
// not wait at all; but commits of ours may come many at a time.
const indexPatience = 30 * time.Second

// Commit makes a commit with changes on top of HEAD, in the way of git commit
// --only: other files are in it as HEAD has them, whatever is staged of them, and
// stay staged. HEAD's branch is moved, a detached HEAD itself. The index gets the
// entries of our files; the working tree is not touched.
//
// [ErrUnchanged] says that HEAD has it all; what the index lacks of it after a
// crash is put right then. Other errors, several at once where they are about
// files, say which file, lock, branch, key or setting refuses the commit. Nothing is
// changed then, but for objects that no branch has.
func (l *Local) Commit(ctx context.Context, changes Changes, o CommitOptions) (Result, error) {
	if l.git == nil && o.As == nil {
		return Result{}, noGit("commit in a checkout")
	}
	root, err := object.NewEdit(changes.Write, changes.Remove, l.prefix)
	if err != nil {
		return Result{}, err
	}
	name := filepath.Join(l.gitDir, "index")
	held, err := l.acquire(ctx, name, indexPatience)
	if err != nil {
		return Result{}, err
	}
	defer held.release()
	l.sweep()
	if err := l.refuseUnfinished(); err != nil {
		return Result{}, err
	}
	head, err := l.head()
	if err == nil && held.dead {
		dropDead(l.headFile(head))
		err = l.finishIndex(head)
	}
	if err != nil {
		return Result{}, err
	}
	return l.commitOn(ctx, head, root, o)
}

// commitOn makes the commit; the index is locked.
func (l *Local) commitOn(ctx context.Context, head headOf, root *object.Edit, o CommitOptions) (Result, error) {
	storage := l.objects()
	defer storage.Close()
	b, tree, staged, err := l.build(ctx, storage, head, root, o)
	if err != nil {
		return Result{}, err
	}
	at := filepath.Join(l.gitDir, "index")
	if len(b.Written)+len(b.Removed) == 0 {
		if staged.changes() {
			err = staged.write(at, staged.encode())
		}
		return Result{Branch: head.branch(), Unstaged: staged.unstaged}, errors.Join(ErrUnchanged, err)
	}
	result := Result{Branch: head.branch(), Written: b.Written, Removed: b.Removed, Unstaged: staged.unstaged}
	var content []byte
	wait := parallel.Start(func() { content = staged.encode() })
	result.Hash, err = l.record(ctx, head, b, tree, o)
	wait()
	if err != nil {
		return Result{}, err
	}
	return result, staged.write(at, content)
}

// build makes the trees, and finds out what is to change in the index.
func (l *Local) build(ctx context.Context, storage *object.Packs, head headOf, root *object.Edit, o CommitOptions) (*object.Builder, plumbing.Hash, *staging, error) {
	base, err := object.TreeOf(storage, head.hash)
	if err != nil {
		return nil, base, nil, err
	}
	var from object.Store = storage
	if partial := l.partialClone(storage.Rest()); partial != nil {
		on := &Base{store: storage, partial: partial, tree: base}
		if err := on.prefetch(ctx, root); err != nil {
			return nil, base, nil, err
		}
		from = lazyStore{ctx, on}
	}
	var x *object.Index
	var indexErr error
	wait := parallel.Start(func() { x, indexErr = readIndex(filepath.Join(l.gitDir, "index")) })
	written, removed := root.Paths()
	if o.As == nil {
		err = l.rules.AskAttributes(written)
	}
	b := object.NewBuilder(from, l.converter().ToGit, l.config.Bool("core.ignorecase", false))
	tree := base
	if err == nil {
		tree, err = b.Apply(base, root)
	}
	wait()
	if err := cmp.Or(indexErr, err); err != nil {
		return nil, tree, nil, err
	}
	staged, stageErr := l.stage(x, b, removed)
	err = errors.Join(errors.Join(b.Problems...), stageErr)
	if err == nil { // git does not answer for files behind a link and the like
		err = l.refuseIgnored(x, b, o)
	}
	return b, tree, staged, err
}

// converter makes what Git stores of files whose attributes were asked for.
func (l *Local) converter() settings.Converter {
	autocrlf := strings.ToLower(l.config.Get("core.autocrlf"))
	if autocrlf != "input" && l.config.Bool("core.autocrlf", false) {
		autocrlf = "true" // whatever it is called
	}
	return settings.Converter{Attributes: l.rules.Attributes, AutoCRLF: autocrlf}
}

// record stores a commit with its objects, and moves HEAD's branch to it.
func (l *Local) record(ctx context.Context, head headOf, b *object.Builder, tree plumbing.Hash, o CommitOptions) (string, error) {
	if tree.IsZero() {
		tree = b.Objects.Add(plumbing.TreeObject, nil)
	}
	made, by, err := signer{l.sys, l.config, l.who, o.Sign}.makeCommit(ctx, tree, head.hash, o)
	if err != nil {
		return "", err
	}
	hash := b.Objects.Add(plumbing.CommitObject, made)
	packed, err := object.NewStoredPack(b.Objects.All)
	if err != nil {
		return "", err
	}
	if err := l.storePack(packed); err != nil {
		return "", err
	}
	why := "commit: "
	if head.hash.IsZero() {
		why = "commit (initial): "
	}
	return hash.String(), l.advance(ctx, move{head, hash, by.Line(), why + o.Message.subject()})
}

// makeCommit returns a commit as Git stores it, signed where that is asked for, and its
// committer. A parent that is zero is none.
func (s signer) makeCommit(ctx context.Context, tree, parent plumbing.Hash, o CommitOptions) ([]byte, Signature, error) {
	var author, committer Signature
	var err error
	if o.As != nil {
		author, committer, s.wanted = *o.As, *o.As, SignNever
	} else if author, committer, err = s.who.Both(); err != nil {
		return nil, committer, err
	}
	text := o.Message.String()
	if text == "" {
		return nil, committer, errors.New("commit: the message is empty")
	}
	head := fmt.Sprintf("tree %s\n", tree)
	if !parent.IsZero() {
		head += fmt.Sprintf("parent %s\n", parent)
	}
	head += fmt.Sprintf("author %s\ncommitter %s\n", author.Line(), committer.Line())
	signature, err := s.sign(ctx, []byte(head+"\n"+text), committer)
	if signature != "" {
		head += "gpgsig " + strings.ReplaceAll(strings.TrimRight(signature, "\n"), "\n", "\n ") + "\n"
	}
	return []byte(head + "\n" + text), committer, err
}

// Check says why a commit of some changes would be refused, before their files are
// written: it makes all of it but stores nothing. Errors are those of
// [Local.Commit].
func (l *Local) Check(ctx context.Context, changes Changes, o CommitOptions) error {
	if l.git == nil && o.As == nil {
		return noGit("commit in a checkout")
	}
	_, _, noIdentity := l.who.Both()
	root, err := object.NewEdit(changes.Write, changes.Remove, l.prefix)
	head, headErr := l.head()
	if err := errors.Join(l.refuseUnfinished(), noIdentity, err, headErr); err != nil {
		return err
	}
	storage := l.objects()
	defer storage.Close()
	_, _, _, err = l.build(ctx, storage, head, root, o)
	return err
}

// refuseIgnored refuses files that are ignored and not known to the index yet.
func (l *Local) refuseIgnored(x *object.Index, b *object.Builder, o CommitOptions) error {
	if o.IncludeIgnored {
		return nil
	}
	news := slices.DeleteFunc(slices.Clone(b.Written), func(name string) bool { _, known := x.Find(name); return known })
	if err := l.rules.AskIgnored(news); err != nil {
		return err
	}
	return settings.RefuseIgnored(l.rules.IgnoredBy, news)
}

// refuseUnfinished refuses a repository in which a merge, or something like it, is under way:
// git makes no commit of some files then either.
func (l *Local) refuseUnfinished() error {
	for _, state := range [][2]string{{"MERGE_HEAD", "merge"}, {"CHERRY_PICK_HEAD", "cherry-pick"}, {"REVERT_HEAD", "revert"}, {"rebase-merge", "rebase"}, {"rebase-apply", "rebase"}} {
		if _, err := os.Lstat(filepath.Join(l.gitDir, state[0])); err == nil {
			return fmt.Errorf("a %s is under way in the repository: finish it, or stop it with git %[1]s --abort", state[1])
		}
	}
	return l.refuseHalfTakeover()
}

// refuseHalfTakeover names what an older version of this program left half-done: it took
// over what others had pushed, files first, and noted from where to where. Where the
// branch was moved since, the note is void.
func (l *Local) refuseHalfTakeover() error {
	name := filepath.Join(l.gitDir, "pm-gitops-catch-up")
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	head, headErr := l.head()
	if err := cmp.Or(err, headErr); err != nil {
		return fmt.Errorf("read %s: %w", name, settings.Reason(err))
	}
	words := strings.Fields(string(content))
	if len(words) != 3 || words[2] != head.ref || words[0] != head.hash.String() || !plumbing.IsHash(words[1]) {
		return os.Remove(name)
	}
	dropDead(filepath.Join(l.gitDir, "index"))
	dropDead(l.headFile(head))
	return fmt.Errorf("an older version of pm-gitops was stopped while it took over the commit %.12[1]s: git reset %.12[1]s moves the branch there and keeps all files, git restore brings those of them that git status names and you did not edit", words[1])
}
