package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// warnUncommitted names environment files that are not in the commit as they are
// here: a render of the repository would undo what was pushed.
func (c checkout) warnUncommitted(ctx context.Context) {
	head, err := c.repository.At("HEAD")
	if err != nil {
		return
	}
	defer head.Close()
	files, dir := head.FS(ctx), c.root.Name()
	request, err := c.o.request(c.app)
	if err != nil {
		return
	}
	sources, _ := request.Sources()
	for _, file := range sources {
		name, err := relative(dir, file.Name)
		if err != nil || file.Name == "-" {
			continue
		}
		mine, err := fleet.Read(ctx, file.Name, nil)
		if committed, missing := fs.ReadFile(files, name); err == nil && (missing != nil || !bytes.Equal(bytes.ReplaceAll(mine, []byte("\r\n"), []byte("\n")), committed)) {
			fmt.Fprintf(c.err, "warning: %s is not committed as it is here: commit and push it as well, or the next render of the repository undoes this\n", text.Visible(file.Name))
		}
	}
}

// relative is a file's path below a folder, with slashes.
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
