package gitrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/storage"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Base is a commit: one of a remote repository, whose files are fetched when they
// are asked for, and so are its folders where there are many; or one of a [Local].
// The zero value has no files.
type Base struct {
	store      object.Store
	connection *transport.Connection // nil for a Local
	partial    *partialClone         // of a Local whose store has not everything, or nil
	storage    *memory.Storage       // of a Remote: where objects are fetched to
	prefix     string                // the folder that paths are below; empty for the root
	branch     string                // of a Remote
	commit     plumbing.Hash         // zero for none: the branch is yet to be born
	tree       plumbing.Hash
	folders    map[plumbing.Hash]map[string]object.Entry // that were read
	one        sync.Mutex                                // its file system is asked by many at once
	walked     int                                       // entries of folders that its file system gave
	branches   []string                                  // that a Remote has
}

// Commit returns the commit's hash in hexadecimal; zeros for the branch that is yet to be born.
func (b *Base) Commit() string { return b.commit.String() }

// Branches returns the branches that the server of a [Remote] had when the base was read,
// sorted.
func (b *Base) Branches() []string { return b.branches }

// Close lets go of the files of a repository that was read.
func (b *Base) Close() error {
	if closer, is := b.store.(io.Closer); is {
		return closer.Close()
	}
	return nil
}

// blob returns a file by its hash.
func (b *Base) blob(ctx context.Context, hash plumbing.Hash) ([]byte, error) {
	if err := b.fetch(ctx, []plumbing.Hash{hash}); err != nil {
		return nil, err
	}
	return object.Read(b.store, plumbing.BlobObject, hash)
}

// Far reports whether files may have to be fetched.
func (b *Base) Far() bool { return b.connection != nil || b.partial != nil }

func (b *Base) fetch(ctx context.Context, hashes []plumbing.Hash) error {
	switch {
	case b.connection != nil:
		return b.connection.ByHash(ctx, b.storage, hashes, b.commit)
	case b.partial != nil:
		return b.partial.fetch(ctx, hashes)
	}
	return nil
}

// List names the plain files below a folder, "." for all, sorted.
func (b *Base) List(ctx context.Context, dir string) ([]string, error) {
	at, found, err := b.entry(ctx, dir)
	if err != nil || !found || at.Mode != filemode.Dir {
		return nil, err
	}
	var names []string
	err = b.list(ctx, at.Hash, dir, &names)
	var missing *object.MissingError
	if b.connection != nil && errors.As(err, &missing) { // one request, for each folder is needed
		names = nil
		if err = b.connection.Below(ctx, b.storage, at.Hash); err == nil {
			err = b.list(ctx, at.Hash, dir, &names)
		}
	}
	return names, err
}

