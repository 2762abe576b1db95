package gitrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// lockMark is the content of our lock files. The new content is never written into
// the lock file, as git does, but beside it: so a lock file with this mark is
// ours, and the operating system knows whether its process lives.
const lockMark = "pm-gitops\n"

// lockedError says that another program works with the repository.
type lockedError struct{ File string }

func (e *lockedError) Error() string {
	return fmt.Sprintf("%s is there: another program works with the repository, or died while it did; if none runs, delete that file", e.File)
}

// lock holds a lock file of ours.
type lock struct {
	name string // of what is locked
	file *os.File
	dead bool // it was taken over from a process that died
}

// acquire locks a file the way git does, by making NAME.lock. It waits for
// others a bounded time.
func (l *Local) acquire(ctx context.Context, name string, most time.Duration) (*lock, error) {
	const pause = 10 * time.Millisecond
	waited := time.Duration(0)
	for {
		held, err := l.tryLock(name)
		var locked *lockedError
		if !errors.As(err, &locked) {
			return held, err
		}
		if waited >= most {
			return nil, err
		}
		step := pause + time.Duration(l.sys.Random()*float64(4*pause))
		if err := l.sys.Sleep(ctx, step); err != nil {
			return nil, err
		}
		waited += step
	}
}

// tryLock makes the lock file elsewhere, held and marked, and then gives it its
// name, which fails if another lock file is there: so there is no moment in which
// it is ours and does not look it.
func (l *Local) tryLock(name string) (*lock, error) {
	at := name + ".lock"
	if _, err := os.Lstat(at); err == nil {
		return takeOver(name)
	}
	file, err := os.OpenFile(filepath.Join(l.gitDir, fmt.Sprintf(temporaries+"%016x.tmp", rand.Uint64())), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, settings.Reason(err))
	}
	err = holdFile(file)
	if err == nil {
		_, err = file.WriteString(lockMark)
	}
	if err == nil {
		err = os.Link(file.Name(), at)
	}
	os.Remove(file.Name())
	switch {
	case err == nil:
		return &lock{name, file, false}, nil
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist) && isFolder(filepath.Dir(name)): // or another run swept ours away
		err = &lockedError{at}
	case errors.Is(err, errors.ErrUnsupported):
		file.Close()
		return plainLock(name)
	default:
		err = fmt.Errorf("lock %s: %w", name, settings.Reason(err))
	}
	file.Close()
	return nil, err
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// plainLock makes a lock file as git does, where a file cannot have two names.
func plainLock(name string) (*lock, error) {
	file, err := os.OpenFile(name+".lock", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, &lockedError{name + ".lock"}
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, settings.Reason(err))
	}
	return &lock{name, file, false}, nil
}

// takeOver takes a lock file of ours whose process is gone.
func takeOver(name string) (*lock, error) {
	at := name + ".lock"
	file, err := os.OpenFile(at, os.O_RDWR, 0)
	if err != nil {
		return nil, &lockedError{at} // gone by now, or not ours to open: wait and see
	}
	content := make([]byte, len(lockMark)+1)
	count, _ := file.Read(content)
	if string(content[:count]) != lockMark || holdFile(file) != nil {
		file.Close()
		return nil, &lockedError{at}
	}
	// Whoever held it may have removed it just before we got hold of it.
	now, err := os.Stat(at)
	if mine, own := file.Stat(); err != nil || own != nil || !os.SameFile(now, mine) {
		file.Close()
		return nil, &lockedError{at}
	}
	return &lock{name, file, true}, nil
}

// dropDead removes a lock file of ours whose process is gone: git would wait for it
// for ever.
func dropDead(name string) {
	if held, err := takeOver(name); err == nil {
		held.release()
	}
}

// release gives the lock up. The locked file is as it was, or was replaced before.
func (k *lock) release() {
	_ = os.Remove(k.name + ".lock")
	_ = k.file.Close()
}

// temporaries begins the names of our files before they get their own.
const temporaries = "pm-gitops-"

// placed describes a file that is written under a name of its own, synced and renamed.
type placed struct {
	name    string
	content []byte
	mode    fs.FileMode
	pattern string    // the name at first, with a place for a number; of a file of ours in the Git folder if empty
	stamp   time.Time // when it is to have been written, if that is not now
	quick   bool      // it need not survive a power cut, as git's index need not (core.fsync)
}

func (l *Local) place(p placed) error {
	pattern := cmp.Or(p.pattern, filepath.Join(l.gitDir, temporaries+"%016x.tmp"))
	file, err := os.OpenFile(fmt.Sprintf(pattern, rand.Uint64()), os.O_RDWR|os.O_CREATE|os.O_EXCL, p.mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", p.name, settings.Reason(err))
	}
	_, err = file.Write(p.content)
	if err == nil {
		err = l.share(file.Name())
	}
	if err == nil && !p.quick {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil && !p.stamp.IsZero() {
		err = os.Chtimes(file.Name(), p.stamp, p.stamp)
	}
	if err == nil {
		err = os.Rename(file.Name(), p.name)
	}
	if err != nil {
		os.Remove(file.Name())
		return fmt.Errorf("write %s: %w", p.name, settings.Reason(err))
	}
	if p.quick {
		return nil
	}
	return syncDir(filepath.Dir(p.name))
}

// share sets the mode that core.sharedRepository asks for on a new file or folder.
func (l *Local) share(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	mode := l.sharedMode(info.Mode())
	if mode == info.Mode() {
		return nil
	}
	if info.IsDir() {
		mode |= fs.ModeSetgid
	}
	return os.Chmod(name, mode)
}

// sharedMode returns a mode with what core.sharedRepository adds to it.
// https://git-scm.com/docs/git-config#Documentation/git-config.txt-coresharedRepository
func (l *Local) sharedMode(mode fs.FileMode) fs.FileMode {
	tweak, exact := fs.FileMode(0), false
	switch value := strings.ToLower(l.config.Get("core.sharedrepository")); value {
	case "", "umask", "false", "0", "no", "off":
		return mode
	case "group", "true", "1", "yes", "on":
		tweak = 0o660
	case "all", "world", "everybody", "2":
		tweak = 0o664
	default:
		if _, err := fmt.Sscanf(value, "%o", &tweak); err != nil {
			return mode
		}
		exact = true
	}
	if mode&0o200 == 0 {
		tweak &^= 0o222
	}
	if mode&0o100 != 0 {
		tweak |= tweak & 0o444 >> 2
	}
	if exact {
		return mode&^0o777 | tweak&0o777
	}
	return mode | tweak
}

// makeDirs makes the folders above a file, with the repository's modes.
func (l *Local) makeDirs(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := l.makeDirs(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return l.share(dir)
}

// sweep removes what killed runs left. The caller holds the index's lock.
func (l *Local) sweep() {
	left, _ := filepath.Glob(filepath.Join(l.gitDir, temporaries+"*.tmp"))
	for _, name := range left {
		_ = os.Remove(name)
	}
}
