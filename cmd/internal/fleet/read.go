package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// ReadError is the error of a file that was named and cannot be read.
type ReadError struct {
	Name         string
	InRepository bool // of the request, and not on this machine
	Err          error
}

func (e *ReadError) Error() string {
	switch {
	case e.InRepository:
		return fmt.Sprintf("read %s of the repository: %v", e.Name, e.Err)
	case e.Name == DefaultFile && errors.Is(e.Err, fs.ErrNotExist):
		return "there is no environment.yaml here"
	}
	return fmt.Sprintf("read %s: %v", e.Name, e.Err)
}

func (e *ReadError) Unwrap() error { return e.Err }

// read reads a file that the request names.
func (r Request) read(ctx context.Context, name string) ([]byte, error) {
	if r.Repository != nil {
		return r.readRepository(name)
	}
	if data, ok := r.instead(name); ok {
		return data, nil
	}
	return Read(ctx, name, r.Stdin)
}

// instead gives the content that counts in place of a file's.
func (r Request) instead(name string) ([]byte, bool) {
	if r.Instead == nil {
		return nil, false
	}
	resolved, err := Resolve(filepath.FromSlash(name))
	data, ok := r.Instead[resolved]
	return data, ok && err == nil
}

// Read reads a file of this machine, or stdin if its name is -, but no more than
// any file that is accepted has. It ends with ctx: standard input and named pipes
// may never end. Errors about files are a [*ReadError].
func Read(ctx context.Context, name string, stdin io.Reader) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := readWhole(name, stdin)
		done <- result{data, err}
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("read %s: %w", name, ctx.Err())
	case r := <-done:
		return r.data, r.err
	}
}

func readWhole(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		data, err := io.ReadAll(io.LimitReader(stdin, maxRead))
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return data, nil
	}
	data, err := readSome(name)
	if err != nil {
		return nil, &ReadError{Name: name, Err: errors.Unwrap(err)}
	}
	return data, nil
}

// maxRead is more than any file that we accept has.
const maxRead = 32 << 20

// readSome reads a file, but no more than maxRead: devices and pipes may have no end.
func readSome(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxRead))
}

// insideRepository reads the files that an environment file names, relative
// to the working directory like the environment file's own name, as long as
// they lie in the repository that holds it: its Git repository, or without
// one the working directory.
func insideRepository(file string) render.ReadFile {
	return func(name string) ([]byte, error) {
		top, err := RepositoryOf(file)
		if err != nil {
			return nil, err
		}
		path, err := filepath.Abs(filepath.FromSlash(name))
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", name, err)
		}
		inside, err := filepath.Rel(top, path)
		if err != nil || !filepath.IsLocal(inside) {
			return nil, fmt.Errorf("%s lies outside the repository %s", name, top)
		}
		root, err := os.OpenRoot(top)
		if err != nil {
			return nil, fmt.Errorf("open the repository: %w", err)
		}
		defer root.Close()
		if info, err := root.Stat(inside); err == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("read %s: it is no plain file", name)
		}
		data, err := root.ReadFile(inside)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, errors.Unwrap(err))
		}
		return data, nil
	}
}

// RepositoryOf finds the repository of a file: the closest folder above it that
// holds a .git, or the working directory.
func RepositoryOf(file string) (string, error) {
	working, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working directory: %w", err)
	}
	start := working
	if file != "-" {
		if start, err = filepath.Abs(filepath.Dir(file)); err != nil {
			return "", fmt.Errorf("find %s: %w", file, err)
		}
	}
	if top := RepositoryAbove(start); top != "" {
		return top, nil
	}
	if strings.HasPrefix(start+string(filepath.Separator), working+string(filepath.Separator)) {
		return working, nil
	}
	return start, nil
}

// RepositoryAbove finds the closest folder that holds a .git, from an absolute
// one upwards; empty if there is none.
func RepositoryAbove(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}
