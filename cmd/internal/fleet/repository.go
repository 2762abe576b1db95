package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// machine is the files of this machine, by the names that its users give them.
type machine struct{}

func (machine) Open(name string) (fs.File, error)          { return os.Open(name) }
func (machine) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }
func (machine) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// files gives the files among which those of the request are.
func (r Request) files() fs.FS {
	if r.Repository != nil {
		return r.Repository
	}
	return machine{}
}

// fetcher is files that may have to come from a server: several in one request.
type fetcher interface{ Fetch(names ...string) error }

// fetch fetches files of the repository together, where it has to.
func (r Request) fetch(sources []Source) error {
	far, is := r.Repository.(fetcher)
	if !is {
		return nil
	}
	var names []string
	for _, file := range sources {
		names = append(names, file.Name)
	}
	return far.Fetch(names...)
}

// makeAbsolute gives a file's name as nothing else has it.
func (r Request) makeAbsolute(name string) (string, error) {
	if r.Repository != nil {
		return inRepository(name)
	}
	return filepath.Abs(name)
}

// inRepository gives a file's name as a repository has it.
func inRepository(name string) (string, error) {
	clean := path.Clean(filepath.ToSlash(name))
	if !fs.ValidPath(clean) {
		return "", fmt.Errorf("%s is no path inside the repository", name)
	}
	return clean, nil
}

// readRepository reads a file of the repository.
func (r Request) readRepository(name string) ([]byte, error) {
	clean, err := inRepository(name)
	if err != nil {
		return nil, err
	}
	var data []byte
	if clean, err = r.followLinks(clean); err == nil {
		var instead bool
		if data, instead = r.Instead[clean]; !instead {
			data, err = fs.ReadFile(r.Repository, clean)
		}
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	if err != nil {
		return nil, &ReadError{Name: name, InRepository: true, Err: err}
	}
	return data, nil
}

// followLinks gives the plain file that a path of the repository leads to, through
// symbolic links inside the repository, as it does in a checkout.
func (r Request) followLinks(name string) (string, error) {
	for range 10 {
		info, err := fs.Lstat(r.Repository, name)
		switch {
		case err != nil:
			return "", err
		case info.Mode().IsRegular():
			return name, nil
		case info.Mode().Type() != fs.ModeSymlink:
			return "", errors.New("it is no plain file")
		}
		target, err := fs.ReadLink(r.Repository, name)
		if err != nil {
			return "", err
		}
		name = path.Join(path.Dir(name), target)
		if path.IsAbs(target) || !fs.ValidPath(name) {
			return "", errors.New("it links to a file outside of the repository")
		}
	}
	return "", errors.New("its links lead to each other")
}

// readAtRoot reads a file of the repository that holds an environment file, by its path
// from the root, and gives the name that problems show.
func (r Request) readAtRoot(file, name string) (string, []byte, error) {
	if r.Repository != nil {
		data, err := r.readRepository(name)
		return name, data, err
	}
	top, err := RepositoryOf(file)
	if err != nil {
		return name, nil, err
	}
	name = filepath.Join(top, filepath.FromSlash(name))
	if working, err := os.Getwd(); err == nil {
		if near, err := filepath.Rel(working, name); err == nil {
			name = near
		}
	}
	data, err := insideRepository(file)(name)
	return filepath.ToSlash(name), data, err
}

// readBeside gives what reads the files that an environment file names.
func (r Request) readBeside(file string) render.ReadFile {
	if r.Repository != nil {
		return r.readRepository
	}
	return func(name string) ([]byte, error) {
		if data, ok := r.instead(name); ok {
			return data, nil
		}
		return insideRepository(file)(name)
	}
}

// noting reads as a function does, and adds each file to read.
func (r Request) noting(read tree.Tree, readFile render.ReadFile) render.ReadFile {
	return func(name string) ([]byte, error) {
		data, err := readFile(name)
		if err == nil {
			read[r.Place(name)] = data
		}
		return data, err
	}
}

// Place gives the path that a file which was read has in the repository, where its links
// lead; on this machine its name.
func (r Request) Place(name string) string {
	if r.Repository == nil {
		return name
	}
	clean, err := inRepository(name)
	if err != nil {
		return name
	}
	if plain, err := r.followLinks(clean); err == nil {
		return plain
	}
	return clean
}
