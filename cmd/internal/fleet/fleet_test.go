package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/targets"
)

// minimal is the smallest environment that everything works with.
const minimal = `apiVersion: pm-gitops/v1
kind: Environment
metadata:
  name: %[1]s
spec:
  instance:
    name: %[1]s
    frontendUrl: https://ui.%[1]s.example.com
    backendUrl: https://api.%[1]s.example.com
    ownerEmail: owner@example.com
  versions:
    prefectIstiod: 1.2.900
    prefectCloud: 1.2.900
    server: "2025.10.1"
    ui: "2025.1023.154520"
  registry: {pullSecret: registry}
  auth:
    adfs:
      clientID: id
      clientSecret: {secret: auth, key: client-secret}
      clientAuthority: https://adfs.example.com/adfs
      clientVerifySSL: true
`

func environment(name string) []byte { return fmt.Appendf(nil, minimal, name) }

// repositoryOf gives files of environments by their names.
func repositoryOf(names ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, name := range names {
		files["environments/"+name+".yaml"] = &fstest.MapFile{Data: environment(name)}
	}
	return files
}

// many gives names of environments in order.
func many(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("team-%02d", i))
	}
	return names
}

func all(files fs.FS) fleet.Request {
	return fleet.Request{Files: []string{"environments"}, Jobs: 4, Repository: files}
}

func names(members []fleet.Member) (found []string) {
	for _, m := range members {
		found = append(found, string(m.Environment.Metadata.Name))
	}
	return found
}

