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

	"github.com/pm-gitops/pm-gitops/render/tree"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
)

// FS is the commit's files as a file system, which has [fs.ReadFileFS],
// [fs.ReadDirFS] and [fs.ReadLinkFS]. Symbolic links are not followed; submodules
// are empty folders. What is not here yet is fetched, one request for each file
// that is read; its method Fetch(names ...string) error fetches several at once. A file that has the bytes of one of likely, such as one that did not
// change, is known by its hash, and not read at all.
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
		at, err := f.find("fetch", name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if _, known := f.known[at.entry.Hash]; !known {
			missing = append(missing, name)
		}
	}
	f.base.one.Lock()
	defer f.base.one.Unlock()
	_, err := f.base.Files(f.ctx, missing...)
	return err
}

// find is what is at a path.
func (f commitFS) find(operation, name string) (node, error) {
	if !fs.ValidPath(name) {
		return node{}, &fs.PathError{Op: operation, Path: name, Err: fs.ErrInvalid}
	}
	f.base.one.Lock()
	entry, found, err := f.base.entry(f.ctx, name)
	f.base.one.Unlock()
	if err == nil && !found {
		entry, err = object.Entry{Mode: filemode.Dir}, fs.ErrNotExist
		if name == "." { // no commit yet, or one without the folder
			err = nil
		}
	}
	if err != nil {
		return node{}, &fs.PathError{Op: operation, Path: name, Err: err}
	}
	entry.Name = path.Base(name)
	return node{f, entry}, nil
}

func (f commitFS) Open(name string) (fs.File, error) {
	at, err := f.find("open", name)
	if err != nil {
		return nil, err
	}
	if at.IsDir() {
		entries, err := f.ReadDir(name)
		return &openFolder{at, name, entries}, err
	}
	content, err := f.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return openFile{at, bytes.NewReader(content)}, nil
}

func (f commitFS) ReadFile(name string) ([]byte, error) {
	at, err := f.find("read", name)
	if err != nil {
		return nil, err
	}
	if !object.IsFile(at.entry.Mode) {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("it is " + object.DescribeMode(at.entry.Mode))}
	}
	content, err := at.content()
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return slices.Clone(content), nil
}

func (f commitFS) ReadDir(name string) ([]fs.DirEntry, error) {
	at, err := f.find("read", name)
	if err != nil {
		return nil, err
	}
	if !at.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("it is no folder")}
	}
	if at.entry.Hash.IsZero() || at.entry.Mode == filemode.Submodule {
		return nil, nil
	}
	inside, err := f.inside(at.entry.Hash)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	var entries []fs.DirEntry
	for _, name := range slices.Sorted(maps.Keys(inside)) {
		entries = append(entries, node{f, inside[name]})
	}
	return entries, nil
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

func (f commitFS) Stat(name string) (fs.FileInfo, error) { return f.Lstat(name) }

func (f commitFS) Lstat(name string) (fs.FileInfo, error) {
	at, err := f.find("lstat", name)
	if err != nil {
		return nil, err
	}
	return at, nil
}

func (f commitFS) ReadLink(name string) (string, error) {
	at, err := f.find("readlink", name)
	if err != nil {
		return "", err
	}
	if at.entry.Mode != filemode.Symlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	content, err := at.content()
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return string(content), nil
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

// Size is that of the content, which is read for it; 0 where it cannot be.
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

// openFile is a file that is read.
type openFile struct {
	node
	*bytes.Reader
}

func (o openFile) Stat() (fs.FileInfo, error) { return o.node, nil }
func (o openFile) Close() error               { return nil }
func (o openFile) Size() int64                { return o.Reader.Size() }

// openFolder is a folder that is read.
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
