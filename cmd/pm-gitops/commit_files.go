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
	if in.commit != nil {
		return in.commit
	}
	return here{}
}

// absolute is a file's name as nothing else has it.
func (in input) absolute(name string) (string, error) {
	if in.commit != nil {
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
	info, err := fs.Lstat(in.commit, clean)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no plain file")
	}
	var data []byte
	if err == nil {
		data, err = fs.ReadFile(in.commit, clean)
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of the repository: %w", name, err)
	}
	return data, nil
}

// beside reads the files that an environment file names.
func (in input) beside(file string) render.ReadFile {
	if in.commit != nil {
		return in.readCommitted
	}
	return insideRepository(file)
}