func TestRenderGivesEverythingOfAnEnvironmentTogether(t *testing.T) {
	want := many(12)
	members, err := fleet.Render(t.Context(), all(repositoryOf(want...)), render.Only(targets.Flux{}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, names(members)); diff != "" {
		t.Error(diff)
	}
	for i, m := range members {
		if m.Index != i || m.File != "environments/"+want[i]+".yaml" || m.Plan.Environment != want[i] || m.Rendering.Environment != want[i] || len(m.Rendering.Tree) == 0 {
			t.Errorf("member %d is %d, of file %s, plan %s and rendering %s", i, m.Index, m.File, m.Plan.Environment, m.Rendering.Environment)
		}
	}
}

// TestJobs: any number of jobs gives the same members with the same bytes.
func TestJobs(t *testing.T) {
	request := all(repositoryOf(many(9)...))
	var first tree.Tree
	for _, request.Jobs = range []int{0, 1, 3, 50} {
		members, err := fleet.Render(t.Context(), request, render.Only(targets.Flux{}))
		if err != nil {
			t.Fatal(err)
		}
		whole := tree.Tree{}
		for _, m := range members {
			for name, data := range m.Rendering.Tree {
				whole[name] = data
			}
		}
		if first == nil {
			first = whole
		}
		if diff := cmp.Diff(many(9), names(members)); diff != "" {
			t.Errorf("%d jobs: %s", request.Jobs, diff)
		}
		if diff := cmp.Diff(first, whole); diff != "" {
			t.Errorf("%d jobs: %s", request.Jobs, diff)
		}
	}
}

// TestSomeFail: the others are given with the failures, which are in the order of
// the files.
func TestSomeFail(t *testing.T) {
	files := repositoryOf(many(6)...)
	files["environments/team-01.yaml"].Data = []byte(strings.Replace(string(environment("team-01")), "1.2.900", "nonsense", 1)) // to parse
	files["environments/team-04.yaml"].Data = append(environment("team-04"), "  delivery: {flux: {version: \"1.0\"}}\n"...)
	for name, load := range map[string]func(context.Context, fleet.Request, render.Choice) ([]fleet.Member, error){"load": fleet.Load, "render": fleet.Render} {
		members, err := load(t.Context(), all(files), render.Only(targets.Flux{}))
		var failed fleet.Failures
		if !errors.As(err, &failed) || len(failed) != 2 || !strings.Contains(failed[0].Error(), "team-01.yaml:") || !strings.Contains(failed[1].Error(), "team-04.yaml:") {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]string{"team-00", "team-02", "team-03", "team-05"}, names(members)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for i, m := range members {
			if m.Index != i {
				t.Errorf("%s: %s is %d, want %d", name, m.File, m.Index, i)
			}
		}
		var problems render.Problems
		if !errors.As(failed[0], &problems) {
			t.Errorf("%s: no problems in %v", name, failed[0])
		}
	}
}

// TestCollisions: environments that cannot all be applied are no partial failure,
// and no reason not to say what else failed.
func TestCollisions(t *testing.T) {
	files := repositoryOf("a", "b", "c", "d")
	files["environments/b.yaml"].Data = environment("a")
	request := all(files)
	var failed fleet.Failures
	members, err := fleet.Render(t.Context(), request, render.Only(targets.Flux{}))
	if err == nil || errors.As(err, &failed) || !strings.Contains(err.Error(), `has the name "a" too`) || len(members) != 4 {
		t.Errorf("%d members with %v", len(members), err)
	}
	files["environments/d.yaml"].Data = []byte("kind: Environment\n")
	members, err = fleet.Render(t.Context(), request, render.Only(targets.Flux{}))
	if err == nil || errors.As(err, &failed) || !strings.Contains(err.Error(), `has the name "a" too`) || !strings.Contains(err.Error(), "d.yaml:1:") || len(members) != 3 {
		t.Errorf("%d members with %v", len(members), err)
	}
	request.AllowCollisions = true
	members, err = fleet.Render(t.Context(), request, render.Only(targets.Flux{}))
	if !errors.As(err, &failed) || len(failed) != 1 || len(members) != 3 {
		t.Errorf("allowed: %d members with %v", len(members), err)
	}
	if members, err := fleet.Load(t.Context(), all(repositoryOf("a")), render.Only(targets.Flux{})); err != nil || len(members) != 1 || members[0].Rendering.Tree != nil {
		t.Errorf("load renders: %v, %v", members, err)
	}
}

func TestDefaults(t *testing.T) {
	files := repositoryOf("a", "c")
	files["environments/b.yaml"] = &fstest.MapFile{Data: []byte("apiVersion: pm-gitops/v1\nkind: EnvironmentDefaults\nspec: {registry: {mirror: registry.example.com}}\n")}
	files["environments/other.yaml"] = &fstest.MapFile{Data: []byte("apiVersion: v1\nkind: ConfigMap\n")}
	request := all(files)
	members, err := fleet.Render(t.Context(), request, render.Only(targets.Flux{}))
	if diff := cmp.Diff([]string{"a", "c"}, names(members)); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	request.Defaults = true
	members, err = fleet.Render(t.Context(), request, render.Only(targets.Flux{}))
	if err != nil || len(members) != 3 || !members[1].Environment.IsDefaults() || members[1].Index != 1 || members[1].Rendering.Tree != nil {
		t.Errorf("with defaults: %v, %v", names(members), err)
	}
	files["environments/d.yaml"] = files["environments/b.yaml"]
	if members, err = fleet.Render(t.Context(), request, render.Only(targets.Flux{})); err != nil || len(members) != 4 {
		t.Errorf("defaults collide: %v, %v", names(members), err)
	}
	request.Defaults, request.Files = false, []string{"environments/b.yaml"}
	if _, err := fleet.Render(t.Context(), request, render.Only(targets.Flux{})); err == nil || !strings.Contains(err.Error(), "holds defaults that environments extend") {
		t.Errorf("defaults that are named: %v", err)
	}
}

func TestChosenEnvironments(t *testing.T) {
	request := all(repositoryOf("a", "b", "c"))
	request.Environments = []string{"c", "a"}
	members, err := fleet.Load(t.Context(), request, render.Only(targets.Flux{}))
	if diff := cmp.Diff([]string{"a", "c"}, names(members)); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	request.Environments = []string{"a", "bb"}
	if members, err = fleet.Load(t.Context(), request, render.Only(targets.Flux{})); err == nil || !strings.Contains(err.Error(), `unknown environment "bb"`) || members != nil {
		t.Errorf("%d members with %v", len(members), err)
	}
}

func TestWholeAndSources(t *testing.T) {
	files := repositoryOf("a", "b")
	tests := []struct {
		files   []string
		only    []string
		whole   bool
		sources []string
	}{
		{[]string{"environments"}, nil, true, []string{"environments/a.yaml", "environments/b.yaml"}},
		{[]string{"environments"}, []string{"a"}, false, []string{"environments/a.yaml", "environments/b.yaml"}},
		{[]string{"environments/b.yaml", "environments/*.yaml"}, nil, true, []string{"environments/b.yaml", "environments/a.yaml"}},
		{[]string{"environments/b.yaml", `environments\b.yaml`, "-"}, nil, false, []string{"environments/b.yaml", "-"}},
	}
	for _, tt := range tests {
		request := fleet.Request{Files: tt.files, Environments: tt.only, Repository: files}
		sources, err := request.Sources()
		var found []string
		for _, source := range sources {
			found = append(found, source.Name)
		}
		if err != nil || !slices.Equal(found, tt.sources) || request.Whole() != tt.whole {
			t.Errorf("%q leads to %q, whole %v: %v", tt.files, found, request.Whole(), err)
		}
	}
	nested := fleet.Request{Files: []string{"."}, Repository: files}
	if _, err := nested.Sources(); !errors.Is(err, fleet.ErrSubfolders) {
		t.Errorf("files in folders only: %v", err)
	}
	nested.Recursive = true
	if sources, err := nested.Sources(); err != nil || len(sources) != 2 {
		t.Errorf("with folders: %v, %v", sources, err)
	}
}

// TestProgressIsOneAfterTheOther: every step is told once, and none beside another.
func TestProgressIsOneAfterTheOther(t *testing.T) {
	request := all(repositoryOf(many(20)...))
	request.Jobs = 8
	var told []int
	request.Progress = func(done, total int) {
		if total != 20 {
			t.Errorf("%d of %d", done, total)
		}
		told = append(told, done) // the race detector sees two at once
	}
	if _, err := fleet.Load(t.Context(), request, render.Only(targets.Flux{})); err != nil {
		t.Fatal(err)
	}
	want := make([]int, 21)
	for i := range want {
		want[i] = i
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	request := all(repositoryOf(many(6)...))
	request.Jobs = 1
	request.Progress = func(done, _ int) {
		if done == 2 {
			stop()
		}
	}
	members, err := fleet.Render(ctx, request, render.Only(targets.Flux{}))
	var failed fleet.Failures
	if !errors.Is(err, context.Canceled) || errors.As(err, &failed) || members != nil {
		t.Errorf("%d members with %v", len(members), err)
	}
}

// fetching is a repository that notes what is fetched.
type fetching struct {
	fstest.MapFS
	fetched *[][]string
}

func (f fetching) Fetch(names ...string) error {
	*f.fetched = append(*f.fetched, names)
	return nil
}

func TestFilesAreFetchedTogether(t *testing.T) {
	var fetched [][]string
	if _, err := fleet.Load(t.Context(), all(fetching{repositoryOf("a", "b"), &fetched}), render.Only(targets.Flux{})); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"environments/a.yaml", "environments/b.yaml"}}, fetched); diff != "" {
		t.Error(diff)
	}
}

