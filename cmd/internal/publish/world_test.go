package publish_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// layouts is what the targets write.
var layouts = render.Targets{targets.Flux{}, targets.Argo{}}.Layouts()

// renderedFor gives environments of these names, rendered for Flux.
func renderedFor(t *testing.T, names ...string) publish.Rendered {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range names {
		files["environments/"+name+".yaml"] = &fstest.MapFile{Data: minimal(t, name)}
	}
	members, err := fleet.Render(t.Context(), fleet.Request{Files: []string{"environments"}, Repository: files}, render.Only(targets.Flux{}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range members {
		members[i].Plan.Warnings = nil // tests add theirs
	}
	return publish.Rendered{Members: members, Layouts: layouts}
}

func problem(message string) render.Problem { return render.Problem{Message: message} }

// always makes the same job.
func always(job publish.Job) publish.Make {
	return func(context.Context, fs.FS) (publish.Job, error) { return job, nil }
}

// world is a folder with a checkout, work, and the repository that it is cloned
// from, fleet.git.
type world struct {
	*testing.T
	dir string
	env []string
}

func newWorld(t *testing.T) world {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git program")
	}
	home := t.TempDir()
	w := world{t, home, append(os.Environ(), "HOME="+home, "GIT_CONFIG_NOSYSTEM=1", "XDG_CONFIG_HOME=")}
	w.put(".gitconfig", "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n")
	w.git(".", "init", "-q", "--bare", "fleet.git")
	w.git(".", "clone", "-q", "fleet.git", "work")
	w.put("work/notes.txt", "mine\n")
	w.git("work", "add", ".")
	w.git("work", "commit", "-q", "-m", "notes")
	w.git("work", "push", "-q", "origin", "main")
	return w
}

func (w world) put(name, content string) {
	w.Helper()
	name = filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		w.Fatal(err)
	}
}

// git runs git in a folder of the world, and gives what it prints.
func (w world) git(dir string, args ...string) string {
	w.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = filepath.Join(w.dir, dir), w.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// pushOther pushes a file that another user made.
func (w world) pushOther(name string) {
	w.Helper()
	if _, err := os.Stat(filepath.Join(w.dir, "other")); err != nil {
		w.git(".", "clone", "-q", "fleet.git", "other")
	}
	w.git("other", "pull", "-q", "--ff-only")
	w.put("other/"+name, "theirs\n")
	w.git("other", "add", ".")
	w.git("other", "commit", "-q", "-m", "add "+name)
	w.git("other", "push", "-q", "origin", "main")
}

// system gives what the package may reach of the world. Nothing waits.
func (w world) system() gitrepo.System {
	getenv := func(name string) string {
		switch name {
		case "HOME":
			return w.dir
		case "GIT_CONFIG_NOSYSTEM":
			return "1"
		case "PATH":
			return os.Getenv("PATH")
		}
		return ""
	}
	system := gitrepo.NewSystem(getenv, w.env, time.Now)
	system.Random = func() float64 { return 0 }
	return system
}

func (w world) url() string { return fmt.Sprintf("file://%s/fleet.git", w.dir) }

func (w world) root() *os.Root {
	w.Helper()
	root, err := os.OpenRoot(filepath.Join(w.dir, "work"))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = root.Close() })
	return root
}

// brief shortens an outcome for the message of a test that failed.
func brief(o publish.Outcome) string {
	return fmt.Sprintf("commits %v, pushed %v, failed %v, warnings %q", o.Commits(), o.PushedTo(), o.Failed, o.Warnings)
}