// list goes through folders that are here. Few objects can make very many files.
func (b *Base) list(ctx context.Context, hash plumbing.Hash, dir string, names *[]string) error {
	if b.partial != nil {
		if err := b.fetch(ctx, []plumbing.Hash{hash}); err != nil {
			return err
		}
	}
	entries, err := object.ReadTree(b.store, hash)
	if len(*names) > maxWalked {
		err = fmt.Errorf("the commit has more than %d files", maxWalked)
	}
	if err := cmp.Or(ctx.Err(), err); err != nil {
		return err
	}
	for _, entry := range entries {
		full := path.Join(dir, entry.Name)
		switch {
		case entry.Mode == filemode.Dir:
			err = b.list(ctx, entry.Hash, full, names)
		case object.IsFile(entry.Mode):
			*names = append(*names, full)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Files returns those of the files that are there and are plain files. They are
// fetched in one request, and one for each level of folders that are missing.
func (b *Base) Files(ctx context.Context, names ...string) (tree.Tree, error) {
	root := &object.Edit{}
	for _, name := range names {
		root.Put(path.Join(b.prefix, name), nil)
	}
	if err := b.prefetch(ctx, root); err != nil {
		return nil, err
	}
	hashes := map[string]plumbing.Hash{}
	var wanted []plumbing.Hash
	for _, name := range names {
		entry, found, err := b.entry(ctx, name)
		if err != nil {
			return nil, err
		}
		if found && object.IsFile(entry.Mode) {
			hashes[name] = entry.Hash
			wanted = append(wanted, entry.Hash)
		}
	}
	if err := b.fetch(ctx, wanted); err != nil {
		return nil, err
	}
	files := tree.Tree{}
	for name, hash := range hashes {
		content, err := object.Read(b.store, plumbing.BlobObject, hash)
		if err != nil {
			return nil, err
		}
		files[name] = content
	}
	return files, nil
}

// prefetch fetches the folders that an edit is about, a level at a time.
func (b *Base) prefetch(ctx context.Context, root *object.Edit) error {
	if !b.Far() {
		return nil
	}
	return root.Levels(b.tree, func(hashes []plumbing.Hash) ([][]object.Entry, error) {
		if err := b.fetch(ctx, hashes); err != nil {
			return nil, err
		}
		return object.ReadFolders(b.store, hashes)
	})
}

func (b *Base) folder(ctx context.Context, hash plumbing.Hash) (map[string]object.Entry, error) {
	if entries, known := b.folders[hash]; known {
		return entries, nil
	}
	if err := b.fetch(ctx, []plumbing.Hash{hash}); err != nil {
		return nil, err
	}
	folder, err := object.ReadTree(b.store, hash)
	entries := make(map[string]object.Entry, len(folder))
	for _, entry := range folder {
		entries[entry.Name] = entry
	}
	if err == nil {
		b.folders[hash] = entries
	}
	return entries, err
}

// entry finds what is at a path.
func (b *Base) entry(ctx context.Context, name string) (object.Entry, bool, error) {
	at := object.Entry{Mode: filemode.Dir, Hash: b.tree}
	if b.tree.IsZero() {
		return at, false, nil
	}
	if name = path.Join(b.prefix, name); name == "." {
		return at, true, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if at.Mode != filemode.Dir {
			return at, false, nil
		}
		entries, err := b.folder(ctx, at.Hash)
		if err != nil {
			return at, false, err
		}
		next, found := entries[part]
		if !found {
			return at, false, nil
		}
		at = next
	}
	return at, true, nil
}

// readAbove fetches all files of some names that are in folders above paths, in one
// request, and returns a function that reads them.
func (b *Base) readAbove(ctx context.Context, paths []string, files ...string) (func(string) []byte, error) {
	wanted := map[string]bool{}
	for _, name := range paths {
		for _, dir := range settings.FoldersAbove(name) {
			for _, file := range files {
				wanted[path.Join(dir, file)] = true
			}
		}
	}
	found, err := b.Files(ctx, slices.Sorted(maps.Keys(wanted))...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", strings.Join(files, " and "), err)
	}
	return func(name string) []byte { return found[name] }, nil
}

// At finds a commit of the repository by its name: HEAD, a branch, a tag,
// origin/main, a hash or the start of one, and HEAD~2 and the like. HEAD of a
// branch that is yet to be born is an empty one. Paths are below the folder that
// was opened. It must be closed.
func (l *Local) At(revision string) (*Base, error) {
	from := l.storage()
	b := &Base{store: from, partial: l.partialClone(from), prefix: l.prefix, folders: map[plumbing.Hash]map[string]object.Entry{}}
	var err error
	if b.commit, err = l.commitAt(from, revision); err == nil {
		b.tree, err = object.TreeOf(from, b.commit)
	}
	if err != nil {
		from.Close()
		return nil, err
	}
	return b, nil
}

func (l *Local) commitAt(from storage.Storer, revision string) (plumbing.Hash, error) {
	if revision == "HEAD" {
		head, err := l.head()
		return head.hash, err
	}
	// go-git takes more than it understands: main@{upstream} is main for it.
	for _, part := range []string{"@{", "^{", ":", "..", " "} {
		if strings.Contains(revision, part) {
			return plumbing.ZeroHash, fmt.Errorf("%q is no name that is understood here: want a branch, a tag, a hash, or one of them with ~1 or ^ behind it; git rev-parse gives the hash of others", text.Clip(revision))
		}
	}
	repository, err := git.Open(from, nil)
	if err != nil {
		return plumbing.ZeroHash, fmt.Errorf("find commit %q: %w", text.Clip(revision), err)
	}
	if hash, err := repository.ResolveRevision(plumbing.Revision(revision)); err == nil {
		if _, err := repository.CommitObject(*hash); err == nil {
			return *hash, nil
		}
	}
	var names []string
	if references, err := from.IterReferences(); err == nil {
		_ = references.ForEach(func(reference *plumbing.Reference) error {
			names = append(names, reference.Name().Short())
			return nil
		})
	}
	hint := ""
	near := text.Nearest(revision, names)
	if shallow, err := from.Shallow(); err == nil && len(shallow) > 0 {
		hint = ": the clone is shallow, git fetch --unshallow gets what is missing of it"
	} else if near != "" && !strings.ContainsAny(revision, "~^") {
		hint = fmt.Sprintf(": did you mean %s?", near)
	}
	return plumbing.ZeroHash, fmt.Errorf("there is no commit %q in %s%s", text.Clip(revision), l.workTree, hint)
}
