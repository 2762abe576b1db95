//go:build !unix

package gitrepo

import (
	"errors"
	"os"
)

// holdFile fails where the lock file was there before: nothing tells whether
// its process lives, so it is left alone as git's would be.
func holdFile(file *os.File) error {
	if info, err := file.Stat(); err != nil || info.Size() > 0 {
		return errors.New("the lock file is another process's")
	}
	return nil
}

func syncDir(string) error { return nil }

// refuseForeign asks for nothing: owners are of another kind here.
func (l *Local) refuseForeign() error { return nil }
