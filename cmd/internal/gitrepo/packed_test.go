package gitrepo

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
)

// versions makes a repository with many versions of a few files, so that git
// makes deltas on one another.
func (w *world) versions(dir string) {
	w.t.Helper()
	w.repo(dir, base)
	w.more(dir, "long.txt", 40)
}

func (w *world) more(dir, name string, versions int) {
	w.t.Helper()
	var in strings.Builder
	for n := range versions {
		text := ""
		for line := range 300 {
			text += fmt.Sprintf("line %d of %s: %x\n", line, name, (line/7+n)*7919)
		}
		in.WriteString("commit refs/heads/main\ncommitter Ada <ada@example.com> 1600000000 +0000\ndata 1\n.\n")
		if n == 0 {
			in.WriteString("from refs/heads/main^0\n")
		}
		fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s%[4]d\nM 100644 inline many/file-%02[4]d\ndata %d\n%s\n", name, len(text)+len(fmt.Sprint(n)), text, n, n*20, text[:n*20])
	}
	w.fastImport(dir, in.String())
	w.git(dir, "reset", "-q", "--hard")
}

// fastImport adds commits, with loose objects unless they are more than 1,000.
func (w *world) fastImport(dir, in string) {
	w.t.Helper()
	cmd := exec.Command("git", "-c", "fastimport.unpackLimit=1000", "fast-import", "--quiet")
	cmd.Dir, cmd.Env, cmd.Stdin = filepath.Join(w.home, dir), w.environ(), strings.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
}

// crowd adds many files to a repository.
func (w *world) crowd(dir string, files int) {
	w.t.Helper()
	var in strings.Builder
	in.WriteString("commit refs/heads/crowd\ncommitter Ada <ada@example.com> 1600000000 +0000\ndata 1\n.\n")
	for i := range files {
		content := fmt.Sprint(i)
		fmt.Fprintf(&in, "M 100644 inline crowd/%d\ndata %d\n%s\n", i, len(content), content)
	}
	w.fastImport(dir, in.String())
	w.git(dir, "repack", "-adq")
}

// everyObject is what git says that a repository has.
func (w *world) everyObject(dir string) map[plumbing.Hash]object.Object {
	w.t.Helper()
	cmd := exec.Command("git", "cat-file", "--batch-all-objects", "--batch")
	cmd.Dir, cmd.Env = filepath.Join(w.home, dir), w.environ()
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	objects := map[plumbing.Hash]object.Object{}
	for len(out) > 0 {
		var name, kind string
		var size int
		line, rest, _ := bytes.Cut(out, []byte{'\n'})
		if _, err := fmt.Sscan(string(line), &name, &kind, &size); err != nil {
			w.t.Fatalf("%s: %v", line, err)
		}
		parsed, err := plumbing.ParseObjectType(kind)
		if err != nil {
			w.t.Fatal(err)
		}
		hash := plumbing.NewHash(name)
		objects[hash], out = object.Object{Kind: parsed, Hash: hash, Data: rest[:size]}, rest[size+1:]
	}
	return objects
}

