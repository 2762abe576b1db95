package folder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// replaceFiles writes files into a folder and gives replacements for them.
func replaceFiles(t *testing.T, names ...string) []Replacement {
	t.Helper()
	dir := t.TempDir()
	var all []Replacement
	for _, name := range names {
		r := Replacement{filepath.Join(dir, name), []byte("old " + name), []byte("new " + name)}
		if err := os.WriteFile(r.Name, r.Old, 0o640); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// checkContent wants the old or the new content in each file, and no other file.
func checkContent(t *testing.T, all []Replacement, want string) {
	t.Helper()
	for _, r := range all {
		if data, err := os.ReadFile(r.Name); err != nil || !strings.HasPrefix(string(data), want) {
			t.Errorf("%s is %q (%v), want %s", r.Name, data, err, want)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(all[0].Name)); err != nil || len(entries) != len(all) {
		t.Errorf("the folder holds %v (%v), want %d files", entries, err, len(all))
	}
}

// TestReplace: all files are replaced, and keep their mode, also where the umask says
// something else.
func TestReplace(t *testing.T) {
	all := replaceFiles(t, "a.yaml", "b.yaml")
	for i, mode := range []os.FileMode{0o666, 0o600} {
		if err := os.Chmod(all[i].Name, mode); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if info, err := os.Stat(all[i].Name); err != nil || info.Mode().Perm() != mode {
				t.Errorf("mode %v (%v), want %v", info.Mode(), err, mode)
			}
		}()
	}
	if err := Replace(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	checkContent(t, all, "new")
}

// TestReplaceRefusals: if one file is not as it was, or is no plain file, none is replaced.
func TestReplaceRefusals(t *testing.T) {
	tests := []struct {
		name, want string
		change     func(name string) error
	}{
		{"changed", "it changed while this was working", func(name string) error { return os.WriteFile(name, []byte("other"), 0o600) }},
		{"gone", "no such file", os.Remove},
		{"a link", "it is a symbolic link", func(name string) error {
			_ = os.Remove(name)
			return os.Symlink("a.yaml", name)
		}},
		{"read-only", "it is read-only", func(name string) error { return os.Chmod(name, 0o444) }},
		{"a hard link", "it has several names", func(name string) error { return os.Link(name, filepath.Join(filepath.Dir(name), "twin")) }},
		{"a folder", "it is no plain file", func(name string) error {
			_ = os.Remove(name)
			return os.Mkdir(name, 0o700)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			all := replaceFiles(t, "a.yaml", "b.yaml")
			if err := test.change(all[1].Name); err != nil {
				t.Fatal(err)
			}
			if err := Replace(t.Context(), all); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
			if data, err := os.ReadFile(all[0].Name); err != nil || string(data) != "old a.yaml" {
				t.Errorf("the other file is %q, %v", data, err)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(all[0].Name), ".*")); left != nil {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestReplaceCannotWrite: a folder that takes no new files leaves all files as they are.
func TestReplaceCannotWrite(t *testing.T) {
	all := replaceFiles(t, strings.Repeat("a", 240), "b.yaml") // no room for the name of the new one
	if err := Replace(t.Context(), all); err == nil || !strings.Contains(err.Error(), "file name too long") {
		t.Fatalf("error %v", err)
	}
	checkContent(t, all, "old")
}

// TestReplaceMeanwhile: what changes while the new files are written is not replaced,
// nor is any other file.
func TestReplaceMeanwhile(t *testing.T) {
	all := replaceFiles(t, "a.yaml", "b.yaml")
	err := replaceAll(all, func() { wantNoError(t, os.WriteFile(all[1].Name, []byte("newer"), 0o640)) })
	if err == nil || !strings.Contains(err.Error(), "b.yaml: it changed while this was working") {
		t.Errorf("error %v", err)
	}
	if newer, err := os.ReadFile(all[1].Name); err != nil || string(newer) != "newer" {
		t.Errorf("b.yaml is %q (%v)", newer, err)
	}
	wantNoError(t, os.Remove(all[1].Name))
	checkContent(t, all[:1], "old")
}

// TestReplaceInTheFolder: a link that takes the folder's name meanwhile leads nothing
// elsewhere.
func TestReplaceInTheFolder(t *testing.T) {
	all, others := replaceFiles(t, "a.yaml"), replaceFiles(t, "a.yaml")
	dir := filepath.Dir(all[0].Name)
	err := replaceAll(all, func() {
		wantNoError(t, errors.Join(os.Rename(dir, dir+"-moved"), os.Symlink(filepath.Dir(others[0].Name), dir)))
	})
	wantNoError(t, err)
	checkContent(t, others, "old")
	all[0].Name = filepath.Join(dir+"-moved", "a.yaml")
	checkContent(t, all, "new")
}

func wantNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestReplaceWaits: while another process writes into the folder, nothing is replaced.
func TestReplaceWaits(t *testing.T) {
	all := replaceFiles(t, "a.yaml")
	root, err := os.OpenRoot(filepath.Dir(all[0].Name))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	ctx, cancel := context.WithCancel(t.Context())
	err = locked(t.Context(), root, 0, func() error {
		cancel() // it would wait
		return Replace(ctx, all)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	checkContent(t, all, "old")
}

// TestReplaceThroughLink: a folder that has two names is locked once.
func TestReplaceThroughLink(t *testing.T) {
	all := replaceFiles(t, "a.yaml", "b.yaml")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Dir(all[0].Name), link); err != nil {
		t.Fatal(err)
	}
	named := slices.Clone(all)
	named[1].Name = filepath.Join(link, "b.yaml")
	if err := Replace(t.Context(), named); err != nil {
		t.Fatal(err)
	}
	checkContent(t, all, "new")
}

// TestReplaceKeepsOwner: a file that root edits stays its owner's.
func TestReplaceKeepsOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives files away")
	}
	all := replaceFiles(t, "a.yaml")
	if err := os.Chown(all[0].Name, 1234, 4321); err != nil {
		t.Skip(err)
	}
	if err := Replace(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(all[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	if owner := fmt.Sprintf("%+v", info.Sys()); !strings.Contains(owner, "Uid:1234 Gid:4321") {
		t.Errorf("the owner is another: %s", owner)
	}
	checkContent(t, all, "new")
}
