package publish_test

import (
	"errors"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
)

// TestRemovalFromACheckout: what is already gone from the folder is only committed.
func TestRemovalFromACheckout(t *testing.T) {
	w := newWorld(t)
	request := publish.Request{Make: always(renderedFor(t, "dev", "prod")), System: w.system()}
	if _, err := publish.ToCheckout(t.Context(), w.root(), request); err != nil {
		t.Fatal(err)
	}
	removal := publish.Removal{Environment: "dev", Place: "the folder", Layouts: layouts}
	job, _ := removal.Make(t.Context(), nil)
	if _, _, err := publish.ToFolder(t.Context(), w.root(), publish.FolderRequest{Job: job}); err != nil {
		t.Fatal(err)
	}
	request.Make = removal.Make
	done, err := publish.ToCheckout(t.Context(), w.root(), request)
	if err != nil || len(done.Commits()) != 1 || done.Removed == nil || w.git("work", "status", "--porcelain") != "" {
		t.Errorf("%v: %v", brief(done), err)
	}
	if left := w.git("work", "ls-files", "prefect/overlays/dev", "clusters/dev"); left != "" {
		t.Errorf("left: %s", left)
	}
}

// TestCommitKeepsWhatTheFolderNeeds: a file that a removal takes out of the commit stays
// in it while an environment that is yet to be committed has it.
func TestCommitKeepsWhatTheFolderNeeds(t *testing.T) {
	w := newWorld(t)
	request := publish.Request{Make: always(renderedFor(t, "dev")), System: w.system()}
	if _, err := publish.ToCheckout(t.Context(), w.root(), request); err != nil {
		t.Fatal(err)
	}
	base := w.git("work", "ls-files", "prefect/base")
	if _, _, err := publish.ToFolder(t.Context(), w.root(), publish.FolderRequest{Job: renderedFor(t, "prod")}); err != nil {
		t.Fatal(err)
	}
	request.Make = publish.Removal{Environment: "dev", Place: "the folder", Layouts: layouts}.Make
	done, err := publish.ToCheckout(t.Context(), w.root(), request)
	if left := w.git("work", "ls-files", "prefect/base"); err != nil || len(done.Commits()) != 1 || base == "" || left != base {
		t.Errorf("%v: %v\nleft %q, want %q", brief(done), err, left, base)
	}
}

// TestDryRunRefusesAsTheRunDoes: a file that a person changed in the folder is refused
// by both, although the commit has it as it was rendered.
func TestDryRunRefusesAsTheRunDoes(t *testing.T) {
	w := newWorld(t)
	request := publish.Request{Make: always(renderedFor(t, "dev")), System: w.system()}
	if _, err := publish.ToCheckout(t.Context(), w.root(), request); err != nil {
		t.Fatal(err)
	}
	w.put("work/clusters/dev/prefect-dev.yaml", "mine\n")
	for _, request.DryRun = range []bool{true, false} {
		var conflict folder.ConflictError
		if done, err := publish.ToCheckout(t.Context(), w.root(), request); !errors.As(err, &conflict) {
			t.Errorf("dry run %v: %v: %v", request.DryRun, brief(done), err)
		}
	}
}
