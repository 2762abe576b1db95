package strictyaml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// TestLoadAll reads streams as they come from files and from kubectl; places
// count from the beginning of the stream.
func TestLoadAll(t *testing.T) {
	tests := []struct {
		name, source string
		want         []string // the place and value of a in each document
	}{
		{"one document", "a: 1\n", []string{"f:1:4 1"}},
		{"a start and a BOM", "\ufeff---\na: 1\n", []string{"f:2:4 1"}},
		{"two documents", "# one\na: 1\n--- # two\n\na: 2\n", []string{"f:2:4 1", "f:5:4 2"}},
		{"CRLF", "a: 1\r\n---\r\na: 2\r\n", []string{"f:1:4 1", "f:3:4 2"}},
		{"comments alone", "# x\n---\n# y\n---\na: 2\n---\n", []string{"f ", "f:5:4 2", "f "}},
		{"dashes in a text", "a: |\n  x\n  ---\n  y\n----a: 1\n", []string{"f:1:4 x\n---\ny\n"}},
		{"an end", "a: 1\n...\n---\na: 2\n", []string{"f:1:4 1", "f:4:4 2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			documents, problems := strictyaml.LoadAll("f", []byte(tt.source))
			if problems != nil {
				t.Fatal(problems)
			}
			var got []string
			for _, document := range documents {
				a := document.Root.Get("a")
				if a == nil {
					a = &strictyaml.Value{Position: strictyaml.Position{File: "f"}}
				}
				got = append(got, fmt.Sprintf("%s %s", a.Position, a.Text))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadAllProblems(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"nothing", "# nothing\n", "f: the file is empty"},
		{"twice in the second", "a: 1\n---\nb: 1\nb: 2\n", "f:4:1: b: the key is given twice, first on line 3"},
		{"not YAML in the third", "a: 1\n---\nb: 1\n---\nc: 1\n\td: 2\n", "f:5:1: not valid YAML: found a tab character that violates indentation"},
		{"an end and no start", "a: 1\n...\nb: 2\n", "f:3:1: not valid YAML: did not find expected <document start>: want one document a file, and nothing behind it"},
		{"too many", strings.Repeat("---\na: 1\n", 1002), "f:2001:1: too many documents: want at most 1000"},
		{"too large in all", strings.Repeat("---\n["+strings.Repeat("1,", 30_000)+"]\n", 4), "f:8:19994: the document is too large or too deep: want at most 100000 values, aliases expanded, in 100 levels"},
		{"NUL bytes", "a: \x00", "f:1:4: there is a NUL byte: want UTF-8 text"},
		{"not UTF-8", "a: \xff", "f:1:4: this is not UTF-8 text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, problems := strictyaml.LoadAll("f", []byte(tt.source)); problems.Error() != tt.want {
				t.Errorf("got %v, want %s", problems, tt.want)
			}
		})
	}
}
