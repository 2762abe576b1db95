package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/pm-gitops/pm-gitops/render"
)

// here is the files of this machine, by the names that its users give them.
type here struct{}

func (here) Open(name string) (fs.File, error)          { return os.Open(name) }
func (here) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }
func (here) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// place is where the files are that the flags name.
func (in input) place() fs.FS {
	if in.tree != nil {
		return in.tree
	}
	return here{}
}

// fetcher is files that may have to come from a server: several in one request.
type fetcher interface{ Fetch(names ...string) error }

// fetch fetches files of a commit together, where it has to.
func (in input) fetch(sources []source) error {
	far, is := in.tree.(fetcher)
	if !is {
		return nil
	}
	var names []string
	for _, file := range sources {
		names = append(names, file.name)
	}
	return far.Fetch(names...)
}

// absolute is a file's name as nothing else has it.
func (in input) absolute(name string) (string, error) {
	if in.tree != nil {
		return in.inCommit(name)
	}
	return filepath.Abs(name)
}

// inCommit is a file's name as a commit has it.
func (in input) inCommit(name string) (string, error) {
	clean := path.Clean(filepath.ToSlash(name))
	if !fs.ValidPath(clean) {
		return "", fmt.Errorf("%s is no path inside the repository", name)
	}
	return clean, nil
}

// readCommitted reads a file of the commit.
func (in input) readCommitted(name string) ([]byte, error) {
	clean, err := in.inCommit(name)
	if err != nil {
		return nil, err
	}
	info, err := fs.Lstat(in.tree, clean)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no plain file")
	}
	var data []byte
	if err == nil {
		data, err = fs.ReadFile(in.tree, clean)
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	if err == nil {
		return data, nil
	}
	missing := errors.Is(err, fs.ErrNotExist)
	err = fmt.Errorf("read %s of the repository: %w", name, err)
	if _, absent := os.Stat(name); missing && absent == nil {
		err = hinted{err, "With --repo, files are those of the repository; --local takes those that are here."}
	}
	return nil, err
}

// beside reads the files that an environment file names.
func (in input) beside(file string) render.ReadFile {
	if in.tree != nil {
		return in.readCommitted
	}
	return insideRepository(file)
}
