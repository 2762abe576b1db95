package edit

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	sigs "sigs.k8s.io/yaml"
)

// corpusCase is one archive of testdata/corpus: edits, the files before them, and
// those after them or the reason why they are refused.
type corpusCase struct {
	name   string
	edits  []Edit
	in     map[string][]byte
	want   map[string][]byte
	refuse string
	only   map[string]bool // variants of the files that this case is about; all of them if empty
}

// readCorpus reads the archives. A line of the comment is an edit: set PATH=VALUE,
// string PATH=VALUE, append PATH=VALUE, remove PATH, move PATH TO; or "variants: NAME…".
func readCorpus(t testing.TB) []corpusCase {
	t.Helper()
	names, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all []corpusCase
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c := corpusCase{name: strings.TrimSuffix(filepath.Base(name), ".txtar"), in: map[string][]byte{}, want: map[string][]byte{}}
		for line := range strings.Lines(string(archive.Comment)) {
			c.read(t, strings.TrimSpace(line))
		}
		for _, file := range archive.Files {
			switch base, after := strings.CutPrefix(file.Name, "want/"); {
			case file.Name == "refused":
				c.refuse = strings.TrimSpace(string(file.Data))
			case after:
				c.want[base] = file.Data
			default:
				c.in[base] = file.Data
			}
		}
		all = append(all, c)
	}
	return all
}

func (c *corpusCase) read(t testing.TB, line string) {
	t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	path, value, _ := Cut(rest)
	var err error
	e := Edit{Op: Op(word), Path: path}
	switch word {
	case "", "#":
		return
	case "variants:":
		c.only = map[string]bool{}
		for name := range strings.FieldsSeq(rest) {
			c.only[name] = true
		}
		return
	case "set", "append":
		e.Value, err = YAML(value)
	case "string":
		e.Op, e.Value = Set, Text(strings.ReplaceAll(value, `\n`, "\n"))
	case "remove":
		e.Path = rest
	case "move":
		e.Path, e.To, _ = strings.Cut(rest, " ")
	default:
		err = errors.New("unknown word")
	}
	if err != nil {
		t.Fatalf("%s: %q: %v", c.name, line, err)
	}
	c.edits = append(c.edits, e)
}

// isEnvironment reports whether a file is one of ours; others are edited without
// knowing fields.
func isEnvironment(data []byte) bool { return bytes.Contains(data, []byte("apiVersion: pm-gitops/v1")) }

// edited applies the edits of a case to files, and holds those that extend no others to
// another YAML library.
func (c corpusCase) edited(t *testing.T, files map[string][]byte) (map[string][]byte, error) {
	t.Helper()
	data := files["env.yaml"]
	if isEnvironment(data) {
		env, err := Open("env.yaml", data, func(name string) ([]byte, error) {
			if data, ok := files[name]; ok {
				return data, nil
			}
			return nil, fmt.Errorf("no file %s", name)
		})
		if err != nil {
			return nil, err
		}
		var edits []resolved
		for _, e := range c.edits {
			r, _ := prepare(env.merged(), e)
			edits = append(edits, r)
		}
		slices.SortStableFunc(edits, compare)
		if _, err := env.Apply(c.edits...); err != nil {
			return nil, err
		}
		if len(files) == 1 {
			checkRead(t, readAsKubectl, data, env.Files()[0].New, edits...)
		}
		after := map[string][]byte{}
		for _, f := range env.Files() {
			after[f.Name] = f.New
		}
		return after, nil
	}
	d, problems := open("env.yaml", data)
	if problems != nil {
		return nil, problems
	}
	for _, e := range c.edits {
		r := resolved{op: e.Op, value: e.Value.tree}
		var err error
		if r.at, err = resolve(d.root, e.Path); err == nil && e.Op == Move {
			r.to, err = resolve(d.root, e.To)
		}
		before := d.data
		if err == nil {
			err = d.edit(r)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Path, err)
		}
		checkRead(t, readAsKubectl, before, d.data, r)
	}
	return map[string][]byte{"env.yaml": d.data}, nil
}

// readAsKubectl reads YAML as kubectl and the controllers do.
func readAsKubectl(data []byte, into any) error {
	return sigs.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), into)
}

// variants are other ways to write the same file.
var variants = map[string]func([]byte) []byte{
	"as it is": func(data []byte) []byte { return data },
	"CRLF":     func(data []byte) []byte { return bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")) },
	"CR":       func(data []byte) []byte { return bytes.ReplaceAll(data, []byte("\n"), []byte("\r")) },
	"NEL":      func(data []byte) []byte { return bytes.ReplaceAll(data, []byte("\n"), []byte("\u0085")) },
	"BOM":      func(data []byte) []byte { return append([]byte("\ufeff"), data...) },
	"open":     func(data []byte) []byte { return bytes.TrimSuffix(data, []byte("\n")) },
	"marked":   func(data []byte) []byte { return []byte("# head\n---\n" + string(data) + "# tail\n...\n") },
	"comment":  func(data []byte) []byte { return []byte(strings.TrimSuffix(string(data), "\n") + "\n\n# the end") },
}

// TestCorpus: edits change the bytes that they should, whatever the line ends of the
// file, and what is refused is refused with its reason.
func TestCorpus(t *testing.T) {
	cases := readCorpus(t)
	files, edits := 0, 0
	for _, c := range cases {
		for variant, change := range variants {
			if c.only != nil && !c.only[variant] {
				continue
			}
			t.Run(c.name+"/"+variant, func(t *testing.T) {
				in, want := map[string][]byte{}, map[string][]byte{}
				for name, data := range c.in {
					in[name] = change(bytes.Clone(data))
					want[name] = in[name]
					if after, ok := c.want[name]; ok {
						want[name] = change(bytes.Clone(after))
					}
				}
				got, err := c.edited(t, in)
				if c.refuse != "" {
					if err == nil || !strings.Contains(err.Error(), c.refuse) && variant == "as it is" {
						t.Fatalf("error %v, want %q", err, c.refuse)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				for name := range want {
					if diff := cmp.Diff(string(want[name]), string(got[name])); diff != "" {
						t.Errorf("%s (-want +got):\n%s", name, diff)
					}
				}
				edits++
			})
		}
		files += len(c.in)
	}
	t.Logf("%d cases, %d files, %d edited", len(cases), files, edits)
	if files < 60 {
		t.Errorf("the corpus has %d files, want at least 60", files)
	}
}
