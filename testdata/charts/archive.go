package charts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"path"
	"slices"
)

// Archive is the packaged chart, NAME-VERSION.tgz. It is the same bytes
// whenever and wherever it is made, and so has the same digest in a registry;
// `helm package` makes other bytes each time.
func Archive(chart, version string) ([]byte, error) {
	files, err := Files(chart, version)
	if err != nil {
		return nil, err
	}
	return Pack(chart, files)
}

// Pack is the archive of what [Files] or [Variant] returned.
func Pack(chart string, files map[string][]byte) ([]byte, error) {
	var packed bytes.Buffer
	// Not compressed: what a compressor makes of its input is no promise of Go's.
	compressor, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
	if err != nil {
		return nil, err
	}
	archive := tar.NewWriter(compressor)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Name: path.Join(chart, name), Mode: 0o644, Size: int64(len(files[name]))}
		if err := archive.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := archive.Write(files[name]); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := compressor.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
