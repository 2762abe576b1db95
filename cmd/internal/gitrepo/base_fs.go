package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// FS returns the commit's files as a file system, which has [fs.ReadFileFS],
// [fs.ReadDirFS] and [fs.ReadLinkFS]. Symbolic links are not followed; submodules
// are empty folders. Files that are not here yet are fetched, one request for each file
// that is read; its method Fetch(names ...string) error fetches several at once. A file
// that has the bytes of one of likely, such as one that did not change, is known by its
// hash, and not read at all.
func (b *Base) FS(ctx context.Context, likely ...tree.Tree) fs.FS {
	known := map[plumbing.Hash][]byte{}
	for _, tree := range likely {
		for _, content := range tree {
			known[plumbing.ComputeHash(plumbing.BlobObject, content)] = content
		}
	}
	return commitFS{ctx, b, known}
}

type commitFS struct {
	ctx   context.Context
	base  *Base
	known map[plumbing.Hash][]byte
}

var _ interface {
	fs.ReadFileFS
	fs.ReadDirFS
	fs.ReadLinkFS
} = commitFS{}

// Fetch fetches files in one request, so that reading them takes none: those that
// are there, and whose bytes are not known.
func (f commitFS) Fetch(names ...string) error {
	var missing []string
	for _, name := range names {
		entry, err := at(f, "fetch", name, func(n node) (object.Entry, error) { return n.entry, nil })
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if _, known := f.known[entry.Hash]; !known {
			missing = append(missing, name)
		}
	}
	f.base.one.Lock()
	defer f.base.one.Unlock()
	_, err := f.base.Files(f.ctx, missing...)
	return err
}

// at does something with the file or folder at a path. Errors are an [fs.PathError].
func at[T any](f commitFS, operation, name string, do func(node) (T, error)) (result T, err error) {
	found, err := f.find(name)
	if err == nil {
		result, err = do(found)
	}
	if err != nil {
		err = &fs.PathError{Op: operation, Path: name, Err: err}
	}
	return result, err
}

func (f commitFS) find(name string) (node, error) {
	if !fs.ValidPath(name) {
		return node{}, fs.ErrInvalid
	}
	f.base.one.Lock()
	defer f.base.one.Unlock()
	entry, found, err := f.base.entry(f.ctx, name)
	if err == nil && !found {
		entry = object.Entry{Mode: filemode.Dir}
		if name != "." { // no commit yet, or one without the folder
			err = fs.ErrNotExist
		}
	}
	entry.Name = path.Base(name)
	return node{f, entry}, err
}

func (f commitFS) ReadFile(name string) ([]byte, error) { return at(f, "read", name, node.file) }
func (f commitFS) ReadDir(name string) ([]fs.DirEntry, error) {
	return at(f, "read", name, node.folder)
}
func (f commitFS) ReadLink(name string) (string, error)   { return at(f, "readlink", name, node.link) }
func (f commitFS) Lstat(name string) (fs.FileInfo, error) { return at(f, "lstat", name, node.Info) }
func (f commitFS) Stat(name string) (fs.FileInfo, error)  { return f.Lstat(name) }

func (f commitFS) Open(name string) (fs.File, error) {
	return at(f, "open", name, func(n node) (fs.File, error) {
		if n.IsDir() {
			entries, err := n.folder()
			return &openFolder{n, name, entries}, err
		}
		content, err := n.file()
		return openFile{n, bytes.NewReader(content)}, err
	})
}

// maxWalked is more entries than the folders of any real commit have: few objects
// can make very many.
const maxWalked = 1 << 23

func (f commitFS) inside(hash plumbing.Hash) (map[string]object.Entry, error) {
	f.base.one.Lock()
	defer f.base.one.Unlock()
	if err := f.ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := f.base.folder(f.ctx, hash)
	if f.base.walked += len(entries) + 1; f.base.walked > maxWalked {
		return nil, fmt.Errorf("the commit has more than %d files", maxWalked)
	}
	return entries, err
}

// node is a file or a folder of a commit.
type node struct {
	of    commitFS
	entry object.Entry
}

func (n node) content() ([]byte, error) {
	if content, known := n.of.known[n.entry.Hash]; known {
		return content, nil
	}
	n.of.base.one.Lock()
	defer n.of.base.one.Unlock()
	return n.of.base.blob(n.of.ctx, n.entry.Hash)
}

func (n node) file() ([]byte, error) {
	if !object.IsFile(n.entry.Mode) {
		return nil, errors.New("it is " + object.DescribeMode(n.entry.Mode))
	}
	content, err := n.content()
	return slices.Clone(content), err
}

func (n node) link() (string, error) {
	if n.entry.Mode != filemode.Symlink {
		return "", fs.ErrInvalid
	}
	content, err := n.content()
	return string(content), err
}

func (n node) folder() ([]fs.DirEntry, error) {
	if !n.IsDir() {
		return nil, errors.New("it is no folder")
	}
	if n.entry.Hash.IsZero() || n.entry.Mode == filemode.Submodule {
		return nil, nil
	}
	inside, err := n.of.inside(n.entry.Hash)
	var entries []fs.DirEntry
	for _, name := range slices.Sorted(maps.Keys(inside)) {
		entries = append(entries, node{n.of, inside[name]})
	}
	return entries, err
}

func (n node) Name() string { return n.entry.Name }
func (n node) IsDir() bool  { return n.Mode().IsDir() }

func (n node) Mode() fs.FileMode {
	switch n.entry.Mode {
	case filemode.Dir, filemode.Submodule:
		return fs.ModeDir | 0o755
	case filemode.Symlink:
		return fs.ModeSymlink | 0o777
	case filemode.Executable:
		return 0o755
	}
	return 0o644
}

func (n node) Type() fs.FileMode          { return n.Mode().Type() }
func (n node) Info() (fs.FileInfo, error) { return n, nil }
func (n node) ModTime() time.Time         { return time.Time{} } // Git keeps none
func (n node) Sys() any                   { return nil }

// Size reads the content to tell its size; 0 where it cannot be read.
func (n node) Size() int64 {
	if n.IsDir() {
		return 0
	}
	content, err := n.content()
	if err != nil {
		return 0
	}
	return int64(len(content))
}

// openFile reads a file.
type openFile struct {
	node
	*bytes.Reader
}

func (o openFile) Stat() (fs.FileInfo, error) { return o.node, nil }
func (o openFile) Close() error               { return nil }
func (o openFile) Size() int64                { return o.Reader.Size() }

// openFolder reads a folder.
type openFolder struct {
	node
	name string
	rest []fs.DirEntry
}

func (o *openFolder) Stat() (fs.FileInfo, error) { return o.node, nil }
func (o *openFolder) Close() error               { return nil }

func (o *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: o.name, Err: errors.New("it is a folder")}
}

func (o *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(o.rest)
	} else if len(o.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(o.rest))
	entries := o.rest[:n]
	o.rest = o.rest[n:]
	return entries, nil
}
