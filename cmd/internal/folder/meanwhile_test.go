//go:build unix

package folder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// TestWhatChangesMeanwhileStays: a file that another program changes, makes or turns
// into a link after it was judged is neither replaced nor removed.
func TestWhatChangesMeanwhileStays(t *testing.T) {
	change := func(name, content string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666) }
	}
	tests := map[string]struct {
		meanwhile func(dir string) error
		name      string
		want      string
	}{
		"changed":       {change("p/overlays/dev/b", "theirs"), "p/overlays/dev/b", "theirs"},
		"the inventory": {change(inventory, "theirs"), inventory, "theirs"},
		"made":          {change("p/overlays/dev/c", "theirs"), "p/overlays/dev/c", "theirs"},
		"to be removed": {change("p/overlays/dev/a", "theirs"), "p/overlays/dev/a", "theirs"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			if _, err := Write(t.Context(), root, layouts, []tree.Tree{treeWith("1")}, false); err != nil {
				t.Fatal(err)
			}
			next := treeWith("2")
			delete(next, "p/overlays/dev/a")
			next["p/overlays/dev/c"] = []byte("2")
			s, writes, err := compare(root.FS(), layouts, []tree.Tree{next}, true)
			if err != nil {
				t.Fatal(err)
			}
			// It is no longer wanted: the inventory says so.
			s.unwanted, s.changes.Removed = []string{"p/overlays/dev/a"}, []string{"p/overlays/dev/a"}
			if _, _, err := s.read("p/overlays/dev/a"); err != nil {
				t.Fatal(err)
			}
			if err := test.meanwhile(dir); err != nil {
				t.Fatal(err)
			}
			err = hand{step: s, root: root, made: map[string]bool{}}.apply(writes)
			if !errors.Is(err, ErrMeanwhile) {
				t.Errorf("apply = %v, want %v", err, ErrMeanwhile)
			}
			if got, err := os.ReadFile(filepath.Join(dir, test.name)); err != nil || string(got) != test.want {
				t.Errorf("%s = %q, %v, want %q", test.name, got, err, test.want)
			}
		})
	}
}

func TestOneWritesAtATime(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	err = locked(t.Context(), root, 0, func() error {
		if err := locked(t.Context(), root, 3*pause, func() error { return nil }); !errors.Is(err, ErrBusy) {
			t.Errorf("locked twice = %v, want %v", err, ErrBusy)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := locked(t.Context(), root, 0, func() error { return nil }); err != nil {
		t.Errorf("locked after it = %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("the lock left %v, %v", entries, err)
	}
}

// TestAWaitEndsWithItsContext: who waits for another process may give up.
func TestAWaitEndsWithItsContext(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	err = locked(t.Context(), root, 0, func() error {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2*pause, cancel)
		return locked(ctx, root, time.Hour, func() error { return nil })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("locked = %v, want %v", err, context.Canceled)
	}
}

// TestWhatHasNoEndIsNotRead: a named pipe would block, and a file without end fill
// the memory.
func TestWhatHasNoEndIsNotRead(t *testing.T) {
	for name, make := range map[string]func(string) error{
		"it is no plain file":                       func(at string) error { return syscall.Mkfifo(at, 0o666) },
		"it has 65 MiB, more than any file of ours": func(at string) error { return errors.Join(os.WriteFile(at, nil, 0o666), os.Truncate(at, 65<<20)) },
	} {
		for _, file := range []string{inventory, "p/.pm-gitops/prod.json", "p/overlays/dev/a"} {
			dir := t.TempDir()
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			at := filepath.Join(dir, file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o777), make(at)); err != nil {
				t.Fatal(err)
			}
			ended := time.AfterFunc(20*time.Second, func() { panic("reading " + file + " has no end") })
			_, err = Write(t.Context(), root, layouts, []tree.Tree{treeWith("1")}, true)
			ended.Stop()
			if want := "read " + file + ": " + name; err == nil || err.Error() != want {
				t.Errorf("Write = %v, want %s", err, want)
			}
			root.Close()
		}
	}
}