// TestReadErrors: what cannot be read is told from what is wrong in it.
func TestReadErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	tests := []struct {
		request fleet.Request
		name    string
		text    string
	}{
		{fleet.Request{Files: []string{fleet.DefaultFile}}, fleet.DefaultFile, "there is no environment.yaml here"},
		{fleet.Request{Files: []string{"~/a.yaml"}}, "~/a.yaml", "read ~/a.yaml: no such file or directory"},
		{fleet.Request{Files: []string{"a.yaml"}, Repository: fstest.MapFS{}}, "a.yaml", "read a.yaml of the repository: file does not exist"},
		{fleet.Request{Files: []string{"-"}, Stdin: strings.NewReader(""), Catalog: "c.yaml"}, "c.yaml", "read c.yaml: no such file or directory"},
	}
	for _, tt := range tests {
		_, err := fleet.Load(t.Context(), tt.request, render.Only(targets.Flux{}))
		var failed *fleet.ReadError
		if !errors.As(err, &failed) || failed.Name != tt.name || failed.InRepository != (tt.request.Repository != nil) || !errors.Is(err, fs.ErrNotExist) || err.Error() != tt.text {
			t.Errorf("%v: %v", tt.request.Files, err)
		}
	}
}

func TestStandardInput(t *testing.T) {
	request := fleet.Request{Files: []string{"-"}, Stdin: strings.NewReader(string(environment("a")))}
	members, err := fleet.Render(t.Context(), request, render.Only(targets.Flux{}))
	if err != nil || len(members) != 1 || members[0].File != "-" {
		t.Fatal(members, err)
	}
	// One that never ends is left when the caller gives up.
	ctx, stop := context.WithCancel(t.Context())
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	request.Stdin = reader
	stop()
	if _, err := fleet.Read(ctx, "-", reader); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestReadable: completion reads what it can, whatever else is wrong.
func TestReadable(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{"a.yaml": environment("a"), "b.yaml": []byte("kind: Environment\n"), "c.yaml": environment("c")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	found := fleet.Readable(t.Context(), fleet.Request{Files: []string{"-", "."}, Environments: []string{"x"}})
	if diff := cmp.Diff([]string{"a", "c"}, names(found)); diff != "" || found[0].Index != 0 || found[1].Index != 1 {
		t.Errorf("%s %+v", diff, found)
	}
}

// A pipe that a folder or a pattern brings up has no end.
func TestPipesInFoldersAreRefused(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, filepath.Join(dir, "*.yaml")} {
		_, err := fleet.Request{Files: []string{name}}.Sources()
		if want := "read " + filepath.Join(dir, "pipe.yaml") + ": it is no plain file"; err == nil || err.Error() != want {
			t.Errorf("Sources of %s = %v, want %s", name, err, want)
		}
	}
}

// TestTargets: each environment says its own, and those that do not get the first.
// Unknown ones are problems of their files.
func TestTargets(t *testing.T) {
	files := repositoryOf("a", "b", "c")
	of := func(name, target string) []byte {
		return append(environment(name), "  delivery: {target: "+target+", git: {url: https://git.company.com/fleet.git}}\n"...)
	}
	files["environments/b.yaml"].Data = of("b", "argo")
	files["environments/c.yaml"].Data = of("c", "flux")
	choice := render.Targets{targets.Flux{}, targets.Argo{}}.Choose()
	members, err := fleet.Render(t.Context(), all(files), choice)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range members {
		got = append(got, m.Plan.Target().Name())
	}
	if want := []string{"flux", "argo", "flux"}; !slices.Equal(got, want) {
		t.Errorf("targets %q, want %q", got, want)
	}
	if members, err = fleet.Load(t.Context(), all(files), render.Only(targets.Argo{})); err != nil || members[2].Plan.Target().Name() != "argo" {
		t.Errorf("of one target: %v, %v", members, err)
	}
	files["environments/c.yaml"].Data = of("c", "agro")
	_, err = fleet.Load(t.Context(), all(files), choice)
	if want := `spec.delivery.target: unknown target "agro": did you mean "argo"?`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("an unknown target: %v, want %s", err, want)
	}
}

