package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/memory"
)

// fetchTip brings a branch's newest commit into the repository, with what is not
// here of that which leads to it, in one pack, and notes where the branch is.
// What is shallow stays shallow: the server is told where the history ends.
func (l *Local) fetchTip(ctx context.Context, to destination, from plumbing.Hash) (plumbing.Hash, error) {
	var tip plumbing.Hash
	arriving := &incoming{Storage: memory.NewStorage(), local: l}
	defer arriving.discard()
	_, err := to.conn.fetch(ctx, arriving, func(known references) (want, error) {
		if tip = known.branch(to.branch); tip.IsZero() {
			return want{}, &RemoteError{Kind: NoBranch, Host: to.conn.at.Host, sentence: fmt.Sprintf("%s has no branch %s any more", to.conn.at.shown, to.branch)}
		}
		return l.wantTip(tip, from, to)
	})
	if err = firstError(arriving.err, err); err != nil {
		return tip, err
	}
	if arriving.file != nil {
		if err := arriving.keep(); err != nil {
			return tip, fmt.Errorf("fetch %s of %s: %w", to.branch, to.conn.at.shown, err)
		}
		if err := l.whole(tip, from); err != nil {
			return tip, fmt.Errorf("fetch %s of %s: what came is not whole: %w", to.branch, to.conn.at.shown, err)
		}
	}
	return tip, l.track(ctx, to, tip, "fetch")
}

// wantTip asks for a commit, and says what is here: the commit that ours is on
// top of and some of those before it, and what was fetched of the branch.
func (l *Local) wantTip(tip, from plumbing.Hash, to destination) (want, error) {
	const most = 256
	storage := l.storage()
	defer storage.Close()
	ends, err := storage.Shallow()
	if err != nil {
		return want{}, fmt.Errorf("read where the history ends: %w", err)
	}
	if storage.HasEncodedObject(tip) == nil && l.whole(tip, from) == nil {
		return want{}, nil // somebody fetched it before
	}
	asked := want{hashes: []plumbing.Hash{tip}, ends: ends}
	for at := from; len(asked.has) < most; {
		header, err := readCommit(storage, at)
		if err != nil {
			break // the history ends here
		}
		if asked.has = append(asked.has, at); len(header.parents) == 0 {
			break
		}
		at = header.parents[0]
	}
	if known, err := l.resolve("refs/remotes/" + to.remote + "/" + to.branch); err == nil && !known.hash.IsZero() && known.hash != tip {
		asked.has = append(asked.has, known.hash)
	}
	return asked, nil
}

// endsOf is the commits of a shallow clone whose parents are not here.
func endsOf(from *filesystem.Storage) map[plumbing.Hash]bool {
	ends := map[plumbing.Hash]bool{}
	shallow, _ := from.Shallow()
	for _, hash := range shallow {
		ends[hash] = true
	}
	return ends
}

// whole fails unless everything is here that leads to a commit, and does not
// lead to another which is known to be whole.
func (l *Local) whole(tip, known plumbing.Hash) error {
	storage := l.storage()
	defer storage.Close()
	commits, err := since(storage, endsOf(storage), tip, []plumbing.Hash{known})
	if err != nil {
		return err
	}
	b := between{from: storage, tried: map[plumbing.Hash]bool{}, visit: func(kind plumbing.ObjectType, hash plumbing.Hash) error {
		if kind == plumbing.BlobObject && storage.HasEncodedObject(hash) != nil { // all others are read
			return &MissingObjectError{kind.String(), hash.String()}
		}
		return nil
	}}
	return b.commits(commits)
}

// incoming is a pack that comes from a server: a file that gets its name when it
// is whole.
type incoming struct {
	*memory.Storage // stays empty: what is asked of a store besides
	local           *Local
	file            *os.File
	err             error
}

var _ storer.PackfileWriter = &incoming{}

// PackfileWriter gives where the pack is written to. git gc removes a file of
// that name that is old.
func (i *incoming) PackfileWriter() (io.WriteCloser, error) {
	dir := filepath.Join(i.local.commonDir, "objects", "pack")
	if i.err = i.local.makeDirs(dir); i.err == nil {
		i.file, i.err = os.OpenFile(filepath.Join(dir, fmt.Sprintf("tmp_pack_%016x", rand.Uint64())), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o444)
	}
	if i.err != nil {
		i.err = fmt.Errorf("store objects: %w", reason(i.err))
		return nil, i.err
	}
	return writing{i}, nil
}

// writing keeps an error of the disk apart from those of the network.
type writing struct{ to *incoming }

func (w writing) Write(p []byte) (int, error) {
	n, err := w.to.file.Write(p)
	if err != nil {
		w.to.err = fmt.Errorf("store objects: %w", reason(err))
	}
	return n, err
}

func (w writing) Close() error { return nil }

// keep stores the pack as storePack does: synced, and the index last.
func (i *incoming) keep() error {
	if _, err := i.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	index := &idxfile.Writer{}
	parser, err := packfile.NewParser(packfile.NewScanner(i.file), index)
	if err != nil {
		return err
	}
	sum, err := parser.Parse()
	if err != nil {
		return fmt.Errorf("the pack is damaged: %w", err)
	}
	if err := i.endsWith(sum); err != nil {
		return err
	}
	encoded, err := encodePackIndex(index)
	if err != nil {
		return err
	}
	dir, name := filepath.Dir(i.file.Name()), "pack-"+sum.String()
	if _, err := os.Stat(filepath.Join(dir, name+".idx")); err == nil {
		return nil
	}
	if err := errors.Join(i.local.share(i.file), i.file.Sync()); err != nil {
		return fmt.Errorf("store objects: %w", reason(err))
	}
	if err := os.Rename(i.file.Name(), filepath.Join(dir, name+".pack")); err != nil {
		return fmt.Errorf("store objects: %w", reason(err))
	}
	return i.local.placePack(dir, name+".idx", encoded)
}

// endsWith fails if there is something behind the pack's checksum.
func (i *incoming) endsWith(sum plumbing.Hash) error {
	var last plumbing.Hash
	info, err := i.file.Stat()
	if err == nil {
		_, err = i.file.ReadAt(last[:], info.Size()-int64(len(last)))
	}
	if err == nil && last != sum {
		err = errors.New("the pack is damaged: there is something behind it")
	}
	return err
}

// discard closes the file, and removes it if it did not get its name.
func (i *incoming) discard() {
	if i.file != nil {
		_ = i.file.Close()
		_ = os.Remove(i.file.Name())
	}
}
