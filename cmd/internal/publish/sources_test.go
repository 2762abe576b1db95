package publish_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
)

// TestSources: a commit has the files that it was made from, those that differ from the
// base by more than line ends, and each once. A render without them leaves them.
func TestSources(t *testing.T) {
	w := newWorld(t)
	job := renderedFor(t, "dev", "prod")
	shared := []byte("shared\r\n")
	job.Sources = fleet.Sources(job.Members)
	for _, sources := range job.Sources {
		sources["environments/defaults.yaml"] = shared
	}
	request := publish.Request{Make: always(job), System: w.system()}
	done, err := publish.ToRemote(t.Context(), w.url(), request)
	if err != nil || len(done.Commits()) != 1 {
		t.Fatalf("%v: %v", brief(done), err)
	}
	const want = "environments/defaults.yaml\nenvironments/dev.yaml\nenvironments/prod.yaml"
	if got := w.git("fleet.git", "ls-tree", "-r", "--name-only", "main", "environments"); got != want {
		t.Errorf("the commit has\n%s\nwant\n%s", got, want)
	}
	if got := w.git("fleet.git", "show", "main:environments/dev.yaml"); got+"\n" != string(minimal(t, "dev")) {
		t.Errorf("environments/dev.yaml is\n%s", got)
	}
	if got := w.git("fleet.git", "show", "main:environments/defaults.yaml"); got != "shared" {
		t.Errorf("defaults are %q", got)
	}
	plan := w.git("fleet.git", "log", "-1", "--format=%(trailers:key=Pm-Gitops-Plan)", "main")
	if done, err = publish.ToRemote(t.Context(), w.url(), request); err != nil || len(done.Commits()) != 0 {
		t.Errorf("the same again: %v: %v", brief(done), err)
	}
	for _, sources := range job.Sources {
		sources["environments/defaults.yaml"] = []byte("other\n")
	}
	job.PerEnvironment, request.Make = true, always(job)
	done, err = publish.ToRemote(t.Context(), w.url(), request)
	if commits := done.Commits(); err != nil || len(commits) != 1 || !cmp.Equal(commits[0].Updated, []string{"environments/defaults.yaml"}) || !cmp.Equal(commits[0].Environments, []string{"dev"}) {
		t.Errorf("other defaults: %+v: %v", commits, err)
	}
	whole := renderedFor(t, "dev", "prod")
	request.Make = always(whole)
	if done, err = publish.ToRemote(t.Context(), w.url(), request); err != nil || len(done.Commits()) != 0 {
		t.Errorf("without sources: %v: %v", brief(done), err)
	}
	w = newWorld(t)
	request.System = w.system()
	if _, err = publish.ToRemote(t.Context(), w.url(), request); err != nil || w.git("fleet.git", "log", "-1", "--format=%(trailers:key=Pm-Gitops-Plan)", "main") != plan {
		t.Errorf("sources change the digest of what is rendered: %v", err)
	}
}
