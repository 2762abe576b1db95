package publish_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render"
)

func TestToFolder(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	job := renderedFor(t, "dev", "prod")
	tryOut, _, err := publish.ToFolder(t.Context(), root, publish.FolderRequest{Job: job, DryRun: true})
	if entries, _ := fs.ReadDir(root.FS(), "."); err != nil || len(entries) != 0 {
		t.Fatalf("a dry run writes %v: %v", entries, err)
	}
	written, removed, err := publish.ToFolder(t.Context(), root, publish.FolderRequest{Job: job})
	if err != nil || removed != nil || len(written.Created) == 0 {
		t.Fatalf("%v, %v, %v", written, removed, err)
	}
	if diff := cmp.Diff(tryOut, written); diff != "" {
		t.Errorf("a dry run says otherwise: %s", diff)
	}
	remove := func(dryRun bool) (folder.Changes, *publish.Removed, error) {
		job := &publish.Removal{Environment: "dev", Place: "the folder", Layouts: layouts}
		return publish.ToFolder(t.Context(), root, publish.FolderRequest{Job: job, DryRun: dryRun})
	}
	tryOut, _, err = remove(true)
	if _, missing := root.Stat("clusters/dev/prefect-dev.yaml"); err != nil || missing != nil {
		t.Fatal(err, missing)
	}
	changes, removed, err := remove(false)
	if err != nil || removed == nil || removed.Inventory.Environment != "dev" || !cmp.Equal(removed.Emptied, []string{"clusters/dev"}) {
		t.Errorf("%+v, %v", removed, err)
	}
	if diff := cmp.Diff(tryOut, changes); diff != "" {
		t.Errorf("a dry run says otherwise: %s", diff)
	}
	for _, name := range changes.Removed {
		if _, err := root.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := root.WriteFile("clusters/prod/notes.txt", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	notes := &publish.Removal{Environment: "prod", Place: "the folder", Layouts: layouts}
	if _, removed, err := publish.ToFolder(t.Context(), root, publish.FolderRequest{Job: notes}); err != nil || len(removed.Emptied) != 0 {
		t.Errorf("a folder that holds notes: %+v, %v", removed, err)
	}
	if _, _, err := remove(false); err == nil || !strings.Contains(err.Error(), `the folder has no environment "dev"`) {
		t.Errorf("taken out twice: %v", err)
	}
}

func TestToRemote(t *testing.T) {
	w := newWorld(t)
	request := publish.Request{Make: always(renderedFor(t, "dev", "prod")), DryRun: true, System: w.system(), Version: "v1.2.3"}
	done, err := publish.ToRemote(t.Context(), w.url(), request)
	if commits := done.Commits(); err != nil || len(commits) != 1 || commits[0].Commit != "" || done.PushedTo() != nil || w.git("fleet.git", "rev-list", "--count", "main") != "1" {
		t.Fatalf("a dry run gives %v: %v", brief(done), err)
	}
	request.DryRun = false
	done, err = publish.ToRemote(t.Context(), w.url(), request)
	commits := done.Commits()
	if err != nil || len(commits) != 1 || !cmp.Equal(commits[0].Environments, []string{"dev", "prod"}) || commits[0].Branch != "main" {
		t.Fatalf("%+v: %v", commits, err)
	}
	tip := w.git("fleet.git", "rev-parse", "main")
	if pushed := done.PushedTo(); pushed == nil || pushed.Commit != tip || commits[0].Commit != tip {
		t.Errorf("pushed %+v, and the server has %s", pushed, tip)
	}
	message := w.git("fleet.git", "log", "-1", "--format=%B", "main")
	for _, want := range []string{"chore(prefect): render 2 environments for flux\n", "- dev: ", "\nPm-Gitops-Plan: ", "\nPm-Gitops-Version: v1.2.3"} {
		if !strings.Contains(message, want) {
			t.Errorf("no %q in %s", want, message)
		}
	}
	done, err = publish.ToRemote(t.Context(), w.url(), request)
	if err != nil || len(done.Commits()) != 0 || w.git("fleet.git", "rev-parse", "main") != tip {
		t.Errorf("the same again gives %+v: %v", done.Commits(), err)
	}
	request.Make = always(renderedFor(t, "dev", "eu", "prod"))
	if _, err = publish.ToRemote(t.Context(), w.url(), request); err != nil {
		t.Fatal(err)
	}
	if message := w.git("fleet.git", "log", "-1", "--format=%B", "main"); !strings.Contains(message, "- eu: ") || strings.Contains(message, "- dev: ") {
		t.Errorf("names what does not change: %s", message)
	}
	request.Make = publish.Removal{Environment: "dev", Place: "the repository", Layouts: layouts}.Make
	request.Message, request.DryRun = "take it out", true
	if done, err = publish.ToRemote(t.Context(), w.url(), request); err != nil || len(done.Commits()) != 1 || done.Removed != nil {
		t.Errorf("a dry run of a removal gives %v: %v", brief(done), err)
	}
	request.DryRun = false
	done, err = publish.ToRemote(t.Context(), w.url(), request)
	if err != nil || done.Removed == nil || done.Removed.Inventory.Environment != "dev" || !strings.HasPrefix(w.git("fleet.git", "log", "-1", "--format=%B", "main"), "take it out\n") {
		t.Errorf("removal gives %v: %v", brief(done), err)
	}
}

func TestACommitForEachEnvironment(t *testing.T) {
	w := newWorld(t)
	job := renderedFor(t, "dev", "prod")
	job.PerEnvironment = true
	done, err := publish.ToRemote(t.Context(), w.url(), publish.Request{Make: always(job), System: w.system()})
	if err != nil || len(done.Commits()) != 2 {
		t.Fatalf("%+v: %v", done.Commits(), err)
	}
	const want = "chore(prefect/prod): render for flux\nchore(prefect/dev): render for flux"
	if got := w.git("fleet.git", "log", "-2", "--format=%s", "main"); got != want {
		t.Errorf("commits are\n%s\nwant\n%s", got, want)
	}
}

// TestSomeFailed: what failed stops a push, unless told to keep going.
func TestSomeFailed(t *testing.T) {
	failure := errors.New("prod is wrong")
	w := newWorld(t)
	request := publish.Request{System: w.system(), Push: true, Make: func(context.Context, fs.FS) (publish.Job, error) { return renderedFor(t, "dev"), failure }}
	done, err := publish.ToRemote(t.Context(), w.url(), request)
	if !errors.Is(err, failure) || len(done.Commits()) != 0 || w.git("fleet.git", "rev-list", "--count", "main") != "1" {
		t.Errorf("remote: %v: %v", brief(done), err)
	}
	done, err = publish.ToCheckout(t.Context(), w.root(), request)
	if err != nil || !errors.Is(done.Failed, failure) || len(done.Commits()) != 1 || done.Pushed != nil {
		t.Errorf("checkout: %v: %v", brief(done), err)
	}
	request.KeepGoing = true
	done, err = publish.ToCheckout(t.Context(), w.root(), request)
	if err != nil || !errors.Is(done.Failed, failure) || done.Pushed == nil || w.git("fleet.git", "rev-list", "--count", "main") != "2" {
		t.Errorf("checkout that keeps going: %v: %v", brief(done), err)
	}
	w = newWorld(t)
	request.System = w.system()
	done, err = publish.ToRemote(t.Context(), w.url(), request)
	if err != nil || !errors.Is(done.Failed, failure) || len(done.Commits()) != 1 {
		t.Errorf("remote that keeps going: %v: %v", brief(done), err)
	}
}

func TestToCheckout(t *testing.T) {
	w := newWorld(t)
	w.put("work/environments/dev.yaml", "edited\n")
	w.git("work", "config", "core.autocrlf", "input")
	w.git("work", "config", "core.safecrlf", "false")
	w.put("work/notes.txt", "mine\r\n") // as Git may check it out on Windows
	w.git("work", "add", "notes.txt")
	request := publish.Request{Make: always(renderedFor(t, "dev")), System: w.system(), DryRun: true, Push: true,
		Files: []string{"-", filepath.Join(w.dir, "work/environments/dev.yaml"), filepath.Join(w.dir, "work/notes.txt"), filepath.Join(w.dir, ".gitconfig")}}
	done, err := publish.ToCheckout(t.Context(), w.root(), request)
	if status := w.git("work", "status", "--porcelain"); err != nil || len(done.Commits()) != 1 || status != "?? environments/" {
		t.Fatalf("a dry run gives %+v: %v\n%s", brief(done), err, status)
	}
	request.DryRun = false
	done, err = publish.ToCheckout(t.Context(), w.root(), request)
	if err != nil || len(done.Commits()) != 1 || done.Pushed == nil || done.Pushed.Commit != w.git("fleet.git", "rev-parse", "main") {
		t.Fatalf("%v: %v", brief(done), err)
	}
	if !cmp.Equal(done.Uncommitted, request.Files[1:2]) {
		t.Errorf("not committed: %q", done.Uncommitted)
	}
	if status := w.git("work", "status", "--porcelain"); status != "?? environments/" {
		t.Errorf("left behind: %s", status)
	}
	done, err = publish.ToCheckout(t.Context(), w.root(), request)
	if err != nil || len(done.Commits()) != 0 || !done.NothingToPush {
		t.Errorf("the same again: %v: %v", brief(done), err)
	}
	w.git("work", "checkout", "-q", "--detach")
	request.Make = always(renderedFor(t, "dev", "prod"))
	done, err = publish.ToCheckout(t.Context(), w.root(), request)
	if !errors.Is(err, gitrepo.ErrNoBranch) || len(done.Drafts) != 0 || w.git("work", "status", "--porcelain") != "?? environments/" {
		t.Errorf("detached: %v: %v", brief(done), err)
	}
}

// racing makes a job that loses races: while it is made, others push. Each call has
// a warning of its own beside one that all have.
func racing(w world, races int) (publish.Make, *[]string) {
	var seen []string // whether files of the others are there
	return func(_ context.Context, repository fs.FS) (publish.Job, error) {
		if repository == nil {
			repository = os.DirFS(filepath.Join(w.dir, "work"))
		}
		found, err := fs.Glob(repository, "theirs-*")
		if err != nil {
			return nil, err
		}
		seen = append(seen, strings.Join(found, " "))
		if call := len(seen); call <= races {
			w.pushOther("theirs-" + string(rune('0'+call)))
		}
		job := renderedFor(w.T, "dev")
		job.Members[0].Plan.Warnings = render.Problems{problem("always"), problem("call " + string(rune('0'+len(seen))))}
		return job, nil
	}, &seen
}

// TestWarningsOfLostRaces: whatever a try warns of is said, and once.
func TestWarningsOfLostRaces(t *testing.T) {
	w := newWorld(t)
	request := publish.Request{System: w.system()}
	var seen *[]string
	request.Make, seen = racing(w, 2)
	done, err := publish.ToRemote(t.Context(), w.url(), request)
	if err != nil || len(done.Commits()) != 1 {
		t.Fatalf("%v: %v", brief(done), err)
	}
	if diff := cmp.Diff(render.Problems{problem("always"), problem("call 1"), problem("call 2"), problem("call 3")}, done.Warnings); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"", "theirs-1", "theirs-1 theirs-2"}, *seen); diff != "" {
		t.Error(diff)
	}
	if got := w.git("fleet.git", "rev-list", "--count", "main"); got != "4" {
		t.Errorf("%s commits, want 4", got)
	}
}

