package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

const inventory = "p/.pm-gitops/dev.json"

var layouts = tree.Layouts{"flux": {Paths: []string{"{path}/overlays/{environment}/"}}}

func treeWith(content string) tree.Tree {
	files := tree.Tree{"p/overlays/dev/a": []byte(content), "p/overlays/dev/b": []byte(content)}
	listed := tree.Inventory{Environment: "dev", Target: "flux", Files: map[string]string{}}
	for name, content := range files {
		listed.Files[name] = tree.Digest(content)
	}
	files[inventory], _ = json.Marshal(listed)
	return files
}

// TestAnInventoryInConflict: it is refused, and with force the files of both sides are
// known to be ours.
func TestAnInventoryInConflict(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	side := func(file string) string {
		return fmt.Sprintf("    %q: %q\n", file, tree.Digest([]byte("content")))
	}
	for name, content := range map[string]string{
		"p/overlays/dev/ours": "content", "p/overlays/dev/theirs": "content", "p/overlays/dev/mine": "content",
		inventory: "{\n  \"environment\": \"dev\",\n  \"target\": \"flux\",\n  \"files\": {\n<<<<<<< HEAD\n" + side("p/overlays/dev/ours") + "=======\n" + side("p/overlays/dev/theirs") + ">>>>>>> other\n  }\n}\n",
	} {
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o777), os.WriteFile(at, []byte(content), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	var refused LeftByGitError
	if _, err := Write(t.Context(), root, layouts, []tree.Tree{treeWith("1")}, false); !errors.As(err, &refused) || !refused.Conflict || refused.Path != inventory || refused.Line != 5 {
		t.Errorf("Write = %v, want the conflict refused", err)
	}
	changes, err := Write(t.Context(), root, layouts, []tree.Tree{treeWith("1")}, true)
	if want := []string{"p/overlays/dev/ours", "p/overlays/dev/theirs"}; err != nil || !slices.Equal(changes.Removed, want) {
		t.Errorf("Write with force removed %q, %v, want %q", changes.Removed, err, want)
	}
}
