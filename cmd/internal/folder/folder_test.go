package folder_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/killtest"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/targets"
)

// TestMain also is the program that TestKilledWritesLeaveWholeFiles and TestKilledFleetsLeaveWholeFiles kill.
func TestMain(m *testing.M) {
	if dir := os.Getenv("FOLDER_TEST_WRITE_FOREVER"); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir))
		os.Exit(1)
	}
	if dir := os.Getenv("FOLDER_TEST_WRITE_FLEETS"); dir != "" {
		fmt.Fprintln(os.Stderr, writeFleetsForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const devInventory = "prefect/.pm-gitops/dev.json"

// layouts is what the targets write that the program knows.
var layouts = render.Targets{targets.Flux{}, targets.Argo{}}.Layouts()

// treeOf gives the tree of an environment: its files and their inventory.
func treeOf(environment string, files map[string]string, change ...func(*tree.Inventory)) tree.Tree {
	inventory := tree.Inventory{
		Environment: environment,
		Target:      "flux",
		Releases:    map[string]tree.InstalledAt{"cloud": {Name: "prefect-cloud", Namespace: "prefect"}},
		Files:       map[string]string{},
	}
	written := tree.Tree{}
	for name, content := range files {
		written[name] = []byte(content)
		inventory.Files[name] = tree.Digest(written[name])
	}
	for _, do := range change {
		do(&inventory)
	}
	data, err := json.Marshal(inventory)
	if err != nil {
		panic(err)
	}
	written[tree.InventoryPath("prefect", environment)] = data
	return written
}

func forTarget(name string) func(*tree.Inventory) {
	return func(i *tree.Inventory) { i.Target = name }
}

func installedAt(name, namespace string) func(*tree.Inventory) {
	return func(i *tree.Inventory) {
		i.Releases = map[string]tree.InstalledAt{"cloud": {Name: name, Namespace: namespace}}
	}
}

// files gives what the trees here are made of; the content is NAME if there is no =CONTENT.
func files(list ...string) map[string]string {
	made := map[string]string{}
	for _, file := range list {
		name, content, found := strings.Cut(file, "=")
		if !found {
			content = name
		}
		made[name] = content
	}
	return made
}

func open(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// write writes a tree that must get there.
func write(t *testing.T, root *os.Root, files tree.Tree, force bool) folder.Changes {
	t.Helper()
	changes, err := folder.Write(t.Context(), root, layouts, []tree.Tree{files}, force)
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
	return changes
}

// folderWith gives a folder that trees were written to.
func folderWith(t *testing.T, trees ...tree.Tree) (string, *os.Root) {
	t.Helper()
	dir := t.TempDir()
	root := open(t, dir)
	for _, tree := range trees {
		write(t, root, tree, false)
	}
	return dir, root
}

// put makes a file, as a person would.
func put(t *testing.T, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// link replaces what is there by a symbolic link.
func link(t *testing.T, dir, name, to string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, file); err != nil {
		t.Fatal(err)
	}
}

// snapshot gives everything in a folder: files with their content, folders with
// a slash behind their name, links with where they lead.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == dir {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		switch name = filepath.ToSlash(name); {
		case entry.IsDir():
			found[name+"/"] = ""
		case entry.Type() == fs.ModeSymlink:
			to, err := os.Readlink(file)
			found[name] = "-> " + to
			return err
		default:
			data, err := os.ReadFile(file)
			found[name] = string(data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// snapshotOf gives the snapshot of a folder that has these files alone.
func snapshotOf(all ...map[string]string) map[string]string {
	want := map[string]string{}
	for _, files := range all {
		for name, content := range files {
			want[name] = content
			for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
				want[dir+"/"] = ""
			}
		}
	}
	return want
}

// text gives a tree as snapshotOf takes it.
func text(tree tree.Tree) map[string]string {
	made := map[string]string{}
	for name, content := range tree {
		made[name] = string(content)
	}
	return made
}

func expect(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, snapshot(t, dir)); diff != "" {
		t.Errorf("the folder is not as it should be (-want +got):\n%s", diff)
	}
}

func TestWriteOfTheFirstTreeCreatesItAndNothingElse(t *testing.T) {
	dir, root := folderWith(t)
	tree := treeOf("dev", files("clusters/x/prefect-dev.yaml", "prefect/base/cloud.yaml", "prefect/overlays/dev/cloud.yaml"))
	got := write(t, root, tree, false)
	if diff := cmp.Diff(folder.Changes{Created: tree.Paths()}, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	expect(t, dir, snapshotOf(text(tree)))
}

func TestWriteOfTheSameTreeTouchesNothing(t *testing.T) {
	tree := treeOf("dev", files("clusters/x/prefect-dev.yaml", "prefect/overlays/dev/cloud.yaml"))
	dir, root := folderWith(t, tree)
	long := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	before := map[string]fs.FileInfo{}
	names := append(slices.Collect(maps.Keys(snapshot(t, dir))), ".")
	for _, name := range names {
		if err := os.Chtimes(filepath.Join(dir, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		before[name] = info
	}

	for _, force := range []bool{false, true} {
		got := write(t, root, tree, force)
		if diff := cmp.Diff(folder.Changes{Unchanged: len(tree)}, got); diff != "" || !got.Empty() {
			t.Errorf("force %v: changes (-want +got):\n%s", force, diff)
		}
	}
	for name, was := range before {
		is, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !os.SameFile(was, is) || !is.ModTime().Equal(long) {
			t.Errorf("%s was touched: modified %v, want the same file of %v", name, is.ModTime(), long)
		}
	}
}

func TestWriteFollowsTheTree(t *testing.T) {
	old := files("prefect/overlays/dev/a.yaml", "prefect/overlays/dev/b.yaml", "prefect/overlays/dev/deep/er/c.yaml")
	tests := []struct {
		name    string
		foreign map[string]string // that a person has in the folder
		next    map[string]string
		want    folder.Changes
	}{
		{
			"new content replaces the old", nil,
			files("prefect/overlays/dev/a.yaml=new", "prefect/overlays/dev/b.yaml", "prefect/overlays/dev/deep/er/c.yaml"),
			folder.Changes{Updated: []string{devInventory, "prefect/overlays/dev/a.yaml"}, Unchanged: 2},
		},
		{
			"a file more is created", nil,
			files("prefect/overlays/dev/a.yaml", "prefect/overlays/dev/b.yaml", "prefect/overlays/dev/deep/er/c.yaml", "prefect/overlays/dev/deep/d.yaml"),
			folder.Changes{Created: []string{"prefect/overlays/dev/deep/d.yaml"}, Updated: []string{devInventory}, Unchanged: 3},
		},
		{
			"a file less is removed, with the folders that are empty then", nil,
			files("prefect/overlays/dev/a.yaml", "prefect/overlays/dev/b.yaml"),
			folder.Changes{Removed: []string{"prefect/overlays/dev/deep/er/c.yaml"}, Updated: []string{devInventory}, Unchanged: 2},
		},
		{
			"a folder with a person's file stays", files("prefect/overlays/dev/deep/notes.md", "README.md", devInventory+".orig"),
			files("prefect/overlays/dev/a.yaml"),
			folder.Changes{Removed: []string{"prefect/overlays/dev/b.yaml", "prefect/overlays/dev/deep/er/c.yaml"}, Updated: []string{devInventory}, Unchanged: 1},
		},
		{
			"everything may move", nil,
			files("clusters/z.yaml", "prefect/overlays/dev/b.yaml=new"),
			folder.Changes{Created: []string{"clusters/z.yaml"}, Updated: []string{devInventory, "prefect/overlays/dev/b.yaml"}, Removed: []string{"prefect/overlays/dev/a.yaml", "prefect/overlays/dev/deep/er/c.yaml"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, root := folderWith(t, treeOf("dev", old))
			for name, content := range tt.foreign {
				put(t, dir, name, content)
			}
			next := treeOf("dev", tt.next)
			if diff := cmp.Diff(tt.want, write(t, root, next, false)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			expect(t, dir, snapshotOf(text(next), tt.foreign))
		})
	}
}

func TestWriteBringsBackAFileThatAPersonDeleted(t *testing.T) {
	tree := treeOf("dev", files("prefect/overlays/dev/a.yaml", "prefect/overlays/dev/b.yaml"))
	dir, root := folderWith(t, tree)
	if err := os.Remove(filepath.Join(dir, "prefect/overlays/dev/a.yaml")); err != nil {
		t.Fatal(err)
	}
	want := folder.Changes{Created: []string{"prefect/overlays/dev/a.yaml"}, Unchanged: 2}
	if diff := cmp.Diff(want, write(t, root, tree, false)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	expect(t, dir, snapshotOf(text(tree)))
}

func TestWriteLeavesWhatAPersonDid(t *testing.T) {
	old := treeOf("dev", files("prefect/overlays/dev/a.yaml", "prefect/overlays/dev/b.yaml", "prefect/overlays/dev/gone/c.yaml"))
	next := treeOf("dev", files("prefect/overlays/dev/a.yaml=new", "prefect/overlays/dev/b.yaml=new", "prefect/overlays/dev/gone/c.yaml", "prefect/overlays/dev/new/d.yaml"))
	without := treeOf("dev", files("prefect/overlays/dev/a.yaml", "prefect/overlays/dev/b.yaml"))
	tests := []struct {
		name   string
		person map[string]string
		tree   tree.Tree
		want   []string
	}{
		{"a changed file", files("prefect/overlays/dev/b.yaml=mine"), next, []string{"prefect/overlays/dev/b.yaml (changed by someone)"}},
		{"a changed file that the tree has as before", files("prefect/overlays/dev/a.yaml=mine"), old, []string{"prefect/overlays/dev/a.yaml (changed by someone)"}},
		{"an emptied file", files("prefect/overlays/dev/b.yaml="), next, []string{"prefect/overlays/dev/b.yaml (changed by someone)"}},
		{"a file where one of ours belongs", files("prefect/overlays/dev/new/d.yaml=mine"), next, []string{"prefect/overlays/dev/new/d.yaml (put there by someone)"}},
		{"a changed file that is to go", files("prefect/overlays/dev/gone/c.yaml=mine"), without, []string{"prefect/overlays/dev/gone/c.yaml (changed by someone)"}},
		{
			"several at once", files("prefect/overlays/dev/a.yaml=mine", "prefect/overlays/dev/new/d.yaml=mine"), next,
			[]string{"prefect/overlays/dev/a.yaml (changed by someone)", "prefect/overlays/dev/new/d.yaml (put there by someone)"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, root := folderWith(t, old)
			for name, content := range tt.person {
				put(t, dir, name, content)
			}
			before := snapshot(t, dir)
			_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{tt.tree}, false)
			var conflict folder.ConflictError
			if !errors.As(err, &conflict) {
				t.Fatalf("Write = %v, want a ConflictError", err)
			}
			if diff := cmp.Diff(tt.want, conflict.Paths); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
			if want := "these files are not as they were written:\n" + strings.Join(tt.want, "\n"); err.Error() != want {
				t.Errorf("Write = %q, want %q", err, want)
			}
			expect(t, dir, before)

			write(t, root, tt.tree, true)
			expect(t, dir, snapshotOf(text(tt.tree)))
		})
	}
}

func TestWriteTakesAPersonsFileThatIsTheSame(t *testing.T) {
	dir, root := folderWith(t)
	put(t, dir, "prefect/overlays/dev/a.yaml", "prefect/overlays/dev/a.yaml")
	tree := treeOf("dev", files("prefect/overlays/dev/a.yaml"))
	if diff := cmp.Diff(folder.Changes{Created: []string{devInventory}, Unchanged: 1}, write(t, root, tree, false)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	expect(t, dir, snapshotOf(text(tree)))
}

// Each case makes something in the way of a file of ours, with a folder
// outside that must not be reached.
func TestNothingIsReadOrWrittenThroughWhatIsNoPlainFile(t *testing.T) {
	const stays, goes = "prefect/overlays/dev/a.yaml", "prefect/overlays/dev/old/b.yaml"
	old := treeOf("dev", files(stays, goes))
	next := treeOf("dev", files(stays+"=new", "prefect/overlays/dev/new.yaml"))
	long := "prefect/" + strings.Repeat("x", 300)
	tests := []struct {
		name string
		mess func(t *testing.T, dir, outside string)
		tree tree.Tree
		want string // in the error; the outside is there as OUTSIDE
	}{
		{"a file that links to the outside", func(t *testing.T, dir, outside string) { link(t, dir, stays, outside+"/dev/a.yaml") }, next, "read " + stays + ": it is no plain file"},
		{"a file that links to the inside", func(t *testing.T, dir, _ string) { link(t, dir, stays, "../../README.md") }, next, "read " + stays + ": it is no plain file"},
		{"a file that links to nothing", func(t *testing.T, dir, _ string) { link(t, dir, stays, "nothing") }, next, "read " + stays + ": it is no plain file"},
		{"a new file's place that links to the outside", func(t *testing.T, dir, outside string) {
			link(t, dir, "prefect/overlays/dev/new.yaml", outside+"/new.yaml")
		}, next, "read prefect/overlays/dev/new.yaml: it is no plain file"},
		{"a stale file that links to the outside", func(t *testing.T, dir, outside string) { link(t, dir, goes, outside+"/old/b.yaml") }, next, "read " + goes + ": it is no plain file"},
		{"a folder that links to the outside", func(t *testing.T, dir, outside string) { link(t, dir, "prefect/overlays/dev", outside+"/dev") }, next, "read " + stays + ": folder prefect/overlays/dev is a symbolic link"},
		{"a folder above that links to the outside", func(t *testing.T, dir, outside string) { link(t, dir, "prefect", outside) }, next, "read folder prefect/.pm-gitops: path escapes from parent"},
		{"a folder that links to the inside", func(t *testing.T, dir, _ string) { link(t, dir, "prefect/overlays/dev", "../../docs") }, next, "read " + stays + ": folder prefect/overlays/dev is a symbolic link"},
		{"a folder that links to nothing", func(t *testing.T, dir, _ string) { link(t, dir, "prefect/overlays/dev", "../../nothing") }, next, "read " + stays + ": folder prefect/overlays/dev is a symbolic link"},
		{"a stale file's folder that links to the outside", func(t *testing.T, dir, outside string) { link(t, dir, "prefect/overlays/dev/old", outside+"/old") }, next, "read " + goes + ": folder prefect/overlays/dev/old is a symbolic link"},
		{"a stale file's folder that links to the inside", func(t *testing.T, dir, _ string) { link(t, dir, "prefect/overlays/dev/old", "../docs") }, next, "read " + goes + ": folder prefect/overlays/dev/old is a symbolic link"},
		{"an inventory that links to the outside", func(t *testing.T, dir, outside string) { link(t, dir, devInventory, outside+"/dev.json") }, next, "read " + devInventory + ": it is no plain file"},
		{"an inventory folder that links to the outside", func(t *testing.T, dir, outside string) { link(t, dir, "prefect/.pm-gitops", outside) }, next, "read folder prefect/.pm-gitops: path escapes from parent"},
		{"an inventory folder that links to the inside", func(t *testing.T, dir, _ string) { link(t, dir, "prefect/.pm-gitops", "../docs") }, next, "read " + devInventory + ": folder prefect/.pm-gitops is a symbolic link"},
		{"a folder where a file belongs", func(t *testing.T, dir, _ string) { put(t, dir, "prefect/overlays/dev/new.yaml/notes.md", "") }, next, "read prefect/overlays/dev/new.yaml: it is no plain file"},
		{"a file where a folder belongs", func(t *testing.T, dir, _ string) { put(t, dir, "prefect/overlays/dev/new", "") }, treeOf("dev", files("prefect/overlays/dev/new/a.yaml")), "read prefect/overlays/dev/new/a.yaml: not a directory"},
		{"a name that is too long", func(*testing.T, string, string) {}, treeOf("dev", files(long)), "read " + long + ": file name too long"},
		{"a file of a folder above", func(*testing.T, string, string) {}, treeOf("dev", files("../a.yaml")), "read ../a.yaml: it is no path inside the folder"},
		{"a file of the whole machine", func(*testing.T, string, string) {}, treeOf("dev", files("/etc/motd")), "read /etc/motd: it is no path inside the folder"},
		{"a broken inventory", func(t *testing.T, dir, _ string) { put(t, dir, devInventory, "<<<<<<< ours\n") }, next, "read " + devInventory + ": parse inventory: invalid character '<' looking for beginning of value"},
		{
			"an inventory that was made to delete a file above",
			func(t *testing.T, dir, outside string) {
				forged := treeOf("dev", files("../"+filepath.Base(outside)+"/dev/a.yaml="+stays))
				put(t, dir, devInventory, string(forged[devInventory]))
			}, next, "read " + devInventory + ": it lists ../OUTSIDE/dev/a.yaml, which environment dev never writes",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			above := t.TempDir()
			dir, outside := filepath.Join(above, "dir"), filepath.Join(above, "outside")
			for name, content := range files("dev/a.yaml="+stays, "old/b.yaml="+goes, "dev.json=secret") {
				put(t, outside, name, content)
			}
			// The same content as ours: digests alone must not let it through.
			for name, content := range files("README.md="+stays, "docs/a.yaml="+stays, "docs/b.yaml="+goes) {
				put(t, dir, name, content)
			}
			root := open(t, dir)
			write(t, root, old, false)
			tt.mess(t, dir, outside)
			before := snapshot(t, above)
			for _, force := range []bool{false, true} {
				_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{tt.tree}, force)
				if err == nil {
					t.Fatalf("Write(force %v) succeeded, want %q", force, tt.want)
				}
				if got := strings.ReplaceAll(err.Error(), filepath.Base(outside), "OUTSIDE"); !strings.Contains(got, tt.want) {
					t.Errorf("Write(force %v) = %q, want %q", force, got, tt.want)
				}
				expect(t, above, before)
			}
		})
	}
}

func TestRemoveGoesThroughNoLink(t *testing.T) {
	tests := []struct{ name, link, to, want string }{
		{"a file", "prefect/overlays/dev/a.yaml", "../../docs/a.yaml", "read prefect/overlays/dev/a.yaml: it is no plain file"},
		{"a folder to the inside", "prefect/overlays/dev", "../../docs", "read prefect/overlays/dev/a.yaml: folder prefect/overlays/dev is a symbolic link"},
		{"a folder to the outside", "prefect/overlays/dev", "../../../outside", "read prefect/overlays/dev/a.yaml: folder prefect/overlays/dev is a symbolic link"},
		{"the inventory", devInventory, "../../docs/a.yaml", "read " + devInventory + ": it is no plain file"},
		{"the inventory's folder", "prefect/.pm-gitops", "../docs", "read " + devInventory + ": folder prefect/.pm-gitops is a symbolic link"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			above := t.TempDir()
			dir := filepath.Join(above, "dir")
			put(t, above, "outside/a.yaml", "prefect/overlays/dev/a.yaml")
			put(t, dir, "docs/a.yaml", "prefect/overlays/dev/a.yaml")
			root := open(t, dir)
			write(t, root, treeOf("dev", files("prefect/overlays/dev/a.yaml")), false)
			link(t, dir, tt.link, tt.to)
			before := snapshot(t, above)
			for _, force := range []bool{false, true} {
				_, _, err := folder.Remove(t.Context(), root, layouts, devInventory, force)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Remove(force %v) = %v, want %q", force, err, tt.want)
				}
				expect(t, above, before)
			}
		})
	}
}

// What lies beside the inventory with the name of a file that grows is a leftover.
func TestWriteDoesNotGrowFilesThroughLinks(t *testing.T) {
	for _, to := range []string{"../../README.md", "../../../outside.md", "nothing"} {
		t.Run(to, func(t *testing.T) {
			above := t.TempDir()
			dir := filepath.Join(above, "dir")
			put(t, above, "outside.md", "mine")
			put(t, dir, "README.md", "mine")
			root := open(t, dir)
			link(t, dir, devInventory+".new", to)
			tree := treeOf("dev", files("prefect/overlays/dev/a.yaml"))
			write(t, root, tree, false)
			expect(t, dir, snapshotOf(text(tree), files("README.md=mine")))
			if got := snapshot(t, above)["outside.md"]; got != "mine" {
				t.Errorf("outside.md = %q, want %q", got, "mine")
			}
		})
	}
}

func TestWriteRefusesAnotherTargetAndAnotherPlace(t *testing.T) {
	old := treeOf("dev", files("prefect/overlays/dev/a.yaml", "prefect/overlays/dev/flux/b.yaml"))
	move := func(name, namespace string) error {
		return folder.MoveError{Environment: "dev", Release: "cloud", Old: tree.InstalledAt{Name: "prefect-cloud", Namespace: "prefect"}, New: tree.InstalledAt{Name: name, Namespace: namespace}}
	}
	tests := []struct {
		name   string
		change func(*tree.Inventory)
		want   error
		text   string
	}{
		{
			"another target", forTarget("argo"), folder.TargetError{Environment: "dev", Old: "flux", New: "argo"},
			"environment dev is rendered for flux here: rendering it for argo replaces that",
		},
		{
			"another release name", installedAt("cloud", "prefect"), move("cloud", "prefect"),
			"cloud of environment dev moves from Helm release prefect-cloud in namespace prefect to cloud in prefect: the old installation would stay, and a second one be made",
		},
		{
			"another namespace", installedAt("prefect-cloud", "other"), move("prefect-cloud", "other"),
			"cloud of environment dev moves from Helm release prefect-cloud in namespace prefect to prefect-cloud in other: the old installation would stay, and a second one be made",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, root := folderWith(t, old)
			next := treeOf("dev", files("prefect/overlays/dev/a.yaml", "prefect/overlays/dev/argo/c.yaml"), tt.change)
			_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{next}, false)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Write = %v, want %v", err, tt.want)
			}
			if err.Error() != tt.text {
				t.Errorf("Write = %q, want %q", err, tt.text)
			}
			expect(t, dir, snapshotOf(text(old)))

			changes := write(t, root, next, true)
			if diff := cmp.Diff([]string{"prefect/overlays/dev/flux/b.yaml"}, changes.Removed); diff != "" {
				t.Errorf("removed (-want +got):\n%s", diff)
			}
			expect(t, dir, snapshotOf(text(next)))
		})
	}
}

func TestWriteLetsReleasesComeAndGo(t *testing.T) {
	none := func(i *tree.Inventory) { i.Releases = nil }
	some := files("prefect/overlays/dev/a.yaml")
	dir, _ := folderWith(t, treeOf("dev", some), treeOf("dev", some, none), treeOf("dev", some, installedAt("new", "new")))
	expect(t, dir, snapshotOf(text(treeOf("dev", some, installedAt("new", "new")))))
}

func TestEnvironmentsDoNotMeetButInTheirBase(t *testing.T) {
	const base, newBase = "prefect/base/v1/cloud.yaml", "prefect/base/v2/cloud.yaml"
	dev, prod := treeOf("dev", files(base, "prefect/overlays/dev/a.yaml")), treeOf("prod", files(base, "prefect/overlays/prod/a.yaml"), forTarget("argo"))
	dir, root := folderWith(t, dev, prod)
	expect(t, dir, snapshotOf(text(dev), text(prod)))

	// Prod leaves the base that dev still has.
	prod = treeOf("prod", files(newBase, "prefect/overlays/prod/a.yaml"), forTarget("argo"))
	if changes := write(t, root, prod, false); len(changes.Removed) > 0 {
		t.Errorf("removed %q, want the base to stay", changes.Removed)
	}
	expect(t, dir, snapshotOf(text(dev), text(prod), files(base)))

	// Dev leaves it too: it goes with the last.
	dev = treeOf("dev", files(newBase, "prefect/overlays/dev/a.yaml"))
	if changes := write(t, root, dev, false); !slices.Equal(changes.Removed, []string{base}) {
		t.Errorf("removed %q, want %q", changes.Removed, base)
	}
	expect(t, dir, snapshotOf(text(dev), text(prod)))

	// Removed environments leave the base to those that are there.
	if changes, _, err := folder.Remove(t.Context(), root, layouts, devInventory, false); err != nil || !slices.Equal(changes.Removed, []string{"prefect/overlays/dev/a.yaml"}) {
		t.Errorf("Remove = %q, %v, want the overlay", changes.Removed, err)
	}
	expect(t, dir, snapshotOf(text(prod)))
	if _, _, err := folder.Remove(t.Context(), root, layouts, "prefect/.pm-gitops/prod.json", false); err != nil {
		t.Errorf("Remove: %v", err)
	}
	expect(t, dir, snapshotOf())
}

func TestRemoveLeavesWhatAPersonDid(t *testing.T) {
	tree := treeOf("dev", files("prefect/overlays/dev/a.yaml", "prefect/overlays/dev/b.yaml"))
	dir, root := folderWith(t, tree)
	put(t, dir, "prefect/overlays/dev/a.yaml", "mine")
	put(t, dir, "prefect/overlays/dev/notes.md", "mine")
	before := snapshot(t, dir)
	_, _, err := folder.Remove(t.Context(), root, layouts, devInventory, false)
	var conflict folder.ConflictError
	errors.As(err, &conflict)
	if diff := cmp.Diff([]string{"prefect/overlays/dev/a.yaml (changed by someone)"}, conflict.Paths); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	expect(t, dir, before)

	changes, _, err := folder.Remove(t.Context(), root, layouts, devInventory, true)
	if diff := cmp.Diff(folder.Changes{Removed: []string{"prefect/overlays/dev/a.yaml", "prefect/overlays/dev/b.yaml"}}, changes); diff != "" || err != nil {
		t.Errorf("Remove: %v, changes (-want +got):\n%s", err, diff)
	}
	expect(t, dir, snapshotOf(files("prefect/overlays/dev/notes.md=mine")))
}

func TestFindLooksEverywhereButInGit(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		".pm-gitops/dev.json",
		"prefect/.pm-gitops/dev.json", "prefect/.pm-gitops/dev.json.0123456789abcdef.new", "prefect/.pm-gitops/prod.json",
		"a/b/c/.pm-gitops/dev.json", "a/b/c/.pm-gitops/dev.json.0123456789ab.pending",
		"died/.pm-gitops/one.json.0123456789ab.pending", "died/.pm-gitops/one.json.cdef01234567.pending",
		"prefect/overlays/dev.json", "prefect/.pm-gitops/deep/dev.json", "prefect/.pm-gitops/dev.json.orig",
		".git/.pm-gitops/dev.json", "module/.git/x/.pm-gitops/dev.json",
	} {
		put(t, dir, name, "")
	}
	link(t, dir, "linked", "prefect")
	tests := []struct {
		environment string
		want        []string
	}{
		{"dev", []string{".pm-gitops/dev.json", "a/b/c/.pm-gitops/dev.json", "prefect/.pm-gitops/dev.json"}},
		{"prod", []string{"prefect/.pm-gitops/prod.json"}},
		{"one", []string{"died/.pm-gitops/one.json"}},
		{"none", nil},
		{"dev.json", nil},
		{"*", nil},
	}
	for _, tt := range tests {
		got, err := folder.Find(open(t, dir).FS(), tt.environment)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("Find(%q): %v (-want +got):\n%s", tt.environment, err, diff)
		}
	}
}

