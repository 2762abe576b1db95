package folder_test

import (
	"errors"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// TestWriteRefusesNamesThatRunTogether: two environments would have one object
// between them, and each would take it from the other. What is no object of a
// delivery system is no reason to refuse.
func TestWriteRefusesNamesThatRunTogether(t *testing.T) {
	tests := []struct{ target, a, aPart, b, bPart, cluster, want string }{
		{"flux", "p", "q-w", "p-q", "w", "x", "p-q-w"},
		{"flux", "p", "q-w", "p-q", "w", "y", ""},
		{"argo", "p", "q-w", "p-q", "w", "y", "p-q-w"},
		{"flux", "p", "prereqs", "p-prereqs", "w", "x", ""}, // Flux has no object p-prereqs of the second
		{"argo", "p", "prereqs", "p-prereqs", "w", "x", "p-prereqs"},
		{"argo", "p", "w", "p-root", "w", "x", "p-root"}, // the AppProject of the root of p
		{"flux", "p", "w", "p-root", "w", "x", ""},
		{"argo", "p-root", "w", "p", "w", "x", "p-root"},
	}
	for _, tt := range tests {
		with := func(environment, part, cluster string) tree.Tree {
			return treeOf(environment, files("clusters/"+cluster+"/prefect-"+environment+".yaml", "prefect/overlays/"+environment+"/"+part+"/a.yaml"), forTarget(tt.target), installedAt("cloud", environment))
		}
		_, root := folderWith(t, with(tt.a, tt.aPart, "x"))
		_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{with(tt.b, tt.bPart, tt.cluster)}, false)
		var got folder.NameError
		errors.As(err, &got)
		if got.Name != tt.want || tt.want == "" && err != nil {
			t.Errorf("%+v: Write = %v, want an error about %q", tt, err, tt.want)
		}
	}
}
