//go:build unix

package registry

import (
	"io/fs"
	"os"
	"syscall"
)

// writtenByOthers reports whether another user than this one, or root, may write into
// a folder. The group of this user counts as the user.
func writtenByOthers(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	mode := info.Mode().Perm()
	return mode&0o002 != 0 || mode&0o020 != 0 && int(stat.Gid) != os.Getegid() || int(stat.Uid) != os.Geteuid() && stat.Uid != 0
}