// Three trees that differ in every way: files that stay, change, come, go,
// and come back, alone in folders and not.
var (
	treeA = treeOf("dev", files("clusters/x/prefect-dev.yaml", "prefect/base/x.yaml", "prefect/overlays/dev/a.yaml", "prefect/overlays/dev/one/b.yaml=A", "prefect/overlays/dev/two/c.yaml=A", "prefect/overlays/dev/old/d/e.yaml"))
	treeB = treeOf("dev", files("clusters/x/prefect-dev.yaml=B", "prefect/base/x.yaml", "prefect/overlays/dev/a.yaml=B", "prefect/overlays/dev/two/c.yaml=B", "prefect/overlays/dev/new/d/e.yaml=B", "prefect/overlays/dev/new/f.yaml=B"))
	treeC = treeOf("dev", files("clusters/x/prefect-dev.yaml=C", "prefect/base/x.yaml", "prefect/overlays/dev/one/b.yaml=C", "prefect/overlays/dev/new/d/e.yaml=C", "prefect/overlays/dev/old/g.yaml=C"))
	trees = []tree.Tree{treeA, treeB, treeC}
)

const notes = "prefect/overlays/dev/notes.md" // a person's, who does not care

// operations gives what a write does, one by one: its inventory beside the old
// one, the files, the folders, the inventory in its place.
func operations(old, next tree.Tree) []func(t *testing.T, dir string) {
	pending := devInventory + "." + strings.TrimPrefix(tree.Digest(next[devInventory]), "sha256:")[:12] + ".pending"
	save := func(name string, content []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) { put(t, dir, name, string(content)) }
	}
	grow := func(content []byte) func(*testing.T, string) {
		return save(devInventory+".new", content[:len(content)/2])
	}
	move := func(from, to string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, to)), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, name)) } // folders may be in use
	}
	replace := func(name string, content []byte) []func(*testing.T, string) {
		return []func(*testing.T, string){grow(content), save(devInventory+".new", content), move(devInventory+".new", name)}
	}
	do := replace(pending, next[devInventory])
	for _, name := range next.Paths() {
		if name != devInventory && string(old[name]) != string(next[name]) {
			do = append(do, replace(name, next[name])...)
		}
	}
	for _, name := range old.Paths() {
		if _, keep := next[name]; !keep {
			do = append(do, remove(name))
		}
	}
	for _, name := range old.Paths() {
		if _, keep := next[name]; !keep {
			for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
				do = append(do, remove(dir))
			}
		}
	}
	return append(do, move(pending, devInventory))
}

