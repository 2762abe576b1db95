package gitrepo

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// chance makes small histories and edits, the same for the same seed.
type chance struct {
	*rand.Rand
	w *world
	n int
}

// names are few, and some are folders of others: things get in each other's way.
var names = []string{"a", "a/x", "a/y", "b", "b/x/z", "b/x", "c", "d/e/f", "d/e", "d", "g", "h-i", "h/i", "ours/new.yaml", "ours/old.yaml"}

// change does something to a path: it is made, changed or removed, a link or
// executable, a folder or a file. Who says whose content it is.
func (c *chance) change(dir, who string) {
	c.n++
	name := names[c.IntN(len(names))]
	full := filepath.Join(c.w.home, dir, name)
	switch c.IntN(8) {
	case 0, 1:
		_ = os.RemoveAll(full)
	case 2:
		c.clear(dir, name)
		_ = os.Symlink(fmt.Sprintf("%s-%d", who, c.n), full)
	case 3:
		if info, err := os.Lstat(full); err == nil && info.Mode().IsRegular() {
			_ = os.Chmod(full, info.Mode()^0o111)
		}
	default:
		c.clear(dir, name)
		c.w.write(filepath.Join(dir, name), strings.Repeat(fmt.Sprintf("%s %d\n", who, c.n), 1+c.IntN(3)))
	}
}

// clear removes what is at a path, and files where folders are to be.
func (c *chance) clear(dir, name string) {
	for _, above := range foldersAbove(name)[1:] {
		full := filepath.Join(c.w.home, dir, above)
		if info, err := os.Lstat(full); err == nil && !info.IsDir() {
			_ = os.Remove(full)
		}
	}
	_ = os.RemoveAll(filepath.Join(c.w.home, dir, name))
	_ = os.MkdirAll(filepath.Join(c.w.home, dir, filepath.Dir(name)), 0o777)
}

// edit does something that a user does: to a file, never to a folder. What git
// makes of folders that are files on the disk depends on its version.
func (c *chance) edit(dir string) {
	c.n++
	name := names[c.IntN(len(names))]
	full := filepath.Join(c.w.home, dir, name)
	info, err := os.Lstat(full)
	switch {
	case err != nil:
		if above, err := os.Lstat(filepath.Dir(full)); err == nil && above.IsDir() && c.IntN(2) == 0 {
			c.w.write(filepath.Join(dir, name), fmt.Sprintf("mine %d\n", c.n))
		}
		return
	case !info.Mode().IsRegular():
		return
	case c.IntN(3) == 0:
		_ = os.Remove(full)
	default:
		c.w.write(filepath.Join(dir, name), fmt.Sprintf("mine %d\n", c.n))
	}
	if c.IntN(2) == 0 {
		_, _ = c.w.try(dir, "add", "-A", "--", name)
	}
}

// The same as git does, whatever others and the user did.
func TestCatchUpDoesWhatGitDoesByChance(t *testing.T) {
	const seeds = 20
	var done, refused atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				c := &chance{rand.New(rand.NewPCG(7, uint64(seed))), w, 0}
				w.repo("others", map[string]string{"first": "x\n"})
				for range 12 {
					c.change("others", "base")
				}
				w.git("others", "add", "-A")
				w.git("others", "commit", "-q", "--allow-empty", "-m", "base")
				w.git(".", "clone", "-q", "--bare", "others", "origin")
				w.git(".", "clone", "-q", "origin", "r")
				undo := w.commit("r", w.put("r", map[string]string{"env/one.yaml": "1\n", "env/two.yaml": "2\n"})).Hash
				w.pushed(func(w *world) {
					for range 2 + c.IntN(6) {
						c.change("others", "theirs")
					}
				})
				for range c.IntN(7) {
					c.edit("r")
				}
				w.judgeCatchUp(undo, false)
				if seed%6 == 0 {
					w.sound("r")
				}
				if head := w.git("r", "rev-parse", "HEAD"); head == undo+"\n" {
					refused.Add(1)
				} else {
					done.Add(1)
				}
			})
		}
	})
	if done.Load() < seeds/3 || refused.Load() < seeds/8 {
		t.Errorf("%d were done and %d refused: the test says little", done.Load(), refused.Load())
	}
}
