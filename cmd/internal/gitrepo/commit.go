package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

// CommitOptions is how a commit is made.
type CommitOptions struct {
	Message Message
	// As is author and committer in place of those whom Git's configuration and
	// environment name. Such a commit is not signed.
	As *Signature
	// Sign is whether the commit is signed, with the key that Git's configuration names.
	Sign Signing
	// IncludeIgnored commits files that .gitignore ignores, as git add -f does.
	IncludeIgnored bool
}

// indexPatience is how long we wait for others who work with the index. Git does
// not wait at all; but commits of ours may come many at a time.
const indexPatience = 30 * time.Second

// Commit makes a commit with changes on top of HEAD, in the way of git commit
// --only: other files are in it as HEAD has them, whatever is staged of them, and
// stay staged. HEAD's branch is moved, a detached HEAD itself. The index gets the
// entries of our files; the working tree is not touched.
//
// [ErrUnchanged] says that HEAD has it all; what the index lacks of it after a
// crash is put right then. Other errors, several at once where they are about
// files: [PathError], [IgnoredError], [AttributeError], [LockedError],
// [MovedError], [object.IndexError], [SigningError], [object.MissingError], [ErrNoIdentity].
// Nothing is changed then, but for objects that nobody names.
func (l *Local) Commit(ctx context.Context, changes Changes, o CommitOptions) (Result, error) {
	if l.git == nil && o.As == nil {
		return Result{}, noGit("commit in a checkout")
	}
	root, err := newEdit(changes, l.inTree)
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
	if err := l.underWay(); err != nil {
		return Result{}, err
	}
	head, err := l.head()
	if err == nil && held.dead {
		err = l.finishIndex(head)
	}
	if err != nil {
		return Result{}, err
	}
	return l.commitOn(ctx, head, root, changes, o)
}

// commitOn makes the commit; the index is locked.
func (l *Local) commitOn(ctx context.Context, head headOf, root *edit, changes Changes, o CommitOptions) (Result, error) {
	storage := l.objects()
	defer storage.Close()
	b, tree, staged, err := l.build(storage, head, root, changes, o)
	if err != nil {
		return Result{}, err
	}
	at := filepath.Join(l.gitDir, "index")
	if len(b.written)+len(b.removed) == 0 {
		if staged.changes() {
			err = staged.write(at, staged.encode())
		}
		return Result{Branch: head.branch(), Unstaged: staged.unstaged}, errors.Join(ErrUnchanged, err)
	}
	result := Result{Branch: head.branch(), Written: b.written, Removed: b.removed, Unstaged: staged.unstaged}
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
func (l *Local) build(storage *object.Packs, head headOf, root *edit, changes Changes, o CommitOptions) (*builder, plumbing.Hash, *staging, error) {
	base, err := treeOf(storage, head.hash)
	if err != nil {
		return nil, base, nil, err
	}
	var x *object.Index
	var indexErr error
	wait := parallel.Start(func() { x, indexErr = readIndex(filepath.Join(l.gitDir, "index")) })
	if o.As == nil {
		err = l.rules.askAttributes(l.written(changes))
	}
	b := newBuilder(storage, l.converter(), l.config.boolean("core.ignorecase", false))
	tree := base
	if err == nil {
		tree, err = b.commit(base, root)
	}
	wait()
	if err := firstError(indexErr, err); err != nil {
		return nil, tree, nil, err
	}
	staged, stageErr := l.stage(x, b, l.removals(changes))
	err = errors.Join(errors.Join(b.problems...), stageErr)
	if err == nil { // git does not answer for files behind a link and the like
		err = l.notIgnored(x, b, o)
	}
	return b, tree, staged, err
}

// written is the files that are written, by their paths in the repository.
func (l *Local) written(changes Changes) []string {
	names := changes.Write.Paths()
	for i, name := range names {
		names[i] = l.inTree(name)
	}
	return names
}

// converter makes what Git stores of files whose attributes were asked for.
func (l *Local) converter() converter {
	autocrlf := strings.ToLower(l.config.get("core.autocrlf"))
	if autocrlf != "input" && l.config.boolean("core.autocrlf", false) {
		autocrlf = "true" // whatever it is called
	}
	return converter{l.rules.attributes, autocrlf}
}

// record stores a commit with its objects, and moves HEAD's branch to it.
func (l *Local) record(ctx context.Context, head headOf, b *builder, tree plumbing.Hash, o CommitOptions) (string, error) {
	if tree.IsZero() {
		tree = b.objects.Add(plumbing.TreeObject, nil)
	}
	made, by, err := commitObject(ctx, signer{l.sys, l.config, l.who, o.Sign}, tree, parentsOf(head.hash), o)
	if err != nil {
		return "", err
	}
	hash := b.objects.Add(plumbing.CommitObject, made)
	packed, err := object.NewStoredPack(b.objects.All)
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
	return hash.String(), l.advance(ctx, move{head, hash, by.line(), why + o.Message.subject()})
}

func treeOf(from object.Store, commit plumbing.Hash) (plumbing.Hash, error) {
	if commit.IsZero() {
		return plumbing.ZeroHash, nil
	}
	header, err := object.ReadCommit(from, commit)
	if header.Tree.String() == emptyTree {
		return plumbing.ZeroHash, err
	}
	return header.Tree, err
}

// emptyTree is known to every repository, also where it is not stored.
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

func parentsOf(hash plumbing.Hash) []plumbing.Hash {
	if hash.IsZero() {
		return nil
	}
	return []plumbing.Hash{hash}
}

// commitObject is a commit as Git stores it, signed where that is asked for, and
// its committer.
func commitObject(ctx context.Context, s signer, tree plumbing.Hash, parents []plumbing.Hash, o CommitOptions) ([]byte, Signature, error) {
	var author, committer Signature
	if o.As != nil {
		author, committer = *o.As, *o.As
	} else {
		var err, other error
		author, err = s.who.of("author")
		committer, other = s.who.of("committer")
		if err := errors.Join(err, other); err != nil {
			return nil, committer, firstError(err, other)
		}
	}
	text := o.Message.String()
	if text == "" {
		return nil, committer, errors.New("commit: the message is empty")
	}
	var head strings.Builder
	fmt.Fprintf(&head, "tree %s\n", tree)
	for _, parent := range parents {
		fmt.Fprintf(&head, "parent %s\n", parent)
	}
	fmt.Fprintf(&head, "author %s\ncommitter %s\n", author.line(), committer.line())
	if o.As != nil {
		return []byte(head.String() + "\n" + text), committer, nil
	}
	signature, err := s.sign(ctx, []byte(head.String()+"\n"+text), committer)
	if err != nil {
		return nil, committer, err
	}
	if signature != "" {
		head.WriteString("gpgsig " + strings.ReplaceAll(strings.TrimRight(signature, "\n"), "\n", "\n ") + "\n")
	}
	return []byte(head.String() + "\n" + text), committer, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// removals is the removed files by their paths in the repository.
func (l *Local) removals(changes Changes) []string {
	var names []string
	for _, name := range changes.Remove {
		if _, both := changes.Write[name]; !both {
			names = append(names, l.inTree(name))
		}
	}
	return names
}
