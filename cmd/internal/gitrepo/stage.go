package gitrepo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

// staging brings our files' entries of the index to what is committed.
type staging struct {
	local    *Local
	index    *object.Index
	files    *object.Builder
	news     []object.StagedEntry // sorted by name
	gone     map[string]bool      // names whose entries go
	unstaged []string
	racy     bool
}

// stage finds the changes of the index, and refuses those that cannot be made. The
// entries of all other files are left as they are.
func (l *Local) stage(x *object.Index, b *object.Builder, removed []string) (*staging, error) {
	s := &staging{local: l, index: x, files: b, gone: map[string]bool{}}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(b.Blobs)) {
		problems = append(problems, s.add(name))
	}
	for _, name := range removed {
		if _, there := x.Find(name); there {
			problems = append(problems, s.refuseConflict(name))
			s.noteUnstaged(name, plumbing.ZeroHash)
			s.gone[name] = true
		}
	}
	problems = append(problems, s.refuseFolders())
	if err := errors.Join(problems...); err != nil {
		return s, err
	}
	return s, s.stat()
}

// changes reports whether the index is to be written.
func (s *staging) changes() bool { return len(s.news)+len(s.gone) > 0 }

// add puts a file of ours on the list unless its entry is right as it is.
func (s *staging) add(name string) error {
	if err := s.refuseConflict(name); err != nil {
		return err
	}
	for _, dir := range settings.FoldersAbove(name)[1:] {
		if at, found := s.index.Find(dir + "/"); found && s.index.Entries[at].Mode() == object.ModeDir {
			return fmt.Errorf("%s: it is outside of this sparse checkout: git sparse-checkout add %s brings it in", name, dir)
		}
	}
	entry := object.StagedEntry{Name: name, Hash: s.files.Blobs[name]}
	binary.BigEndian.PutUint32(entry.Stat[object.StatMode:], uint32(s.files.Modes[name]))
	if at, found := s.index.Find(name); found {
		old := s.index.Entries[at]
		if old.Hash() == entry.Hash && old.Mode() == uint32(s.files.Modes[name]) && old.Extended()&^object.FlagSkip == 0 {
			return nil
		}
		entry.Extended = old.Extended() & object.FlagSkip
		s.noteUnstaged(name, entry.Hash)
	}
	s.news = append(s.news, entry)
	return nil
}

// refuseConflict refuses a file that is in conflict.
func (s *staging) refuseConflict(name string) error {
	if at, found := s.index.Find(name); found && s.index.Entries[at].Stage() > 0 {
		return fmt.Errorf("%s: it is in conflict: resolve that first (git status)", name)
	}
	return nil
}

func (s *staging) noteUnstaged(name string, ours plumbing.Hash) {
	at, _ := s.index.Find(name)
	staged := plumbing.Hash(s.index.Entries[at].Hash())
	if staged != s.files.Before[name] && staged != ours {
		s.unstaged = append(s.unstaged, name)
	}
}

// refuseFolders refuses files that would be folders in the index, and folders that
// would be files.
func (s *staging) refuseFolders() error {
	var problems []error
	for _, entry := range s.news {
		for _, dir := range settings.FoldersAbove(entry.Name)[1:] {
			if _, found := s.index.Find(dir); found && !s.gone[dir] {
				problems = append(problems, fmt.Errorf("%s: %s is staged as a file", entry.Name, dir))
			}
		}
		at, _ := s.index.Find(entry.Name + "/")
		for ; at < len(s.index.Entries) && strings.HasPrefix(s.index.Entries[at].Name, entry.Name+"/"); at++ {
			if other := s.index.Entries[at].Name; !s.gone[other] {
				problems = append(problems, fmt.Errorf("%s: it is a folder in the index, with %s", entry.Name, other))
				break
			}
		}
	}
	return errors.Join(problems...)
}

// write puts the new index in place. The caller holds its lock.
func (s *staging) write(name string, content []byte) error {
	written := s.index.Written
	// Git looks into files that are not older than the index: their entries may
	// miss a change of the same second. With a newer index it no longer would.
	// https://git-scm.com/docs/racy-git
	if !s.racy {
		written = time.Time{}
	}
	return s.local.place(placed{name: name, content: content, mode: 0o666, stamp: written, quick: true})
}

// encode returns the new index: the new entries among the old ones, which are sorted as
// they are. It notes whether git is to look into files of those.
func (s *staging) encode() []byte {
	merged, news := make([]object.IndexEntry, 0, len(s.index.Entries)+len(s.news)), s.news
	written := s.index.Written
	for _, entry := range s.index.Entries {
		for len(news) > 0 && news[0].Name < entry.Name {
			merged, news = append(merged, news[0].Entry()), news[1:]
		}
		if s.gone[entry.Name] || len(news) > 0 && news[0].Name == entry.Name {
			continue
		}
		merged = append(merged, entry)
		s.racy = s.racy || !written.IsZero() && int64(entry.Modified()) >= written.Unix()
	}
	for i := range news {
		merged = append(merged, news[i].Entry())
	}
	s.index.Entries = merged
	return s.index.Encode()
}

// stat fills in what the files on disk are like, where they are what is
// committed. Otherwise nothing is filled in, and git looks for itself.
func (s *staging) stat() error {
	plain, err := s.findFolders()
	if err != nil {
		return err
	}
	parallel.Share(len(s.news), func(mine iter.Seq[int]) {
		for i := range mine {
			if entry := &s.news[i]; plain[path.Dir(entry.Name)] {
				s.statFile(entry)
			}
		}
	})
	return nil
}

func (s *staging) statFile(entry *object.StagedEntry) {
	name := filepath.Join(s.local.workTree, filepath.FromSlash(entry.Name))
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	entry.Extended = 0 // it is there, sparse checkout or not
	seen := filemode.Regular
	if info.Mode()&0o100 != 0 {
		seen = filemode.Executable
	}
	if info.Size() > object.MaxIndexSize || s.local.config.Bool("core.filemode", true) && s.files.Modes[entry.Name] != seen {
		return
	}
	if !holds(name, entry.Hash) {
		return
	}
	fillStat(&entry.Stat, info)
	binary.BigEndian.PutUint32(entry.Stat[object.StatSize:], uint32(info.Size()))
}

// holds reports whether a file has some content, be it with the line ends that Git
// checks out where lines end in CR LF.
func holds(file string, hash plumbing.Hash) bool {
	content, err := os.ReadFile(file)
	if err != nil || plumbing.ComputeHash(plumbing.BlobObject, content) == hash {
		return err == nil
	}
	plain := bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	return len(plain) < len(content) && plumbing.ComputeHash(plumbing.BlobObject, plain) == hash
}

// findFolders refuses files behind a symbolic link, as git add does, and tells which
// folders of the others are there.
func (s *staging) findFolders() (map[string]bool, error) {
	plain := map[string]bool{}
	for _, entry := range s.news {
		for _, dir := range settings.FoldersAbove(entry.Name)[1:] {
			if _, seen := plain[dir]; seen {
				continue
			}
			info, err := os.Lstat(filepath.Join(s.local.workTree, filepath.FromSlash(dir)))
			if err == nil && info.Mode().Type() == fs.ModeSymlink {
				return nil, fmt.Errorf("%s: folder %s is a symbolic link", entry.Name, dir)
			}
			plain[dir] = err == nil && info.IsDir()
		}
	}
	plain["."] = true
	return plain, nil
}
