package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
)

// budget is what is left of what a chart may have.
type budget struct {
	bytes int64
	files int
}

// take takes a file out of the budget.
func (b *budget) take(name string, size int64) error {
	if len(name) > maxName {
		return fmt.Errorf("the chart has a file whose name is longer than %d bytes", maxName)
	}
	b.files--
	b.bytes -= size
	switch {
	case b.files < 0:
		return fmt.Errorf("the chart has more than %d files", MaxFiles)
	case size > MaxFile:
		return fmt.Errorf("the chart's file %q has %d bytes: at most %d are read", name, size, MaxFile)
	case b.bytes < 0:
		return fmt.Errorf("the chart's files have more than %d bytes", MaxTotal)
	}
	return nil
}

// unpack reads the files of an archive, without its top folder. Names are
// taken as Helm takes them
// (https://github.com/helm/helm/blob/v3.22.0/pkg/chart/loader/archive.go).
func unpack(archive []byte, left *budget) ([]*loader.BufferedFile, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.New("it is no gzipped archive")
	}
	if err != nil {
		return nil, err
	}
	// A budget for what lies between the files too: tar's headers.
	reader := tar.NewReader(io.LimitReader(unzipped, left.bytes+int64(left.files)*4096))
	var files []*loader.BufferedFile
	for entries := 0; ; entries++ {
		header, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if entries > 2*MaxFiles {
			return nil, fmt.Errorf("the archive has more than %d entries", 2*MaxFiles)
		}
		file, err := entry(header, reader, left)
		if err != nil {
			return nil, err
		}
		if file != nil {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return nil, errors.New("no files in chart archive")
	}
	return files, nil
}

// entry reads one file of an archive; it is nil for a folder.
func entry(header *tar.Header, reader io.Reader, left *budget) (*loader.BufferedFile, error) {
	switch header.Typeflag {
	case tar.TypeDir, tar.TypeXGlobalHeader, tar.TypeXHeader:
		return nil, nil
	case tar.TypeSymlink, tar.TypeLink:
		return nil, fmt.Errorf("the archive has a link, %q, and charts have plain files only", header.Name)
	case tar.TypeReg:
	default:
		return nil, fmt.Errorf("%q in the archive is no plain file", header.Name)
	}
	if header.FileInfo().IsDir() {
		return nil, nil
	}
	top, name, _ := strings.Cut(strings.ReplaceAll(header.Name, `\`, "/"), "/")
	if top == "Chart.yaml" {
		return nil, errors.New("chart yaml not in base directory")
	}
	name, err := inside(name)
	if err != nil {
		return nil, err
	}
	if err := left.take(name, header.Size); err != nil {
		return nil, err
	}
	var data bytes.Buffer
	if _, err := io.Copy(&data, io.LimitReader(reader, MaxFile+1)); err != nil {
		return nil, fmt.Errorf("unpack %q: %w", name, err)
	}
	return &loader.BufferedFile{Name: name, Data: trimMark(data.Bytes())}, nil
}

var drive = regexp.MustCompile(`^[a-zA-Z]:/`)

// inside is the name of a file, if it stays in the chart's folder.
func inside(name string) (string, error) {
	clean := path.Clean(strings.ReplaceAll(name, `\`, "/"))
	switch {
	case path.IsAbs(clean), drive.MatchString(clean):
		return "", fmt.Errorf("the chart's file %q has an absolute path", name)
	case clean == ".", strings.HasPrefix(clean, ".."):
		return "", fmt.Errorf("the chart's file %q lies outside its folder", name)
	case strings.ContainsFunc(clean, control):
		return "", fmt.Errorf("the chart's file %q has a control character in its name", name)
	}
	return clean, nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

func trimMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }

// packed is the names at which Helm looks for charts in archives.
var packed = regexp.MustCompile(`^(charts/[^_./][^/]*/)*charts/[^_./][^/]*\.tgz$`)

// expand unpacks the archives in charts/, as Helm would, but from one budget
// and only once.
func expand(files []*loader.BufferedFile, left *budget, depth int) ([]*loader.BufferedFile, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("the chart has archives in archives, more than %d deep", maxNesting)
	}
	var all []*loader.BufferedFile
	for _, file := range files {
		if !packed.MatchString(file.Name) {
			all = append(all, file)
			continue
		}
		inner, err := unpack(file.Data, left)
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", file.Name, err)
		}
		if inner, err = expand(inner, left, depth+1); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name, err)
		}
		for _, f := range inner {
			// No other chart's folder can have this name, and Helm sees a folder.
			all = append(all, &loader.BufferedFile{Name: file.Name + ":/" + f.Name, Data: f.Data})
		}
	}
	return all, nil
}