// TestLinksInARepository: as in a checkout, a link leads to a file inside.
func TestLinksInARepository(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"envs", "shared"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "shared/a.yaml"), environment("a"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"good": "again.yaml", "again": "../shared/a.yaml", "out": "../../etc/passwd", "absolute": "/etc/passwd", "loop": "loop.yaml"} {
		if err := os.Symlink(to, filepath.Join(dir, "envs", name+".yaml")); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"good": "", "out": "it links to a file outside of the repository", "absolute": "it links to a file outside of the repository",
		"loop": "its links lead to each other",
	} {
		members, err := fleet.Load(t.Context(), fleet.Request{Files: []string{"envs/" + name + ".yaml"}, Repository: os.DirFS(dir)}, render.Only(targets.Flux{}))
		if want == "" && (err != nil || len(members) != 1) || want != "" && (err == nil || !strings.HasSuffix(err.Error(), ": "+want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// TestSourcesOfMembers: a member has every file that it was made from, by the path that
// the file itself has, and no other.
func TestSourcesOfMembers(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../../testdata/env")); err != nil {
		t.Fatal(err)
	}
	put := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put("top.yaml", "apiVersion: pm-gitops/v1\nkind: EnvironmentDefaults\nspec: {catalog: shared/stand-in.yaml}\n")
	put("plain.yaml", strings.Replace(string(environment("plain")), "spec:\n", "extends: link.yaml\nspec:\n", 1))
	if err := os.Symlink("top.yaml", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, repository := range []fs.FS{nil, os.DirFS(dir)} {
		link := "link.yaml" // on this machine a name stays as it is
		if repository != nil {
			link = "top.yaml"
		}
		for name, want := range map[string][]string{
			"plain.yaml":  {link, "plain.yaml", "shared/stand-in.yaml"},
			"pinned.yaml": {"pinned.yaml", "platform/.pm-gitops/pinned.lock.yaml"},
		} {
			members, err := fleet.Load(t.Context(), fleet.Request{Files: []string{name}, Repository: repository}, render.Only(targets.Flux{}))
			if err != nil {
				t.Fatal(err)
			}
			sources := fleet.Sources(members)[0]
			if diff := cmp.Diff(slices.Sorted(slices.Values(want)), sources.Paths()); diff != "" {
				t.Errorf("%s of %v: %s", name, repository, diff)
			}
			for name, got := range sources {
				if want, err := os.ReadFile(name); err != nil || string(got) != string(want) {
					t.Errorf("%s: %v, other bytes", name, err)
				}
			}
		}
	}
}