func TestWriteAfterACrash(t *testing.T) {
	for _, first := range []tree.Tree{nil, treeA} {
		do := operations(first, treeB)
		for k := range len(do) + 1 {
			for i, after := range trees {
				t.Run(fmt.Sprintf("%d files, then %d of %d operations, then tree %c", len(first), k, len(do), 'A'+i), func(t *testing.T) {
					dir, root := folderWith(t)
					put(t, dir, notes, "mine")
					if first != nil {
						write(t, root, first, false)
					}
					for _, operation := range do[:k] {
						operation(t, dir)
					}
					expectWhole(t, dir, trees)
					write(t, root, after, false)
					expect(t, dir, snapshotOf(text(after), files(notes+"=mine")))
				})
			}
		}
	}
}

func TestRemoveAfterACrash(t *testing.T) {
	for _, first := range []tree.Tree{nil, treeA} {
		do := operations(first, treeB)
		for k := range len(do) + 1 {
			t.Run(fmt.Sprintf("%d files, then %d of %d operations", len(first), k, len(do)), func(t *testing.T) {
				dir, root := folderWith(t)
				put(t, dir, notes, "mine")
				if first != nil {
					write(t, root, first, false)
				}
				for _, operation := range do[:k] {
					operation(t, dir)
				}
				found, err := folder.Find(root.FS(), "dev")
				if err != nil {
					t.Fatal(err)
				}
				if len(found) == 0 && first == nil && k < 3 {
					return // nothing but half an inventory is there
				}
				if !slices.Equal(found, []string{devInventory}) {
					t.Fatalf("Find = %q, want %q", found, devInventory)
				}
				if _, _, err := folder.Remove(t.Context(), root, layouts, devInventory, false); err != nil {
					t.Fatalf("Remove: %v", err)
				}
				expect(t, dir, snapshotOf(files(notes+"=mine")))
			})
		}
	}
}

