package gitrepo

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
)

// finishIndex does what a commit of ours had left to do whose process died after
// it moved the branch: the index gets the entries of what HEAD's commit changed.
// Only those entries that are still as the commit before has them, and whose file
// is as HEAD has it: changes that were staged since then, and files that were removed, stay. The index
// is locked.
func (l *Local) finishIndex(head headOf) error {
	if head.hash.IsZero() || l.git == nil {
		return nil
	}
	storage := l.storage()
	defer storage.Close()
	commit, err := object.ReadCommit(storage, head.hash)
	if err != nil || len(commit.ParentHashes) > 1 {
		return err
	}
	changes, err := l.changesOf(head.hash, len(commit.ParentHashes) == 0)
	if err != nil {
		return err
	}
	at := filepath.Join(l.gitDir, "index")
	x, err := readIndex(at)
	if err != nil {
		return err
	}
	s := staging{local: l, index: x, gone: map[string]bool{}}
	for _, one := range changes {
		s.finish(one)
	}
	if !s.changes() {
		return nil
	}
	slices.SortFunc(s.news, func(a, b object.StagedEntry) int { return strings.Compare(a.Name, b.Name) })
	return s.write(at, s.encode())
}

// change describes a path that a commit changed. The mode is empty where there is
// no file.
type change struct {
	path     string
	old, new object.Entry
}

// changesOf lists what a commit changed. Where the clone ends there, git lists nothing.
// https://git-scm.com/docs/git-diff-tree#_raw_output_format
func (l *Local) changesOf(commit plumbing.Hash, root bool) (changes []change, err error) {
	args := []string{"diff-tree", "-r", "-z", "--no-commit-id", "--no-renames"}
	if root {
		args = append(args, "--root")
	}
	out, err := l.git.Ask("", nil, append(args, commit.String())...)
	if err != nil {
		return nil, fmt.Errorf("git diff-tree: %w", err)
	}
	for line := range slices.Chunk(strings.Split(strings.TrimSuffix(out, "\x00"), "\x00"), 2) {
		words := strings.Fields(strings.TrimPrefix(line[0], ":"))
		if len(line) < 2 || len(words) < 4 {
			continue
		}
		one := change{path: line[1], old: object.Entry{Hash: plumbing.NewHash(words[2])}, new: object.Entry{Hash: plumbing.NewHash(words[3])}}
		one.old.Mode, _ = filemode.New(words[0])
		one.new.Mode, _ = filemode.New(words[1])
		changes = append(changes, one)
	}
	return changes, nil
}

// finish puts a change of HEAD on the list if the index lacks it.
func (s *staging) finish(one change) {
	at, there := s.index.Find(one.path)
	switch {
	case there && !s.index.Entries[at].Is(one.old), !there && one.old.Mode != filemode.Empty:
		return
	case !s.onDisk(one.path, one.new):
		return
	case one.new.Mode == filemode.Empty:
		s.gone[one.path] = true
		return
	}
	entry := object.StagedEntry{Name: one.path, Hash: one.new.Hash}
	binary.BigEndian.PutUint32(entry.Stat[object.StatMode:], uint32(one.new.Mode))
	s.news = append(s.news, entry)
}

// onDisk reports whether a plain file of the working tree is that of a commit, or is not
// there.
func (s *staging) onDisk(name string, file object.Entry) bool {
	full := filepath.Join(s.local.workTree, filepath.FromSlash(name))
	info, err := os.Lstat(full)
	if file.Mode == filemode.Empty || err != nil {
		return file.Mode == filemode.Empty && err != nil
	}
	return info.Mode().IsRegular() && object.IsFile(file.Mode) && holds(full, file.Hash)
}
