package gitrepo

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// A commit whose process died after it had moved the branch, and before it had
// replaced the index, is finished by the next one, whatever that is about.
func TestNextCommitFinishesTheIndex(t *testing.T) {
	w := newWorld(t)
	w.repo("r", map[string]string{"changed": "1", "gone": "1", "staged": "1", "edited": "1", "back": "1", "other": "1", "crlf": "1\n", ".gitattributes": "crlf text\n"})
	w.put("r", map[string]string{"changed": "2", "new/file": "2", "edited": "2", "back": "2", "other": "2", "crlf": "2\r\n"}, "gone")
	w.env["GIT_INDEX_FILE"] = filepath.Join(w.home, "other-index")
	w.git("r", "add", "-A")
	tree := strings.TrimSpace(w.git("r", "write-tree"))
	delete(w.env, "GIT_INDEX_FILE")
	w.git("r", "update-ref", "HEAD", strings.TrimSpace(w.git("r", "commit-tree", "-p", "HEAD", "-m", "died", tree)))
	w.write("r/.git/index.lock", lockMark)
	// Since then the user edited one file, staged others, and took one back.
	w.put("r", map[string]string{"edited": "mine", "staged": "mine", "back": "1"})
	w.git("r", "hash-object", "-w", "staged")
	w.env["GIT_INDEX_FILE"] = filepath.Join(w.home, "third-index") // index.lock is there
	w.git("r", "read-tree", "HEAD~1")
	w.git("r", "add", "staged")
	w.git("r", "update-index", "--cacheinfo", "100644,"+strings.TrimSpace(w.git("r", "hash-object", "-w", "staged"))+",other")
	delete(w.env, "GIT_INDEX_FILE")
	w.write("r/.git/index", w.read("third-index"))

	if _, err := w.open("r").Commit(context.Background(), Changes{}, said("nothing")); !errors.Is(err, ErrUnchanged) {
		t.Fatalf("Commit: %v", err)
	}
	w.sound("r")
	// What is not as HEAD has it looks staged, as it did before: nothing of it is lost.
	if got, want := w.git("r", "status", "--porcelain"), "M  back\nMM edited\nMM other\nM  staged\n"; got != want {
		t.Errorf("status =\n%swant\n%s", got, want)
	}
}

// A process that died with the branch locked, when it had moved it, leaves nothing that
// git would wait for once the next commit has nothing to do.
func TestNextCommitDropsDeadLocks(t *testing.T) {
	for name, branch := range map[string]string{"a branch": "refs/heads/main", "a detached HEAD": "HEAD"} {
		w := newWorld(t)
		w.repo("r", map[string]string{"a": "1"})
		if branch == "HEAD" {
			w.git("r", "checkout", "-q", "--detach")
		}
		w.write("r/.git/index.lock", lockMark)
		w.write("r/.git/"+branch+".lock", lockMark)
		if _, err := w.open("r").Commit(context.Background(), Changes{}, said("nothing")); !errors.Is(err, ErrUnchanged) {
			t.Fatalf("%s: Commit: %v", name, err)
		}
		w.put("r", map[string]string{"a": "2"})
		w.git("r", "commit", "-q", "-a", "-m", "the user's")
	}
}
