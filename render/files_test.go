package render_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// plain is a target that writes what it is told, below prefect/base/.
type plain []render.File

func (plain) Name() string { return "plain" }

func (plain) Traits(render.Delivery) render.Traits {
	return render.Traits{Layout: tree.Layout{Paths: []string{"{path}/base/"}}}
}

func (p plain) Files(render.Plan) ([]render.File, error) { return p, nil }

// TestRenderFiles: a file is manifests or plain content, and in the layout of
// its target.
func TestRenderFiles(t *testing.T) {
	plan, err := render.PlanFor(parse(t, complete), catalog.Embedded(), plain{})
	if err != nil {
		t.Fatal(err)
	}
	const path = "prefect/base/x"
	object := []any{map[string]any{"a": 1}}
	for _, test := range []struct {
		files     plain
		want, err string // what the first file holds, or the error
	}{
		{files: plain{{Path: path, Content: []byte("a\r\n\x00")}}, want: "a\r\n\x00"},
		{files: plain{{Path: path, Content: []byte{}}}},
		{files: plain{{Path: path, Objects: object}}, want: "a: 1\n"},
		{files: plain{{Path: path}}, err: "write prefect/base/x: it has neither objects nor plain content"},
		{files: plain{{Path: path, Content: []byte("a"), Objects: object}}, err: "write prefect/base/x: it has both objects and plain content"},
		{files: plain{{Path: path, Content: []byte("a"), Applied: "cluster"}}, err: "write prefect/base/x: plain content is not applied"},
		{files: plain{{Path: path, Content: []byte("a")}, {Path: path, Content: []byte("b")}}, err: "prefect/base/x is written twice"},
		{files: plain{{Path: "x", Content: []byte("a")}}, err: "x is not in the layout of the target"},
		{files: plain{{Path: "prefect/base/../x", Content: []byte("a")}}, err: "prefect/base/../x is not in the layout of the target"},
	} {
		rendering, err := render.Render(plan, test.files)
		switch {
		case test.err != "":
			if err == nil || !strings.HasSuffix(err.Error(), "for plain: "+test.err) {
				t.Errorf("%v: %v, want %s", test.files, err, test.err)
			}
		case err != nil:
			t.Errorf("%v: %v", test.files, err)
		case string(rendering.Tree[path]) != test.want || len(rendering.Manifests) != 0:
			t.Errorf("%v: %q and %d manifests, want %q", test.files, rendering.Tree[path], len(rendering.Manifests), test.want)
		}
	}
}