// A tree that has a file and a folder of one name cannot be written: that ends
// a write in the middle, as a full disk would.
func TestWritesThatEndInTheMiddleAddUp(t *testing.T) {
	dir, root := folderWith(t, treeOf("dev", files("prefect/overlays/dev/a.yaml=A", "prefect/overlays/dev/b.yaml=A")))
	for _, broken := range []tree.Tree{
		treeOf("dev", files("prefect/overlays/dev/c.yaml=B", "prefect/overlays/dev/d.yaml=B", "prefect/overlays/dev/full", "prefect/overlays/dev/full/disk")),
		treeOf("dev", files("prefect/overlays/dev/a.yaml=C", "prefect/overlays/dev/c.yaml=C", "prefect/overlays/dev/afull", "prefect/overlays/dev/afull/disk")),
	} {
		_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{broken}, false)
		if err == nil || !strings.Contains(err.Error(), "full: file exists") {
			t.Fatalf("Write = %v, want an error in the middle", err)
		}
		for _, name := range []string{"prefect/overlays/dev/full", "prefect/overlays/dev/afull"} {
			_ = os.Remove(filepath.Join(dir, name))
		}
	}
	if got := snapshot(t, dir)["prefect/overlays/dev/c.yaml"]; got != "B" {
		t.Fatalf("c.yaml = %q, want it from the write before", got)
	}
	last := treeOf("dev", files("prefect/overlays/dev/c.yaml=D", "prefect/overlays/dev/e.yaml"))
	write(t, root, last, false)
	expect(t, dir, snapshotOf(text(last)))
}