func TestObjectsAreThoseThatGitReads(t *testing.T) {
	farAway := func(w *world) {
		w.git("r", "repack", "-adfq", "--depth=50")
		packs, _ := filepath.Glob(filepath.Join(w.home, "r/.git/objects/pack/*.pack"))
		if err := os.Remove(strings.TrimSuffix(packs[0], "pack") + "idx"); err != nil {
			w.t.Fatal(err)
		}
		w.git("r", "index-pack", "--index-version=2,0x40", packs[0]) // what is behind that counts as far away
	}
	for name, store := range map[string]func(*world){
		"loose":       func(*world) {},
		"only a pack": func(w *world) { w.git("r", "repack", "-adfq", "--depth=50") },
		"only two packs": func(w *world) {
			w.git("r", "repack", "-adfq", "--depth=50")
			w.more("r", "longer.txt", 20)
			w.git("r", "repack", "-dfq", "--depth=50")
		},
		"only by name":  func(w *world) { w.git("r", "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq") },
		"only far away": farAway,
		"only many":     func(w *world) { w.crowd("r", 12_000) },
		"packs and loose": func(w *world) {
			w.git("r", "repack", "-dq")
			w.commit("r", w.put("r", ours))
			w.write("r/x", "x\n")
			w.git("r", "add", "x")
		},
		"alternates": func(w *world) {
			w.git("r", "repack", "-adq")
			w.git(".", "clone", "-q", "-s", "r", "clone")
			if err := os.Rename(filepath.Join(w.home, "r"), filepath.Join(w.home, "other")); err != nil {
				w.t.Fatal(err)
			}
			w.write("clone/.git/objects/info/alternates", filepath.Join(w.home, "other/.git/objects")+"\n")
			if err := os.Rename(filepath.Join(w.home, "clone"), filepath.Join(w.home, "r")); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.versions("r")
			store(w)
			all := w.everyObject("r")
			objects := w.open("r").objects()
			if strings.HasPrefix(name, "only") { // nothing is left to go-git
				w.repo("empty", base)
				objects.Close()
				objects = object.OpenPacks(filepath.Join(w.home, "r/.git/objects/pack"), w.open("empty").storage())
			}
			defer objects.Close()
			var group sync.WaitGroup
			for _, want := range all {
				group.Go(func() {
					got, err := object.Read(objects, want.Kind, want.Hash)
					if err != nil || !bytes.Equal(got, want.Data) {
						t.Errorf("%s %s: %d bytes, %v, want %d", want.Kind, want.Hash, len(got), err, len(want.Data))
					}
					other := plumbing.TagObject
					if _, err := objects.EncodedObject(other, want.Hash); err != plumbing.ErrObjectNotFound {
						t.Errorf("%s as a tag: %v", want.Kind, err)
					}
				})
			}
			group.Wait()
			if _, err := objects.EncodedObject(plumbing.AnyObject, plumbing.NewHash(strings.Repeat("5", 40))); err != plumbing.ErrObjectNotFound {
				t.Errorf("of what is not there: %v", err)
			}
		})
	}
}

// What is damaged is an error, or is seen by nobody: never a panic, nor an
// object of more bytes than it says.
func TestDamagedPacksAreErrors(t *testing.T) {
	w := newWorld(t)
	w.versions("r")
	w.git("r", "repack", "-adfq", "--depth=50")
	all := w.everyObject("r")
	packs, _ := filepath.Glob(filepath.Join(w.home, "r/.git/objects/pack/*.pack"))
	random := rand.New(rand.NewPCG(1, 2))
	failed := 0
	for _, name := range []string{packs[0], strings.TrimSuffix(packs[0], "pack") + "idx"} {
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, 0o644); err != nil {
			t.Fatal(err)
		}
		for range 40 {
			damaged := bytes.Clone(whole)
			damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
			if random.IntN(4) == 0 {
				damaged = damaged[:random.IntN(len(damaged))]
			}
			if err := os.WriteFile(name, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			objects := w.open("r").objects()
			for _, want := range all {
				if got, err := object.Read(objects, want.Kind, want.Hash); err != nil {
					failed++
				} else if len(got) > 1<<20 {
					t.Errorf("%s: %d bytes", want.Hash, len(got))
				}
			}
			objects.Close()
		}
		if err := os.WriteFile(name, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if failed == 0 {
		t.Error("no damage was seen")
	}
}

func TestAWrongChecksumIsAnError(t *testing.T) {
	w := newWorld(t)
	w.versions("r")
	w.git("r", "repack", "-adfq")
	packs, _ := filepath.Glob(filepath.Join(w.home, "r/.git/objects/pack/*.pack"))
	var name, kind string
	var size, stored, offset int
	for line := range strings.Lines(w.git("r", "verify-pack", "-v", packs[0])) {
		if _, err := fmt.Sscan(line, &name, &kind, &size, &stored, &offset); err == nil && offset == 12 {
			break // the first one
		}
	}
	content, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	content[offset+stored-1]++
	if err := os.Chmod(packs[0], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(packs[0], content, 0o644); err != nil {
		t.Fatal(err)
	}
	objects := w.open("r").objects()
	defer objects.Close()
	if _, err := object.Read(objects, plumbing.AnyObject, plumbing.NewHash(name)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("%s %s: %v, want that it is damaged", kind, name, err)
	}
}
