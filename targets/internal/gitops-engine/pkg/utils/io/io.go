// Package io says where temporary files go.
//
// It exists for argo-cd's Git client, which its API types link without calling:
// it writes certificates and keys to files.
package io

import "os"

// TempDir is a folder in memory, for no key shall reach a disk. Where there is
// none it is empty, which os.CreateTemp takes for the usual folder.
var TempDir = memoryDir("/dev/shm")

func memoryDir(name string) string {
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return ""
	}
	return name
}