// expectWhole checks that every file is one of the trees', or of a write that
// is under way.
func expectWhole(t *testing.T, dir string, trees []tree.Tree) {
	t.Helper()
	for name, content := range snapshot(t, dir) {
		switch {
		case strings.HasSuffix(name, "/") || name == notes && content == "mine" || strings.HasPrefix(name, devInventory+".") && strings.HasSuffix(name, ".new"):
			continue
		case strings.HasSuffix(name, ".pending"):
			name = devInventory
		}
		if !slices.ContainsFunc(trees, func(tree tree.Tree) bool { whole, ok := tree[name]; return ok && string(whole) == content }) {
			t.Errorf("%s = %q, want it wholly old or wholly new", name, content)
		}
	}
}

// writeForever writes the trees in turn, and takes the last one out again,
// until it is killed, with a line before each.
func writeForever(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		fmt.Println("write")
		if turn := i % (len(trees) + 1); turn < len(trees) {
			_, err = folder.Write(context.Background(), root, layouts, []tree.Tree{trees[turn]}, false)
		} else {
			_, _, err = folder.Remove(context.Background(), root, layouts, devInventory, false)
		}
		if err != nil {
			return err
		}
	}
}

func TestKilledWritesLeaveWholeFiles(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, root := folderWith(t)
	put(t, dir, notes, "mine")
	random := rand.New(rand.NewPCG(1, 2))
	midway := 0
	for round := range killtest.Rounds(50, func() bool { return midway > 0 }) {
		killWriter(t, program, "FOLDER_TEST_WRITE_FOREVER="+dir, random.IntN(10), time.Duration(random.IntN(2000))*time.Microsecond)
		expectWhole(t, dir, trees)
		if slices.ContainsFunc(slices.Collect(maps.Keys(snapshot(t, dir))), isLeftover) {
			midway++
		}
		// Every third time, the next writer starts from what this one left.
		if round%3 != 0 {
			after := trees[random.IntN(len(trees))]
			write(t, root, after, false)
			expect(t, dir, snapshotOf(text(after), files(notes+"=mine")))
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	if midway == 0 {
		t.Error("no kill came in the middle of a write: nothing was tested")
	}
	t.Logf("%d kills came in the middle of a write", midway)
}

func isLeftover(name string) bool {
	return strings.HasSuffix(name, ".pending") || strings.HasSuffix(name, ".new")
}

// killWriter runs a writer, as how says, and kills it some time into a write.
func killWriter(t *testing.T, program, how string, writes int, into time.Duration) {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), how)
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range writes + 1 {
		lines.Scan()
	}
	time.AfterFunc(into, func() { _ = cmd.Process.Kill() })
	for lines.Scan() { // until it is dead
	}
	if err := cmd.Wait(); cmd.ProcessState.Exited() {
		t.Fatalf("the writer ended by itself: %v: %s", err, problem.String())
	}
}

