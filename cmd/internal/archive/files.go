package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// files are the files of an archive, by their path.
type files map[string]file

// file is a file that was read once, to its end.
type file struct {
	size   int64
	digest string
	open   func() (io.ReadSeekCloser, error)
}

// read gives the bytes of a file, which may be as large as most.
func (f files) read(name string, most int64) ([]byte, error) {
	one, found := f[name]
	if !found {
		return nil, fmt.Errorf("it has no %s", name)
	}
	if one.size > most {
		return nil, fmt.Errorf("%s has %d bytes: want at most %d", name, one.size, most)
	}
	opened, err := one.open()
	if err != nil {
		return nil, reason(err)
	}
	defer opened.Close()
	raw, err := io.ReadAll(io.LimitReader(opened, most+1))
	if err != nil {
		return nil, reason(err)
	}
	if digestOf(raw) != one.digest {
		return nil, fmt.Errorf("%s changed while it was read", name)
	}
	return raw, nil
}

// add adds a file after it was read: a blob must be what its name says.
func (f files) add(name string, size int64, content io.Reader, open func() (io.ReadSeekCloser, error)) error {
	if _, twice := f[name]; twice {
		return fmt.Errorf("%s is in it twice", name)
	}
	if len(f) >= maxEntries {
		return fmt.Errorf("it has more than %d files", maxEntries)
	}
	hash := sha256.New()
	read, err := io.Copy(hash, content)
	if err != nil {
		return fmt.Errorf("%s: %w", name, cut(err))
	}
	if read != size {
		return fmt.Errorf("%s has %d bytes, not %d", name, read, size)
	}
	digest := "sha256:" + hex.EncodeToString(hash.Sum(nil))
	if hex, isBlob := strings.CutPrefix(name, blobFolder); isBlob && "sha256:"+hex != digest {
		return fmt.Errorf("%s has other bytes than its name says: their digest is %s", name, digest)
	}
	f[name] = file{size, digest, open}
	return nil
}

// cleanName gives the path of a file or a folder without a ./ before it, as tar writes
// it, and refuses what is not below the archive.
func cleanName(name string) (string, error) {
	clean := path.Clean(name)
	if !fs.ValidPath(clean) || strings.ContainsAny(name, "\\\x00") || len(name) > 1024 {
		return "", fmt.Errorf("it has the path %q, which is not below it", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", fmt.Errorf("it has the path %q, which leads out of it", name)
		}
	}
	return clean, nil
}

// openFolder reads a folder. Links in it are refused.
func (a *Archive) openFolder(ctx context.Context, folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return reason(err)
	}
	a.close = append(a.close, root.Close)
	a.files = files{}
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return reason(err)
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder", name)
		}
		open := func() (io.ReadSeekCloser, error) { return root.Open(name) }
		opened, err := open()
		if err != nil {
			return reason(err)
		}
		defer opened.Close()
		info, err := entry.Info()
		if err != nil {
			return reason(err)
		}
		return a.files.add(name, info.Size(), watched{ctx, opened}, open)
	})
}

// watched is a reader that ends when the context does.
type watched struct {
	ctx context.Context
	io.Reader
}

func (w watched) Read(part []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Reader.Read(part)
}

// cut says that an archive ends too early, where that is the error.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("the archive is cut off")
	}
	return err
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// check refuses a descriptor that cannot be verified.
func (d descriptor) check() error {
	if !ref.IsChartDigest(d.Digest) || d.Size < 0 {
		return fmt.Errorf("digest %q and size %d: want sha256", d.Digest, d.Size)
	}
	return nil
}
