package charts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLay: an overlay replaces, deletes and edits, and one that went stale is
// an error.
func TestLay(t *testing.T) {
	edits := func(old, now string) []byte { return []byte("Why.\n" + oldLine + old + newLine + now) }
	for name, test := range map[string]struct {
		overlay map[string][]byte
		want    map[string][]byte
		err     string
	}{
		"replace and add": {
			map[string][]byte{"a": []byte("1\n"), "c": []byte("2\n")},
			map[string][]byte{"a": []byte("1\n"), "b": []byte("x\n"), "c": []byte("2\n")}, "",
		},
		"delete":           {map[string][]byte{"b.deleted": nil}, map[string][]byte{"a": []byte("x\ny\nx\n")}, ""},
		"delete nothing":   {map[string][]byte{"c.deleted": nil}, nil, "c.deleted: there is nothing to delete"},
		"edit":             {map[string][]byte{"a.edits": edits("y\n", "z\n")}, map[string][]byte{"a": []byte("x\nz\nx\n"), "b": []byte("x\n")}, ""},
		"edit what is not": {map[string][]byte{"a.edits": edits("q\n", "z\n")}, nil, `a.edits: want once, found 0 times: "q\n"`},
		"edit what is two": {map[string][]byte{"a.edits": edits("x\n", "z\n")}, nil, `a.edits: want once, found 2 times: "x\n"`},
		"edit without new": {map[string][]byte{"a.edits": []byte(oldLine + "y\n")}, nil, "a.edits: no"},
		"no edit":          {map[string][]byte{"a.edits": []byte("y\n")}, nil, "a.edits: no"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{"a": []byte("x\ny\nx\n"), "b": []byte("x\n")}
			err := lay(test.overlay, files)
			if test.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), test.err) {
					t.Errorf("lay = %v, want %s", err, test.err)
				}
				return
			}
			if diff := cmp.Diff(test.want, files); err != nil || diff != "" {
				t.Errorf("lay = %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestStored: a version that nobody can ask for is not stored.
func TestStored(t *testing.T) {
	for _, name := range []string{Cloud, Istiod} {
		folders, err := stored.ReadDir(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, folder := range folders {
			if _, ok := parents[folder.Name()]; !ok {
				t.Errorf("%s/%s is no version", name, folder.Name())
			}
		}
	}
}
