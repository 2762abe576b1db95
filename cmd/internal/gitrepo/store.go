package gitrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
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
// no program sees the pack.
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
	var x *object.Index
	if err == nil {
		defer file.Close()
		x, err = object.DecodeIndex(file)
	}
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", settings.Reason(err))
	}
	return x, nil
}

// headOf says where HEAD is.
type headOf struct {
	ref  string        // refs/heads/…; empty where HEAD is detached
	hash plumbing.Hash // zero for a branch that is yet to be born
}

func (h headOf) branch() string { return strings.TrimPrefix(h.ref, "refs/heads/") }

// head follows HEAD to a commit. On the way may be symbolic references.
func (l *Local) head() (headOf, error) {
	storage := l.storage()
	defer storage.Close()
	name := plumbing.HEAD
	for range 5 {
		reference, err := storage.Reference(name)
		switch {
		case errors.Is(err, plumbing.ErrReferenceNotFound) && name != plumbing.HEAD:
			return headOf{ref: name.String()}, nil
		case err != nil:
			return headOf{}, fmt.Errorf("read %s: %w", name, settings.Reason(err))
		case reference.Type() == plumbing.SymbolicReference:
			if name = reference.Target(); !name.IsBranch() || !filepath.IsLocal(name.String()) {
				return headOf{}, fmt.Errorf("read HEAD: it is %q, which is no branch", name)
			}
			continue
		case reference.Hash().IsZero():
			return headOf{}, fmt.Errorf("read %s: it is damaged", name)
		case name == plumbing.HEAD:
			return headOf{hash: reference.Hash()}, nil
		}
		return headOf{name.String(), reference.Hash()}, nil
	}
	return headOf{}, fmt.Errorf("read %s: references lead to each other", name)
}

// headFile returns the file that says where HEAD's branch, or a detached HEAD, is.
func (l *Local) headFile(head headOf) string {
	if head.ref == "" {
		return filepath.Join(l.gitDir, "HEAD")
	}
	return filepath.Join(l.commonDir, filepath.FromSlash(head.ref))
}

// move moves HEAD's branch, or a detached HEAD, to a commit.
type move struct {
	from headOf // where it was read
	to   plumbing.Hash
	by   string // who moves it, as reflogs have it
	why  string
}

// advance makes a move, if HEAD's branch, or a detached HEAD, is still where it was
// read, and writes the reflogs as git does.
func (l *Local) advance(ctx context.Context, m move) error {
	file, name := l.headFile(m.from), cmp.Or(m.from.ref, "HEAD")
	if err := l.makeDirs(filepath.Dir(file)); err != nil {
		return fmt.Errorf("move %s: %w (a branch whose name is the start of this one's is in the way)", name, settings.Reason(err))
	}
	held, err := l.acquire(ctx, file, time.Second)
	if err != nil {
		return fmt.Errorf("move %s: %w", name, err)
	}
	defer held.release()
	now, err := l.head()
	if err == nil && now != m.from {
		err = fmt.Errorf("%s was moved by somebody else meanwhile: run it again", name)
	}
	if err == nil {
		err = l.writeLogs(m)
	}
	if err != nil {
		return err
	}
	return l.place(placed{name: held.name, content: []byte(m.to.String() + "\n"), mode: 0o666})
}

// writeLogs appends to the reflogs of HEAD and of its branch.
func (l *Local) writeLogs(m move) error {
	from := m.from
	line := fmt.Sprintf("%s %s %s\t%s\n", from.hash, m.to, m.by, m.why)
	logs := []string{filepath.Join(l.gitDir, "logs", "HEAD")}
	if from.ref != "" {
		logs = append(logs, filepath.Join(l.commonDir, "logs", filepath.FromSlash(from.ref)))
	}
	for _, name := range logs {
		if err := l.appendLog(name, line); err != nil {
			return fmt.Errorf("write the reflog %s: %w", name, settings.Reason(err))
		}
	}
	return nil
}

func (l *Local) appendLog(name, line string) error {
	flags := os.O_WRONLY | os.O_APPEND
	if always := l.config.Get("core.logallrefupdates"); always == "always" || l.config.Bool("core.logallrefupdates", true) {
		if err := l.makeDirs(filepath.Dir(name)); err != nil {
			return err
		}
		flags |= os.O_CREATE
	}
	file, err := os.OpenFile(name, flags, l.sharedMode(0o666))
	if errors.Is(err, fs.ErrNotExist) && flags&os.O_CREATE == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = file.WriteString(line)
	return errors.Join(err, file.Close())
}

// lazyStore reads objects of a base, and fetches files that are not here.
type lazyStore struct {
	ctx  context.Context
	base *Base
}

func (s lazyStore) EncodedObject(kind plumbing.ObjectType, hash plumbing.Hash) (plumbing.EncodedObject, error) {
	if kind == plumbing.BlobObject {
		if err := s.base.fetch(s.ctx, []plumbing.Hash{hash}); err != nil {
			return nil, err
		}
	}
	return s.base.store.EncodedObject(kind, hash)
}
