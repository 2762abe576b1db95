//go:build unix

package folder

import (
	"errors"
	"os"
	"syscall"
)

// holdFolder takes the lock of a folder, and tells whether it could. Some network
// file systems have no locks: there it is taken without one.
func holdFolder(dir *os.File) (bool, error) {
	err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case err == nil, errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.EBADF):
		return true, nil
	case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, syscall.EINTR):
		return false, nil
	}
	return false, err
}
