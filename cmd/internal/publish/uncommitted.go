package publish

import (
	"context"
	"io/fs"
	"path/filepath"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
)

// uncommitted names environment files that are not in the commit as they are
// here: a render of the repository would undo what was pushed.
func (l local) uncommitted(ctx context.Context) []string {
	head, err := l.repository.At("HEAD")
	if err != nil {
		return nil
	}
	defer head.Close()
	files, dir := head.FS(ctx), l.root.Name()
	var found []string
	for _, file := range l.Files {
		name, err := relative(dir, file)
		if err != nil || file == "-" {
			continue
		}
		mine, err := fleet.Read(ctx, file, nil)
		if committed, missing := fs.ReadFile(files, name); err == nil && (missing != nil || !sameText(mine, committed)) {
			found = append(found, file)
		}
	}
	return found
}

// relative gives a file's path below a folder, with slashes.
func relative(dir, file string) (string, error) {
	top, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	full, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	name, err := filepath.Rel(top, full)
	if err == nil && !filepath.IsLocal(name) {
		err = fs.ErrNotExist
	}
	return filepath.ToSlash(name), err
}