// TestLostRaceOfACheckout: what was committed stays, and the job is made once.
func TestLostRaceOfACheckout(t *testing.T) {
	w := newWorld(t)
	request := publish.Request{System: w.system(), Push: true}
	var seen *[]string
	request.Make, seen = racing(w, 1)
	done, err := publish.ToCheckout(t.Context(), w.root(), request)
	var staged *publish.StageError
	if !errors.As(err, &staged) || staged.Stage != publish.Raced || len(done.Commits()) != 1 || len(done.Warnings) != 2 || len(*seen) != 1 {
		t.Errorf("a lost race: %v: %v", brief(done), err)
	}
	if got := w.git("work", "rev-parse", "HEAD"); got != done.Commits()[0].Commit {
		t.Errorf("HEAD is %s", got)
	}
	done, err = publish.ToCheckout(t.Context(), w.root(), request)
	if !errors.As(err, &staged) || staged.Stage != publish.Raced || len(done.Commits()) != 0 {
		t.Errorf("and once more: %v: %v", brief(done), err)
	}
	w.git("work", "remote", "set-url", "origin", "/nowhere")
	if _, err = publish.ToCheckout(t.Context(), w.root(), request); !errors.As(err, &staged) || staged.Stage != publish.Waiting {
		t.Errorf("no server: %v", err)
	}
	w.git("work", "remote", "set-url", "origin", w.url())
	w.git("work", "pull", "-q", "--rebase")
	done, err = publish.ToCheckout(t.Context(), w.root(), request)
	if err != nil || len(done.Commits()) != 0 || done.Pushed == nil {
		t.Errorf("after git pull --rebase: %v: %v", brief(done), err)
	}
}
