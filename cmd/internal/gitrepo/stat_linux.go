package gitrepo

import (
	"encoding/binary"
	"io/fs"
	"syscall"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
)

// fillStat writes what the index keeps of a file, but for mode and size: 32 bits
// of each, as git does.
func fillStat(to *[40]byte, info fs.FileInfo) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	for at, value := range map[int]uint32{
		0: uint32(stat.Ctim.Sec), 4: uint32(stat.Ctim.Nsec), object.StatMtime: uint32(stat.Mtim.Sec), object.StatMtime + 4: uint32(stat.Mtim.Nsec),
		16: uint32(stat.Dev), 20: uint32(stat.Ino), 28: stat.Uid, 32: stat.Gid,
	} {
		binary.BigEndian.PutUint32(to[at:], value)
	}
}
