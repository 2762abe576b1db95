package gitrepo

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// Check says why a commit of some changes would be refused, before their files are
// written: it makes all of it but stores nothing. Errors are those of
// [Local.Commit].
func (l *Local) Check(changes Changes, o CommitOptions) error {
	if l.git == nil && o.As == nil {
		return noGit("commit in a checkout")
	}
	_, author := l.who.Of("author")
	_, committer := l.who.Of("committer")
	root, err := object.NewEdit(changes.Write, changes.Remove, l.prefix)
	head, headErr := l.head()
	if err := errors.Join(l.underWay(), cmp.Or(author, committer), err, headErr); err != nil {
		return err
	}
	storage := l.objects()
	defer storage.Close()
	_, _, _, err = l.build(storage, head, root, o)
	return err
}

// notIgnored refuses files that are ignored and not known to the index yet.
func (l *Local) notIgnored(x *object.Index, b *object.Builder, o CommitOptions) error {
	if o.IncludeIgnored {
		return nil
	}
	news := slices.DeleteFunc(slices.Clone(b.Written), func(name string) bool { _, known := x.Find(name); return known })
	if err := l.rules.AskIgnored(news); err != nil {
		return err
	}
	return settings.RefuseIgnored(l.rules.IgnoredBy, news)
}

// underWay refuses a repository in which a merge, or something like it, is under way:
// git makes no commit of some files then either.
func (l *Local) underWay() error {
	for _, state := range [][2]string{{"MERGE_HEAD", "merge"}, {"CHERRY_PICK_HEAD", "cherry-pick"}, {"REVERT_HEAD", "revert"}, {"rebase-merge", "rebase"}, {"rebase-apply", "rebase"}} {
		if _, err := os.Lstat(filepath.Join(l.gitDir, state[0])); err == nil {
			return fmt.Errorf("a %s is under way in the repository: finish it, or stop it with git %[1]s --abort", state[1])
		}
	}
	return l.halfTakenOver()
}

// halfTakenOver names what an older version of this program left half-done: it took
// over what others had pushed, files first, and noted from where to where. Where the
// branch was moved since, the note is void.
func (l *Local) halfTakenOver() error {
	name := filepath.Join(l.gitDir, "pm-gitops-catch-up")
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, settings.Reason(err))
	}
	words := strings.Fields(string(content))
	head, err := l.head()
	if err != nil {
		return err
	}
	if len(words) != 3 || words[2] != head.ref || words[0] != head.hash.String() || !plumbing.IsHash(words[1]) {
		return os.Remove(name)
	}
	for _, file := range []string{filepath.Join(l.gitDir, "index"), filepath.Join(l.commonDir, filepath.FromSlash(head.ref))} {
		if held, err := takeOver(file); err == nil {
			held.release() // git would wait for the one that died
		}
	}
	return fmt.Errorf("an older version of pm-gitops was stopped while it took over the commit %.12[1]s: git reset %.12[1]s moves the branch there and keeps all files, git restore brings those of them that git status names and you did not edit", words[1])
}
