package registry

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// cache is a folder of everything that was fetched, by digest, and of what
// each version was last seen to mean:
//
//	blobs/sha256/<digits>   manifests, metadata and archives
//	refs/<digits>           repository, version and digest, as JSON
//	new/<anything>          what is being written
//
// Many processes may use it at once, and any may be killed at any time: files
// appear whole, by renaming, and are verified whenever they are read. It holds
// nothing that the registry would not give again, so people may delete it, or
// any part of it, whenever they like; nothing else makes it smaller.
type cache struct {
	dir string // empty: nothing is kept
	now func() time.Time
}

// reference is a file in refs.
type reference struct {
	Repository string `json:"repository"`
	Version    string `json:"version"`
	Digest     string `json:"digest"`
}

// leftBehind is the age of a file in new that nobody writes any more.
const leftBehind = time.Hour

func (c cache) blobPath(digest string) string {
	return filepath.Join(c.dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
}

// refPath is where it is noted what a version means. Names of repositories
// hold characters that some file systems do not take.
func (c cache) refPath(repository, version string) string {
	sum := sha256.Sum256([]byte(repository + "\n" + version))
	return filepath.Join(c.dir, "refs", hex.EncodeToString(sum[:]))
}

// read gives the bytes with a digest, at most so many. What is not these bytes
// is removed, as if it had never been there.
func (c cache) read(digest string, most int64) ([]byte, bool) {
	if c.dir == "" {
		return nil, false
	}
	path := c.blobPath(digest)
	content, err := readPlain(path, most)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			_ = os.Remove(path)
		}
		return nil, false
	}
	if digestOf(content) != digest {
		_ = os.Remove(path)
		return nil, false
	}
	return content, true
}

// has reports whether read may find the digest.
func (c cache) has(digest string) bool {
	if c.dir == "" {
		return false
	}
	_, err := os.Lstat(c.blobPath(digest))
	return err == nil
}

// readPlain reads a file that is a plain one and not too big.
func readPlain(path string, most int64) ([]byte, error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > most:
		return nil, fmt.Errorf("%s is no file of the cache", path)
	}
	return os.ReadFile(path)
}

// write puts bytes under their digest.
func (c cache) write(digest string, content []byte) error {
	if c.dir == "" {
		return nil
	}
	return c.place(c.blobPath(digest), content)
}

// lookup gives the digest that a version was last seen to mean, or "".
func (c cache) lookup(repository, version string) string {
	if c.dir == "" {
		return ""
	}
	content, err := readPlain(c.refPath(repository, version), 1<<16)
	if err != nil {
		return ""
	}
	var r reference
	if json.Unmarshal(content, &r) != nil || r.Repository != repository || r.Version != version || !ref.IsChartDigest(r.Digest) {
		return ""
	}
	return r.Digest
}

// note writes down what a version means.
func (c cache) note(repository, version, digest string) error {
	if c.dir == "" {
		return nil
	}
	content, err := json.Marshal(reference{repository, version, digest})
	if err != nil {
		return err
	}
	return c.place(c.refPath(repository, version), append(content, '\n'))
}

// place makes a file appear whole, in the folder that was opened, whatever takes its
// name meanwhile.
func (c cache) place(path string, content []byte) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	name, err := filepath.Rel(c.dir, path)
	if err != nil {
		return err
	}
	for _, folder := range []string{"new", filepath.Dir(name)} {
		if err := root.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	c.tidy(root)
	growing := filepath.Join("new", rand.Text())
	file, err := root.OpenFile(growing, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // only its owner may read it
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err == nil {
		err = root.Rename(growing, name)
	}
	if err != nil {
		_ = root.Remove(growing)
	}
	return err
}

// tidy removes what processes left that were killed.
func (c cache) tidy(root *os.Root) {
	entries, err := fs.ReadDir(root.FS(), "new")
	if err != nil {
		return
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && c.now().Sub(info.ModTime()) > leftBehind {
			_ = root.Remove(filepath.Join("new", entry.Name()))
		}
	}
}

// keep puts bytes into the client's cache. A cache that cannot be written
// costs time, and no more.
func (c *Client) keep(digest string, content []byte) {
	c.warn(c.cache.write(digest, content))
}

// remember notes what a version means, and gives what it meant before if that
// was something else.
func (c *Client) remember(at location, digest string) string {
	if c.options.Offline || at.tag == "" {
		return ""
	}
	before := c.cache.lookup(at.repository.Name(), at.ref.Version)
	if before == digest {
		return ""
	}
	c.warn(c.cache.note(at.repository.Name(), at.ref.Version, digest))
	return before
}

func (c *Client) warn(err error) {
	if err != nil {
		c.warned.Do(func() { c.options.Warn(fmt.Errorf("keep charts in %s: %w", c.options.Cache, err)) })
	}
}
