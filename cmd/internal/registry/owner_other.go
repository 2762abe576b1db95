//go:build !unix

package registry

import "io/fs"

func writtenByOthers(fs.FileInfo) bool { return false }
