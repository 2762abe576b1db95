package publish_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// minimal gives an environment file of this name.
func minimal(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../../testdata/env/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.Replace(string(data), "name: minimal", "name: "+name, 1))
}

// TestFleetMakes: the environments that are fine come beside the error of the others,
// and none if all failed or they collide.
func TestFleetMakes(t *testing.T) {
	asked := publish.Fleet{Request: fleet.Request{Files: []string{"environments"}}, Target: render.Only(targets.Flux{}), Layouts: layouts}
	tests := []struct {
		name  string
		files map[string]string
		made  int // environments; -1 for no job
		fails bool
	}{
		{"all fine", map[string]string{"a": "a", "b": "b"}, 2, false},
		{"one fails", map[string]string{"a": "a", "b": "NO NAME"}, 1, true},
		{"all fail", map[string]string{"b": "NO NAME"}, -1, true},
		{"they collide", map[string]string{"a": "a", "b": "a"}, -1, true},
	}
	for _, tt := range tests {
		files := fstest.MapFS{}
		for file, name := range tt.files {
			files["environments/"+file+".yaml"] = &fstest.MapFile{Data: minimal(t, name)}
		}
		job, err := asked.Make(t.Context(), files)
		made := -1
		if rendered, ok := job.(publish.Rendered); ok {
			made = len(rendered.Members)
		}
		if made != tt.made || (err != nil) != tt.fails {
			t.Errorf("%s: %d environments and %v, want %d", tt.name, made, err, tt.made)
		}
	}
}

// TestFleetFromHere: the files of this machine are rendered once, whatever a
// repository holds and however often the job is made.
func TestFleetFromHere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dev.yaml")
	if err := os.WriteFile(file, minimal(t, "dev"), 0o666); err != nil {
		t.Fatal(err)
	}
	again := publish.Fleet{Request: fleet.Request{Files: []string{file}}, Target: render.Only(targets.Flux{}), Layouts: layouts}.FromHere()
	for range 2 {
		job, err := again(t.Context(), fstest.MapFS{})
		if rendered, ok := job.(publish.Rendered); err != nil || !ok || rendered.Members[0].Rendering.Environment != "dev" {
			t.Fatalf("%v, %v", job, err)
		}
		if err := os.WriteFile(file, []byte("other"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRemovalMakes: a job after a lost race knows nothing of the one before.
func TestRemovalMakes(t *testing.T) {
	removal := publish.Removal{Environment: "dev", Place: "the folder", Layouts: layouts}
	first, _ := removal.Make(t.Context(), nil)
	second, _ := removal.Make(t.Context(), nil)
	if first == second {
		t.Error("the same job twice")
	}
}
