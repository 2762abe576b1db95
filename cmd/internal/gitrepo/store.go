package gitrepo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// storage reads objects. It is made anew for each use: git may repack meanwhile.
func (l *Local) storage() *filesystem.Storage {
	git, common := osfs.New(l.gitDir), osfs.New(l.commonDir)
	repository := dotgit.NewRepositoryFilesystem(git, common)
	return filesystem.NewStorageWithOptions(object.WholePacks{Filesystem: repository}, cache.NewObjectLRU(32*cache.MiByte), filesystem.Options{
		KeepDescriptors: true,
		AlternatesFS:    object.WholePacks{Filesystem: osfs.New("/")},
	})
}

// objects reads objects faster than the storage does. It is made anew for each use, too.
func (l *Local) objects() *object.Packs {
	return object.OpenPacks(filepath.Join(l.commonDir, "objects", "pack"), l.storage())
}

// storePack puts a pack into the repository. The index comes last: without it
// there is no pack for anybody.
func (l *Local) storePack(p *object.Pack) error {
	dir := filepath.Join(l.commonDir, "objects", "pack")
	if err := l.makeDirs(dir); err != nil {
		return fmt.Errorf("store objects: %w", settings.Reason(err))
	}
	if _, err := os.Stat(filepath.Join(dir, p.Name+".idx")); err == nil {
		return nil // the same objects, packed by a run that was killed after it
	}
	encoded, err := p.Index()
	if err != nil {
		return err
	}
	if err := l.placePack(dir, p.Name+".pack", p.Data); err != nil {
		return err
	}
	return l.placePack(dir, p.Name+".idx", encoded)
}

// placePack writes a file under a name that git gc removes if we do not get to
// rename it.
func (l *Local) placePack(dir, name string, content []byte) error {
	return l.place(placed{pattern: filepath.Join(dir, "tmp_pack_%016x"), name: filepath.Join(dir, name), content: content, mode: 0o444})
}

// readIndex reads an index file; one that is not there is empty.
func readIndex(name string) (*object.Index, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return object.NewIndex(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", settings.Reason(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", settings.Reason(err))
	}
	if info.Size() > object.MaxIndexSize {
		return nil, object.ErrLarge
	}
	var text strings.Builder // and no bytes, of which each name would be a copy
	text.Grow(int(info.Size()))
	if _, err := io.Copy(&text, io.LimitReader(file, object.MaxIndexSize)); err != nil {
		return nil, fmt.Errorf("read the index: %w", settings.Reason(err))
	}
	x, err := object.DecodeIndex(text.String())
	if err != nil {
		return nil, err
	}
	x.Written = info.ModTime()
	return x, nil
}
