package strictyaml_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

var (
	// breaks is what the library takes for line breaks.
	breaks        = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")
	documentStart = regexp.MustCompile(`(?m)^---\s*$`)
)

// corpus reads the YAML documents of this repository, each as a file of its
// own, and those of public charts if there are any. None comes twice.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	found, known := map[string][]byte{}, map[string]bool{}
	add := func(name string, data []byte) {
		for i, part := range append(documentStart.Split(string(data), -1), string(data)) {
			if !known[part] {
				found[strictyaml.Index(name, i)], known[part] = []byte(part), true
			}
		}
	}
	for _, root := range []string{"../../../testdata", "../../../templates", "../../../../shared/charts", "../../../../shared/cases"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			switch filepath.Ext(path) {
			case ".yaml", ".yml":
				add(path, data)
			case ".txtar":
				for _, file := range txtar.Parse(data).Files {
					add(path+"/"+file.Name, file.Data)
				}
			case ".tgz":
				for name, data := range archived(t, data) {
					add(path+"/"+name, data)
				}
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return found
}

// archived reads the YAML files in the archive of a chart.
func archived(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	files, archive := map[string][]byte{}, tar.NewReader(unzipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(header.Name) == ".yaml" {
			if files[header.Name], err = io.ReadAll(archive); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// variants makes files with other line ends, with a byte order mark, with
// characters of several bytes, and the like.
func variants(data []byte) map[string][]byte {
	lines := func(with string) []byte {
		return []byte(strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n", with))
	}
	return map[string][]byte{
		"BOM": append([]byte("\ufeff"), data...), "CRLF": lines("\r\n"), "CR": lines("\r"),
		"NEL": lines("\u0085"), "LS": lines("\u2028"), "PS": lines("\u2029"),
		"wide":         bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("e"), []byte("é")), []byte("o"), []byte("😀")),
		"trailing tab": lines("\t\n"), "trailing space": lines(" \n"), "comments": lines(" #: 'é\n"),
		"no last line break": bytes.TrimRight(data, "\n"),
	}
}

// TestSourcesOfCorpus: each span of each value and key is that value's. Files
// take turns with the variants, which would take long for each of them.
func TestSourcesOfCorpus(t *testing.T) {
	const turns = 4
	files, spans := corpus(t), map[string]int{}
	for i, name := range slices.Sorted(maps.Keys(files)) {
		t.Run(name, func(t *testing.T) {
			spans["as it is"] += checkSources(t, files[name])
			all := variants(files[name])
			for j, variant := range slices.Sorted(maps.Keys(all)) {
				if (i+j)%turns == 0 && len(files[name]) < 10_000 {
					spans[variant] += checkSources(t, all[variant])
				}
			}
		})
	}
	t.Log(len(files), "files, spans of", spans)
	for variant, n := range spans {
		if n < 1_000 {
			t.Errorf("%s: only %d spans were checked", variant, n)
		}
	}
}
