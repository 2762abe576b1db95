//go:build unix

package gitrepo

import (
	"os"
	"syscall"
)

// holdFile takes the operating system's lock on an open file, or fails at once.
// It ends with the process, however that ends.
func holdFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// syncDir makes sure that a renamed file has its name after a power cut.
func syncDir(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer file.Close()
	_ = file.Sync() // some file systems cannot
	return nil
}
