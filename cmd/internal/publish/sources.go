package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// addSources adds to the changes of a commit the sources that files do not have as they
// are. Line ends alone are no difference: a checkout may have others than its commit.
// What is written is added to all.
func addSources(files fs.FS, sources tree.Tree, changes *folder.Changes, all tree.Tree) error {
	for _, name := range sources.Paths() {
		had, err := fs.ReadFile(files, name)
		missing := errors.Is(err, fs.ErrNotExist)
		content := sources[name]
		if !bytes.Contains(had, []byte("\r\n")) {
			content = asUnix(content)
		}
		switch _, done := all[name]; {
		case done: // an earlier environment shares it
			continue
		case err != nil && !missing:
			return fmt.Errorf("compare %s with the commit: %w", name, err)
		case missing:
			changes.Created = append(changes.Created, name)
		case sameText(had, content):
			continue
		default:
			changes.Updated = append(changes.Updated, name)
		}
		all[name] = content
	}
	slices.Sort(changes.Created)
	slices.Sort(changes.Updated)
	return nil
}

// asUnix gives a text with the line ends of Unix.
func asUnix(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }

// sameText reports whether texts are the same but for their line ends.
func sameText(a, b []byte) bool { return bytes.Equal(asUnix(a), asUnix(b)) }
