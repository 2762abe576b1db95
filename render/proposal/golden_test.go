package proposal_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/proposal"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// limits are those of Azure DevOps, Bitbucket Server, GitHub, and GitLab and Gitea.
var limits = []int{4_000, 30_000, 65_536, 1_000_000}

// bodies gives every sample with what is written of it.
func bodies() map[string]func(int) string {
	return map[string]func(int) string{
		"routine": routine().Body, "blocked": blocked().Body, "breaking": breaking().Body, "large": large().Body, "change": change().Body,
	}
}

// TestGolden keeps what people read: title, labels, message and body.
func TestGolden(t *testing.T) {
	golden := map[string]string{}
	for name, p := range map[string]proposal.Patch{"routine": routine(), "blocked": blocked(), "breaking": breaking()} {
		golden[name+".md"] = p.Body(65_536)
		golden[name+".txt"] = fmt.Sprintf("%s\n%s\n%s\n\n%s", p.Branch(), p.Title(), strings.Join(p.Labels(), " "), p.Message())
	}
	golden["large-4000.md"] = large().Body(4_000)
	golden["change.md"] = change().Body(65_536)
	golden["change.txt"] = change().Title() + "\n" + strings.Join(change().Labels(), " ") + "\n"
	for name, got := range golden {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
