package render_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestCoreIsPure keeps effects out of the core: neither it nor the targets
// may link our own packages of the edge or of the tests, and their own code
// may import nothing that reaches disk, network, randomness or other programs.
func TestCoreIsPure(t *testing.T) {
	const module = "github.com/pm-gitops/pm-gitops/"
	list := func(args ...string) []string {
		cmd := exec.Command("go", append([]string{"list"}, args...)...)
		cmd.Dir = ".."
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list %v: %v", args, err)
		}
		return strings.Fields(string(out))
	}
	core := slices.DeleteFunc(list("./render/...", "./targets/..."), func(name string) bool {
		return strings.HasSuffix(name, "test") || strings.Contains(name, "/gitops-engine/")
	})
	if len(core) < 10 {
		t.Fatalf("the core is %q", core)
	}
	for _, dependency := range list(append([]string{"-deps"}, core...)...) {
		if strings.HasPrefix(dependency, module+"cmd/") || strings.HasSuffix(dependency, "/crdtest") || strings.HasSuffix(dependency, "/charttest") || strings.HasSuffix(dependency, "/rollouttest") {
			t.Errorf("the core links %s", dependency)
		}
	}
	impure := map[string]bool{"os": true, "os/exec": true, "net/http": true, "io/ioutil": true, "math/rand": true, "math/rand/v2": true, "crypto/rand": true, "os/signal": true, "path/filepath": true}
	for _, imported := range list(append([]string{"-f", `{{range .Imports}}{{$.ImportPath}}:{{.}} {{end}}`}, core...)...) {
		if _, name, _ := strings.Cut(imported, ":"); impure[name] || strings.HasPrefix(name, "github.com/go-git/") {
			t.Errorf("%s imports %s", strings.Split(imported, ":")[0], name)
		}
	}
}
