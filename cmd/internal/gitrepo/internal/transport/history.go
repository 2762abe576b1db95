package transport

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"
)

// maxWhole bounds the commits that are fetched of a server that leaves out nothing: each
// comes with all its folders and files.
const maxWhole = 32

// History fetches the commits before a commit, as many levels of parents deep as depth
// says, the commit included: without their folders and files where the server leaves them
// out. Servers that send no part of a history, or would send all files of a deep one, are
// not asked for it: the error says so.
func (c *Connection) History(ctx context.Context, into *memory.Storage, commit plumbing.Hash, depth int) error {
	ask := func(known References) (want, error) {
		switch {
		case !known.shallow:
			return want{}, Errorf(Other, "%s sends no part of its history without all of it", c.URL())
		case !known.partial && depth > maxWhole:
			return want{}, Errorf(Other, "%s sends no commits without their files, and more than %d are too many", c.URL(), maxWhole)
		}
		return want{hashes: []plumbing.Hash{commit}, flat: true, justThat: true, depth: depth}, nil
	}
	if c.open == nil {
		_, err := c.fetch(ctx, into, ask)
		return err
	}
	asked, err := ask(c.open.known)
	if err != nil {
		return err
	}
	return c.take(ctx, c.open, into, asked)
}
