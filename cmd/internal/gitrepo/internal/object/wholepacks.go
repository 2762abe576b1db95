package object

import (
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5"
)

// WholePacks hides packs without an index, which git, too, takes no notice of: a
// killed git leaves them, and one that packs makes them for a moment. go-git
// would read nothing at all.
type WholePacks struct{ billy.Filesystem }

func (w WholePacks) ReadDir(name string) ([]fs.FileInfo, error) {
	entries, err := w.Filesystem.ReadDir(name)
	if err != nil || filepath.Base(name) != "pack" {
		return entries, err
	}
	there := map[string]bool{}
	for _, entry := range entries {
		there[entry.Name()] = true
	}
	whole := entries[:0]
	for _, entry := range entries {
		pack, is := strings.CutSuffix(entry.Name(), ".pack")
		if !is || there[pack+".idx"] {
			whole = append(whole, entry)
		}
	}
	return whole, nil
}

func (w WholePacks) Chroot(name string) (billy.Filesystem, error) {
	inner, err := w.Filesystem.Chroot(name)
	return WholePacks{inner}, err
}
