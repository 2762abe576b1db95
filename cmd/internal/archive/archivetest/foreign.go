package archivetest

import (
	"archive/tar"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

const (
	layout       = `{"imageLayoutVersion":"1.0.0"}`
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
)

// Index makes an index.json, or an index, of descriptors.
func Index(descriptors ...string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, indexType, strings.Join(descriptors, ","))
}

// Describe makes a descriptor, with annotations as JSON.
func Describe(mediaType, digest string, size int, annotations string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"annotations":{%s}}`, mediaType, digest, size, annotations)
}

// Layout makes the archive of one image, as other programs do, and lets entries and the
// index be changed before.
func Layout(t testing.TB, change func(all []Entry, manifest string) ([]Entry, string)) []byte {
	t.Helper()
	config, configDigest := Blob("{}")
	layer, layerDigest := Blob("layer")
	text := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]}`, manifestType,
		Describe("application/vnd.oci.image.config.v1+json", configDigest, len(config.Content), ""),
		Describe("application/vnd.oci.image.layer.v1.tar", layerDigest, len(layer.Content), ""))
	manifest, digest := Blob(text)
	index := Index(Describe(manifestType, digest, len(text), `"org.opencontainers.image.ref.name":"quay.io/acme/app:1"`))
	all := []Entry{File("oci-layout", layout), manifest, config, layer}
	if change != nil {
		all, index = change(all, index)
	}
	return Pack(t, append(all, File("index.json", index)))
}

// foreign gives damaged archives that say nothing of their contents, so that nothing but
// what they name can show it.
func foreign(t testing.TB) map[string][]byte {
	absent := "sha256:" + strings.Repeat("0", 64)
	index := func(text string) func([]Entry, string) ([]Entry, string) {
		return func(all []Entry, _ string) ([]Entry, string) { return all, text }
	}
	manifest := func(text string) func([]Entry, string) ([]Entry, string) {
		return func(all []Entry, _ string) ([]Entry, string) {
			made, digest := Blob(text)
			return append(all, made), Index(Describe(manifestType, digest, len(text), ""))
		}
	}
	without := func(i int) func([]Entry, string) ([]Entry, string) {
		return func(all []Entry, text string) ([]Entry, string) { return append(all[:i:i], all[i+1:]...), text }
	}
	more := func(one Entry) func([]Entry, string) ([]Entry, string) {
		return func(all []Entry, text string) ([]Entry, string) { return append(all, one), text }
	}
	all := map[string][]byte{}
	for what, change := range map[string]func([]Entry, string) ([]Entry, string){
		"index.json names nothing":      index(Index()),
		"index.json names what is not":  index(Index(Describe(manifestType, absent, 1, ""))),
		"index.json has sha512":         index(Index(Describe(manifestType, "sha512:"+strings.Repeat("0", 128), 1, ""))),
		"index.json has a path":         index(Index(Describe(manifestType, "sha256:../../index.json", 1, ""))),
		"index.json is no JSON":         index("{"),
		"index.json is an old manifest": index(`{"schemaVersion":1}`),
		"a layer is missing":            without(3),
		"a config is missing":           without(2),
		"a manifest is missing":         without(1),
		"a manifest is no JSON":         manifest("no JSON"),
		"a manifest is of schema 1":     manifest(`{"schemaVersion":1}`),
		"a manifest is too large":       manifest(`{"schemaVersion":2,"x":"` + strings.Repeat("x", 5<<20) + `"}`),
		"a platform is missing":         manifest(Index(Describe(manifestType, absent, 1, ""))),
		"a layer has a negative size":   manifest(fmt.Sprintf(`{"schemaVersion":2,"layers":[%s]}`, Describe("x", absent, -1, ""))),
		"a subject has no digest":       manifest(`{"schemaVersion":2,"subject":{"digest":"x"}}`),
		"a manifest has another size": func(all []Entry, text string) ([]Entry, string) {
			return all, strings.Replace(text, `"size":`, `"size":1`, 1)
		},
		"a path with .. in a layout":         more(File("blobs/../evil", "x")),
		"an absolute path in a layout":       more(File("/evil", "x")),
		"a link in a layout":                 more(Entry{tar.Header{Typeflag: tar.TypeSymlink, Name: "link", Linkname: "index.json"}, nil}),
		"a hard link in a layout":            more(Entry{tar.Header{Typeflag: tar.TypeLink, Name: "link", Linkname: "oci-layout"}, nil}),
		"a blob of another name in a layout": more(File("blobs/sha256/link", "x")),
		"a tag for two": func(all []Entry, _ string) ([]Entry, string) {
			named := `"io.containerd.image.name":"quay.io/acme/app:1"`
			one, first := Blob(`{"schemaVersion":2}`)
			two, second := Blob(`{"schemaVersion": 2}`)
			return append(all, one, two), Index(Describe(manifestType, first, 19, named), Describe(manifestType, second, 20, named))
		},
	} {
		all[what] = Layout(t, change)
	}
	all["a sparse file"] = sparse(t)
	return all
}

// sparse makes an archive with a file that says to be larger than what there is of it,
// which Go does not write.
func sparse(t testing.TB) []byte {
	content := Layout(t, func(all []Entry, text string) ([]Entry, string) {
		one := File("sparse", "x")
		one.Typeflag, one.Format = tar.TypeReg, tar.FormatGNU
		return append([]Entry{one}, all...), text
	})
	sum := 0
	header := content[:512]
	header[156] = tar.TypeGNUSparse
	copy(header[483:], "77777777777\x00") // realsize
	copy(header[148:], "        ")
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
	return content
}

func compressed(t testing.TB, whole []byte) map[string][]byte {
	packed := Compress(t, whole)
	flipped := append([]byte{}, packed...)
	flipped[len(flipped)/2] ^= 0x10
	zeros := Layout(t, func(all []Entry, text string) ([]Entry, string) {
		zero, _ := Blob(strings.Repeat("\x00", 40<<20))
		return append(all, zero), text
	})
	return map[string][]byte{
		"zstd, cut in the middle":     packed[:len(packed)/2],
		"zstd, cut at the end":        packed[:len(packed)-1],
		"zstd, cut after its magic":   packed[:4],
		"zstd, a bit":                 flipped,
		"zstd, garbage behind it":     append(append([]byte{}, packed...), "garbage"...),
		"zstd, a tar behind the tar":  append(append([]byte{}, packed...), packed...),
		"zstd, garbage in it":         Compress(t, append(append([]byte{}, whole...), "garbage"...)),
		"zstd, a cut tar in it":       Compress(t, whole[:len(whole)/2]),
		"zstd of zstd":                Compress(t, packed),
		"zstd, a bomb":                Compress(t, zeros),
		"zstd, nothing":               Compress(t, nil),
		"zstd that wants much memory": Compress(t, whole, zstd.WithWindowSize(zstd.MaxWindowSize)),
		"gzip":                        append([]byte{0x1f, 0x8b}, whole...),
	}
}
