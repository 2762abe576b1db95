//go:build unix

package folder

import (
	"errors"
	"os"
	"syscall"
)

// countNames counts the names that a file has: hard links.
func countNames(info os.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Nlink)
	}
	return 1
}

// keepOwner gives a new file the owner and the group of another one.
func keepOwner(file *os.File, of os.FileInfo) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	now, known := info.Sys().(*syscall.Stat_t)
	want, also := of.Sys().(*syscall.Stat_t)
	if !known || !also || now.Uid == want.Uid && now.Gid == want.Gid {
		return nil
	}
	if file.Chown(int(want.Uid), int(want.Gid)) != nil {
		return errors.New("it would get another owner or group: run this as its owner")
	}
	return nil
}
