package chart

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHookEvents: the events of a hook are a set, each of them counts, and one
// that Helm does not know drops the object. The last word says why an object is
// left (https://helm.sh/docs/topics/charts_hooks/#the-available-hooks).
func TestHookEvents(t *testing.T) {
	for events, want := range map[string]struct{ install, upgrade string }{
		"pre-install":               {"hook plain", "plain later"},
		"post-install,test":         {"plain hook", "plain later"},
		"test":                      {"plain notApplied", "plain notApplied"},
		"test-success":              {"plain notApplied", "plain notApplied"},
		"test,pre-delete":           {"plain later", "plain later"},
		"pre-rollback":              {"plain later", "plain later"},
		"post-install, Pre-Upgrade": {"plain hook", "hook plain"},
		"pre-upgrade,post-upgrade":  {"plain later", "hook plain hook"},
		"post-install,pre-removal":  {"plain unknown", "plain unknown"},
		"crd-install":               {"plain unknown", "plain unknown"},
		"":                          {"plain unknown", "plain unknown"},
	} {
		c, err := FromFiles(map[string][]byte{
			"Chart.yaml":         []byte("apiVersion: v2\nname: c\nversion: 1.0.0\n"),
			"templates/all.yaml": []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: hook, annotations: {helm.sh/hook: '" + events + "'}}\n"),
		})
		if err != nil {
			t.Fatal(err)
		}
		got := map[bool]string{}
		for _, upgrade := range []bool{false, true} {
			out, err := c.Render(context.Background(), Input{As: Flux("2.7"), Release: "r", Namespace: "n", IsUpgrade: upgrade})
			if err != nil {
				t.Fatal(err)
			}
			var words []string
			for _, o := range out.Objects {
				words = append(words, o.Name)
			}
			for _, left := range out.Left {
				words = append(words, string(left.Reason))
			}
			got[upgrade] = strings.Join(words, " ")
		}
		if diff := cmp.Diff(map[bool]string{false: want.install, true: want.upgrade}, got); diff != "" {
			t.Errorf("%q, by whether it is an upgrade (-want +got):\n%s", events, diff)
		}
	}
}
