package archive

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Writer writes an archive into a file beside the one that it becomes. The same input
// gives the same bytes.
type Writer struct {
	path    string
	file    *os.File
	packer  *zstd.Encoder // nil where nothing is compressed
	missing map[string]int64
}

// Manifest is a manifest of an archive.
type Manifest struct {
	Reference         string // REPOSITORY:TAG or REPOSITORY@DIGEST; empty where another manifest names it
	Image             bool   // what containerd and docker may take for an image of that name
	Digest, MediaType string
	Bytes             []byte
}

// Create begins an archive, compressed with zstd or not. What is at its path stays there
// until [Writer.Commit], and must be a file if it is anything.
func Create(path string, compressed bool) (*Writer, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("write archive %s: it is there, and is no file", path)
	}
	w := &Writer{path: path, missing: map[string]int64{}}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, w.failed(err)
	}
	w.file = file
	if compressed {
		w.packer, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	}
	return w, err
}

// Abort removes what was written. After [Writer.Commit] it does nothing.
func (w *Writer) Abort() {
	if w.file != nil {
		_ = w.file.Close()
		_ = os.Remove(w.file.Name())
		w.file = nil
	}
}

func (w *Writer) failed(err error) error {
	return fmt.Errorf("write archive %s: %w", w.path, reason(err))
}

// Begin writes everything but blobs. Of contents it wants artifacts, and says itself
// which files there are. Blobs may be listed more than once.
func (w *Writer) Begin(contents Contents, manifests []Manifest, blobs []Blob) error {
	listed, err := entries(manifests)
	if err != nil {
		return w.failed(err)
	}
	index, err := encode(document{SchemaVersion: 2, MediaType: ociIndex, Manifests: listed, Annotations: map[string]string{contentsIn: contentsFile}})
	if err != nil {
		return err
	}
	layout := []byte(`{"imageLayoutVersion":"` + layoutVersion + `"}`)
	for _, one := range blobs {
		w.missing[one.Digest] = one.Size
	}
	all := map[string]Manifest{}
	for _, one := range manifests {
		w.missing[one.Digest] = int64(len(one.Bytes))
		all[one.Digest] = one
	}
	contents.Version, contents.Layout, contents.Index = contentsVersion, digestOf(layout), digestOf(index)
	if contents.LeftOut, err = leftOut(all); err != nil {
		return w.failed(err)
	}
	contents.Blobs = []Blob{}
	for digest, size := range w.missing {
		contents.Blobs = append(contents.Blobs, Blob{digest, size})
	}
	slices.SortFunc(contents.Blobs, func(a, b Blob) int { return cmp.Compare(a.Digest, b.Digest) })
	raw, err := contents.encode()
	if err != nil {
		return err
	}
	err = errors.Join(w.small(layoutFile, layout), w.small(indexFile, index), w.small(contentsFile, raw))
	for _, one := range contents.Blobs {
		if made, isManifest := all[one.Digest]; isManifest && err == nil {
			err = w.Blob(one.Digest, one.Size, bytes.NewReader(made.Bytes))
		}
	}
	return err
}

// leftOut lists the manifests that indexes name and that are not among all.
func leftOut(all map[string]Manifest) (digests []string, err error) {
	for _, one := range all {
		var index document
		if err := json.Unmarshal(one.Bytes, &index); err != nil {
			return nil, fmt.Errorf("%s: %w", one.Digest, err)
		}
		for _, child := range index.Manifests {
			if _, found := all[child.Digest]; !found && isManifest(child.MediaType) {
				digests = append(digests, child.Digest)
			}
		}
	}
	slices.Sort(digests)
	return slices.Compact(digests), nil
}

// entries gives what index.json lists, in the order of references.
func entries(manifests []Manifest) ([]descriptor, error) {
	all := []descriptor{}
	digests := map[string]string{}
	for _, one := range manifests {
		if known, twice := digests[one.Reference]; one.Reference == "" || twice && known == one.Digest {
			continue
		} else if twice {
			return nil, fmt.Errorf("%s would be both %s and %s", one.Reference, known, one.Digest)
		}
		digests[one.Reference] = one.Digest
		annotations := map[string]string{refName: one.Reference}
		if one.Image {
			annotations[imageName] = one.Reference
		}
		all = append(all, descriptor{MediaType: one.MediaType, Digest: one.Digest, Size: int64(len(one.Bytes)), Annotations: annotations})
	}
	slices.SortFunc(all, func(a, b descriptor) int { return cmp.Compare(a.Annotations[refName], b.Annotations[refName]) })
	return all, nil
}

// Blob writes a blob that [Writer.Begin] was told of, once. Of one that fails, since its
// bytes cannot be read or are others, nothing is kept: it may come again.
func (w *Writer) Blob(digest string, size int64, content io.Reader) error {
	if want, missing := w.missing[digest]; !missing || want != size {
		return fmt.Errorf("write archive %s: %s with %d bytes is not expected", w.path, digest, size)
	}
	err := w.add(blobName(digest), size, content, digest)
	if err == nil {
		delete(w.missing, digest)
	}
	return err
}

func (w *Writer) small(name string, content []byte) error {
	return w.add(name, int64(len(content)), bytes.NewReader(content), digestOf(content))
}

// add writes a file. Each has a frame of its own where it is compressed, so that one
// that fails can be taken back.
func (w *Writer) add(name string, size int64, content io.Reader, digest string) error {
	start, err := w.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return w.failed(err)
	}
	err = w.pack(func(packed *tar.Writer) error {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size}
		if err := packed.WriteHeader(header); err != nil {
			return err
		}
		hash := sha256.New()
		if _, err := io.Copy(packed, io.TeeReader(content, hash)); err != nil {
			return err
		}
		if got := "sha256:" + hex.EncodeToString(hash.Sum(nil)); got != digest {
			return fmt.Errorf("%s has other bytes: their digest is %s", name, got)
		}
		return packed.Flush()
	})
	if err == nil {
		return nil
	}
	_, failed := w.file.Seek(start, io.SeekStart)
	if failed = errors.Join(failed, w.file.Truncate(start)); failed != nil {
		return w.failed(failed)
	}
	return w.failed(err)
}

// pack writes a part of the tar.
func (w *Writer) pack(write func(*tar.Writer) error) error {
	if w.packer == nil {
		return write(tar.NewWriter(w.file))
	}
	w.packer.Reset(w.file)
	return errors.Join(write(tar.NewWriter(w.packer)), w.packer.Close())
}

// Commit ends the archive and puts it into its place, with mode 0644. All blobs must be
// there.
func (w *Writer) Commit() error {
	if len(w.missing) > 0 {
		return fmt.Errorf("write archive %s: %d blobs are missing", w.path, len(w.missing))
	}
	err := w.pack((*tar.Writer).Close)
	if err == nil {
		err = w.file.Chmod(0o644)
	}
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		return w.failed(err)
	}
	name := w.file.Name()
	if err := w.file.Close(); err != nil {
		return w.failed(err)
	}
	w.file = nil
	if err := os.Rename(name, w.path); err != nil {
		_ = os.Remove(name)
		return w.failed(err)
	}
	return nil
}
