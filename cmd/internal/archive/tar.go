package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Bounds on what a compressed archive unpacks to. Layers are compressed already, so that
// an archive with a hundred times its size is none that a mirror has use for.
const (
	maxWindow = 128 << 20 // what zstd takes unasked
	maxRatio  = 100
	maxSlack  = 16 << 20 // of small archives
	maxEnd    = 1 << 20  // of zeros behind the last file
)

// zstdMagic begins a frame of zstd.
// https://github.com/facebook/zstd/blob/dev/doc/zstd_compression_format.md
var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// openTar reads a tar to its end. What is compressed is unpacked on the way.
func (a *Archive) openTar(ctx context.Context, source *os.File, size int64, temp string) error {
	magic := make([]byte, len(zstdMagic))
	if n, err := source.ReadAt(magic, 0); err != nil && err != io.EOF {
		return reason(err)
	} else if !bytes.Equal(magic[:n], zstdMagic) {
		if n > 1 && magic[0] == 0x1f && magic[1] == 0x8b {
			return errors.New("it is compressed with gzip: unpack it first (gunzip)")
		}
		return a.readTar(watched{ctx, source}, source)
	}
	decoder, err := zstd.NewReader(watched{ctx, source}, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer decoder.Close()
	unpacked, err := os.CreateTemp(temp, "pm-gitops-*.tar")
	if err != nil {
		return fmt.Errorf("make a temporary file: %w", reason(err))
	}
	// Where a file that is open can be removed, nothing is left of it, however we end.
	_ = os.Remove(unpacked.Name())
	a.close = append(a.close, func() error {
		_ = unpacked.Close()
		_ = os.Remove(unpacked.Name())
		return nil
	})
	most := maxSlack + maxRatio*size
	return a.readTar(&spool{from: decoder, to: unpacked, left: most}, unpacked)
}

// spool keeps what is read from a decoder in a file.
type spool struct {
	from io.Reader
	to   *os.File
	left int64
}

func (s *spool) Read(part []byte) (int, error) {
	n, err := s.from.Read(part)
	if s.left -= int64(n); s.left < 0 {
		return 0, fmt.Errorf("it unpacks to more than %d times its size", maxRatio)
	}
	if _, failed := s.to.Write(part[:n]); failed != nil {
		return 0, fmt.Errorf("unpack it to %s (TMPDIR names another folder): %w", filepath.Dir(s.to.Name()), reason(failed))
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("unpack it: %w", cut(err))
	}
	return n, err
}

// position counts what was read.
type position struct {
	io.Reader
	at int64
}

func (p *position) Read(part []byte) (int, error) {
	n, err := p.Reader.Read(part)
	p.at += int64(n)
	return n, err
}

// readTar reads every file of a tar, and finds each again in the file at.
func (a *Archive) readTar(from io.Reader, at io.ReaderAt) error {
	a.files = files{}
	counted := &position{Reader: from}
	reader := tar.NewReader(counted)
	var end int64 // of the last entry, with what fills up its block
	for entries := 0; ; entries++ {
		header, err := reader.Next()
		if err == io.EOF {
			return readEnd(counted, end)
		}
		if err != nil {
			return fmt.Errorf("it is no tar, or damaged: %w", cut(err))
		}
		name, err := refuseEntry(header)
		switch {
		case err != nil:
			return err
		case entries >= maxEntries:
			return fmt.Errorf("it has more than %d entries", maxEntries)
		case header.Typeflag == tar.TypeDir:
			end = counted.at
			continue
		}
		start, size := counted.at, header.Size
		open := func() (io.ReadSeekCloser, error) { return section{io.NewSectionReader(at, start, size)}, nil }
		if err := a.files.add(name, size, reader, open); err != nil {
			return err
		}
		end = start + (size+511)/512*512
	}
}

// section is a part of a file that stays open.
type section struct{ *io.SectionReader }

func (section) Close() error { return nil }

// refuseEntry refuses links, devices and what is not in the file as it is unpacked.
func refuseEntry(header *tar.Header) (string, error) {
	name, err := cleanName(header.Name)
	if err != nil {
		return "", err
	}
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return "", fmt.Errorf("%s is a sparse file", name)
		}
	}
	switch header.Typeflag {
	case tar.TypeReg:
		return name, nil
	case tar.TypeDir:
		if header.Size != 0 {
			return "", fmt.Errorf("folder %s has bytes", name)
		}
		return name, nil
	case tar.TypeSymlink, tar.TypeLink:
		return "", fmt.Errorf("%s is a link", name)
	}
	return "", fmt.Errorf("%s is neither a file nor a folder", name)
}

// readEnd wants the two blocks of zeros that end a tar, and nothing but zeros behind
// them: else the archive is cut, or has something behind it.
func readEnd(from *position, end int64) error {
	rest := make([]byte, 32<<10)
	for {
		n, err := from.Read(rest)
		if len(bytes.Trim(rest[:n], "\x00")) > 0 || from.at-end > maxEnd {
			return errors.New("it has more behind its end")
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return cut(err)
		}
	}
	if from.at-end < 2*512 {
		return errors.New("it is cut off: the end mark of a tar is missing")
	}
	return nil
}