// TestWriteSaysEveryRefusalAtOnce: what force overrules must all have been
// seen.
func TestWriteSaysEveryRefusalAtOnce(t *testing.T) {
	dir, root := folderWith(t, treeOf("dev", files("prefect/overlays/dev/a.yaml")))
	put(t, dir, "prefect/overlays/dev/a.yaml", "changed")
	before := snapshot(t, dir)
	_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{treeOf("dev", files("prefect/overlays/dev/a.yaml=new"), forTarget("argo"), installedAt("cloud", "other"))}, false)
	var target folder.TargetError
	var move folder.MoveError
	var conflict folder.ConflictError
	if !errors.As(err, &target) || !errors.As(err, &move) || !errors.As(err, &conflict) {
		t.Errorf("Write = %v, want the target, the move and the conflict", err)
	}
	expect(t, dir, before)
}

// TestWriteRefusesASecondCopy: files below clusters would be fought over.
func TestWriteRefusesASecondCopy(t *testing.T) {
	dir, root := folderWith(t, treeOf("dev", files("prefect/overlays/dev/a.yaml")))
	before := snapshot(t, dir)
	next := treeOf("dev", files("other/a.yaml"))
	next["other/.pm-gitops/dev.json"] = next[devInventory]
	delete(next, devInventory)
	want := folder.PathError{Environment: "dev", Old: devInventory, New: "other/.pm-gitops/dev.json"}
	for _, force := range []bool{false, true} {
		if _, err := folder.Write(t.Context(), root, layouts, []tree.Tree{next}, force); !errors.Is(err, want) {
			t.Errorf("Write = %v, want %v", err, want)
		}
	}
	expect(t, dir, before)
}

