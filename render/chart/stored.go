package chart

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"helm.sh/helm/v3/pkg/release"
)

// StoredSize is how many bytes the Secret holds in which Helm keeps a release:
// chart, values and manifests, as JSON, compressed and in base64
// (encodeRelease in
// https://github.com/helm/helm/blob/v3.22.0/pkg/storage/driver/util.go). What
// only an installation knows, such as times, is not counted.
func (c Chart) StoredSize(in Input, out Output) (int, error) {
	stored := release.Release{Name: in.Release, Namespace: in.Namespace, Version: 1, Chart: c.read, Config: in.Values, Info: &release.Info{}}
	var manifest []byte
	for _, object := range out.Objects {
		switch {
		case object.CRD: // part of the chart
		case object.Hook != nil:
			stored.Hooks = append(stored.Hooks, &release.Hook{Name: object.Name, Kind: object.Kind, Path: object.Source, Manifest: string(object.YAML)})
		default:
			manifest = fmt.Appendf(manifest, "---\n# Source: %s\n%s\n", object.Source, object.YAML)
		}
	}
	stored.Manifest = string(manifest)
	data, err := json.Marshal(stored)
	if err != nil {
		return 0, fmt.Errorf("write release %s: %w", in.Release, err)
	}
	var size counter
	packed, err := gzip.NewWriterLevel(&size, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err := packed.Write(data); err != nil {
		return 0, err
	}
	if err := packed.Close(); err != nil {
		return 0, err
	}
	return base64.StdEncoding.EncodedLen(int(size)), nil
}

// counter counts what is written to it.
type counter int

func (c *counter) Write(data []byte) (int, error) {
	*c += counter(len(data))
	return len(data), nil
}
