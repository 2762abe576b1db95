package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
)

// TestPublishHints: whatever became of a push or commit, the user is told how to
// go on. What was done counts more than why it went wrong.
func TestPublishHints(t *testing.T) {
	cause := errors.New("cause")
	tests := []struct {
		err  error
		hint string
	}{
		{&publish.StageError{Stage: publish.Written, Err: cause}, "The files are written, and not committed: mend it"},
		{&publish.StageError{Stage: publish.Committed, Err: cause}, "The commit is in the repository: run the same again"},
		{&publish.StageError{Stage: publish.Waiting, Err: cause}, "Nothing was committed; the commits before wait"},
		{&publish.StageError{Stage: publish.Raced, Err: folder.ConflictError{}}, "Our commit stays here: run git pull --rebase"},
		{fmt.Errorf("%w\n%w", &publish.StageError{Stage: publish.Committed, Err: cause}, cause), "The commit is in the repository"},
		{gitrepo.ErrNoBranch, "Say --branch NAME"},
		{fmt.Errorf("compare: %w", folder.ConflictError{}), "Nothing was changed. Look first"},
	}
	for _, tt := range tests {
		var h hinted
		if got := hintPublish(tt.err); !errors.As(got, &h) || !strings.HasPrefix(h.hint, tt.hint) || got.Error() != tt.err.Error() {
			t.Errorf("hint of %v is %q, want %q", tt.err, h.hint, tt.hint)
		}
	}
	for _, err := range []error{nil, cause} {
		if got := hintPublish(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// TestLeftOver: environments count as left over only if all files were read.
func TestLeftOver(t *testing.T) {
	changes := folder.Changes{Others: []string{"old"}}
	files := fstest.MapFS{"envs/a.yaml": {}}
	whole := fleet.Request{Files: []string{"envs"}, Repository: files}
	if got := leftOver(changes, whole, nil); !slices.Equal(got, changes.Others) {
		t.Errorf("all read: %q", got)
	}
	if got := leftOver(changes, whole, errors.New("b.yaml is wrong")); got != nil {
		t.Errorf("one failed: %q", got)
	}
	if got := leftOver(changes, fleet.Request{Files: []string{"envs/a.yaml"}, Repository: files}, nil); got != nil {
		t.Errorf("one named: %q", got)
	}
}