// TestWriteRefusesATwin: two environments of one cluster must not be the same
// Helm release; on two clusters they may.
func TestWriteRefusesATwin(t *testing.T) {
	_, root := folderWith(t, treeOf("dev", files("clusters/x/prefect-dev.yaml")))
	want := folder.DuplicateReleaseError{Environment: "prod", Release: "cloud", Other: "dev", At: tree.InstalledAt{Name: "prefect-cloud", Namespace: "prefect"}}
	if _, err := folder.Write(t.Context(), root, layouts, []tree.Tree{treeOf("prod", files("clusters/x/prefect-prod.yaml"))}, false); !errors.Is(err, want) {
		t.Errorf("Write = %v, want %v", err, want)
	}
	write(t, root, treeOf("prod", files("clusters/y/prefect-prod.yaml")), false)
	write(t, root, treeOf("test", files("clusters/x/prefect-test.yaml"), installedAt("prefect-cloud", "test")), false)
}

// TestAnInventoryCannotListWhatIsNotOurs: it comes from the repository, and
// what it lists we delete.
func TestAnInventoryCannotListWhatIsNotOurs(t *testing.T) {
	for _, file := range []string{".git/HEAD", "README.md", "prefect/other.yaml", "prefect/overlays/prod/a.yaml", "clusters/x/prefect-prod.yaml", "clusters/prefect-dev.yaml", "prefect/base", "prefect/overlays/dev/../../../README.md", "/etc/motd"} {
		dir, root := folderWith(t)
		put(t, dir, "README.md", "mine")
		forged := treeOf("dev", files(file))
		put(t, dir, devInventory, string(forged[devInventory]))
		before := snapshot(t, dir)
		for _, force := range []bool{false, true} {
			_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{treeOf("dev", files("prefect/overlays/dev/a.yaml"))}, force)
			if want := "read " + devInventory + ": it lists " + file + ", which environment dev never writes"; err == nil || err.Error() != want {
				t.Errorf("Write = %v, want %s", err, want)
			}
		}
		expect(t, dir, before)
	}
}
