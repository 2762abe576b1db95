//go:build !linux

package gitrepo

import (
	"encoding/binary"
	"io/fs"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
)

// fillStat writes the time of the last change. The rest stays empty: git then
// looks into the file once, and fills it in.
func fillStat(to *[40]byte, info fs.FileInfo) {
	binary.BigEndian.PutUint32(to[object.StatMtime:], uint32(info.ModTime().Unix()))
	binary.BigEndian.PutUint32(to[object.StatMtime+4:], uint32(info.ModTime().Nanosecond()))
}
