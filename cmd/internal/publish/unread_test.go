package publish_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// TestUnread: what Flux would not apply, or would choke on, is found, and nothing in a
// repository that is well or of which nothing is known.
func TestUnread(t *testing.T) {
	sync := func(path string) string {
		return "kind: GitRepository\nspec: {url: x}\n---\nkind: Kustomization\nspec: {path: " + path + "}\n"
	}
	lists := func(names string) string { return "resources: [" + names + "]\n" }
	const (
		gotk, own = "clusters/dev/flux-system/gotk-sync.yaml", "clusters/dev/kustomization.yaml"
		elsewhere = "environments/dev.yaml"
	)
	for name, test := range map[string]struct {
		file  string // the environment file
		files map[string]string
		want  []string
	}{
		"nothing is known":              {elsewhere, nil, nil},
		"pointed at it":                 {elsewhere, map[string]string{gotk: sync("./clusters/dev")}, nil},
		"pointed at all":                {elsewhere, map[string]string{gotk: sync("./clusters")}, nil},
		"pointed at the root":           {elsewhere, map[string]string{gotk: sync("./")}, nil},
		"pointed at another":            {elsewhere, map[string]string{gotk: sync("./clusters/de")}, []string{gotk + ": Flux is pointed at clusters/de here"}},
		"another cluster alone":         {elsewhere, map[string]string{"clusters/a/flux-system/gotk-sync.yaml": sync("clusters/a")}, []string{"clusters/a/flux-system/gotk-sync.yaml: Flux is pointed at clusters/a"}},
		"another cluster too":           {elsewhere, map[string]string{"clusters/a/flux-system/gotk-sync.yaml": sync("clusters/a"), gotk: sync("clusters/dev")}, nil},
		"no YAML":                       {elsewhere, map[string]string{gotk: "a: [", own: "a: ["}, []string{gotk + ": cannot read", own + ": cannot read"}},
		"listed":                        {elsewhere, map[string]string{own: lists("flux-system, ./prefect-dev.yaml")}, nil},
		"not listed":                    {elsewhere, map[string]string{own: lists("flux-system")}, []string{own + ": Flux applies only what this file lists, and prefect-dev.yaml"}},
		"in the folder":                 {"clusters/dev/dev.yaml", nil, []string{"clusters/dev/dev.yaml: Flux applies every YAML file in clusters/dev, this one too"}},
		"below the folder of another":   {"clusters/a/environments/dev.yaml", nil, []string{"clusters/a/environments/dev.yaml: Flux applies every YAML file in clusters/a, this one too"}},
		"in the folder, and not listed": {"clusters/dev/dev.yaml", map[string]string{own: lists("prefect-dev.yaml")}, nil},
		"beside the folders":            {"clusters/dev.yaml", nil, nil},
		"its catalog":                   {"clusters/dev.yaml", map[string]string{"clusters/dev/catalog.yaml": "apiVersion: pm-gitops/v1\nkind: Catalog\nlines: []\n"}, []string{"clusters/dev/catalog.yaml: Flux applies every YAML file in clusters/dev, this one too"}},
		"what it extends":               {"clusters/dev.yaml", map[string]string{"clusters/dev/base.yaml": "apiVersion: pm-gitops/v1\nkind: EnvironmentDefaults\n"}, []string{"clusters/dev/base.yaml: Flux applies every YAML file in clusters/dev, this one too"}},
	} {
		content := string(minimal(t, "dev"))
		if test.files["clusters/dev/base.yaml"] != "" {
			content = strings.Replace(content, "metadata:", "extends: dev/base.yaml\nmetadata:", 1)
		}
		if test.files["clusters/dev/catalog.yaml"] != "" {
			content = strings.Replace(content, "spec:", "spec:\n  catalog: dev/catalog.yaml", 1)
		}
		files := fstest.MapFS{test.file: {Data: []byte(content)}}
		for file, content := range test.files {
			files[file] = &fstest.MapFile{Data: []byte(content)}
		}
		unread := func(target render.Target) render.Problems {
			members, err := fleet.Render(t.Context(), fleet.Request{Files: []string{test.file}, Repository: files}, render.Only(target))
			if err != nil {
				t.Fatal(err)
			}
			return publish.Unread(files, "", members)
		}
		if got := unread(targets.Argo{}); got != nil {
			t.Errorf("%s: for Argo CD found %v", name, got)
		}
		got := unread(targets.Flux{})
		if len(got) != len(test.want) {
			t.Errorf("%s: found %v, want %q", name, got, test.want)
			continue
		}
		for i, problem := range got {
			if said := problem.Position.File + ": " + problem.Message; !strings.HasPrefix(said, test.want[i]) {
				t.Errorf("%s: found %s, want %s", name, said, test.want[i])
			}
		}
	}
}
