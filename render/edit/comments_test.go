package edit

import (
	"strings"
	"testing"
)

// TestShownComments: what looks like a secret in a comment is shown in no diff, also
// where it has several lines; any other comment and every # in a text is.
func TestShownComments(t *testing.T) {
	const in = `# the owner's file # really
a: "x # y" # plain
b: 'z'   # password: CANARY-1
# token=CANARY-2
c: x#y # see the docs
# smtp:
#   password: |
#     CANARY-3
#     CANARY-4
h: 1 # password: |
     #   CANARY-7
d: [1, # ghp_CANARY5CANARY5CANARY5CANARY5CANARY5CA
  2]
e: |
  # password: stays, it is a text of its own
f: &ab {g: 1} # -p postgres://me:CANARY-6@db/x
`
	for variant, change := range variants {
		data := change([]byte(in))
		shown := string(Shown("env.yaml", data))
		if strings.Contains(shown, "CANARY") || !strings.Contains(shown, "# plain") || !strings.Contains(shown, "# see the docs") || !strings.Contains(shown, "# the owner's file # really") || !strings.Contains(shown, `"x # y"`) {
			t.Errorf("%s: %s", variant, shown)
		}
		if d, problems := open("env.yaml", []byte(shown)); problems != nil || d.root.Get("d") == nil || len(d.root.Get("d").Items) != 2 {
			t.Errorf("%s: %v", variant, problems)
		}
	}
}

// TestShownDocuments: each document of a file is shown with its own secrets hidden, and one
// that cannot be read not at all.
func TestShownDocuments(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"kind: A\n---\nspec: {values: {prefect-cloud: {password: hunter2-hunter2}}}\n---\nkind: B\n", "kind: A\n---\nspec: {values: {prefect-cloud: {password: (redacted)}}}\n---\nkind: B\n"},
		{"kind: A\n---\npassword: [\n", "kind: A\n---\n(redacted)\n"},
		{"password: [\n", "(redacted)\n"},
	} {
		if got := string(Shown("some.yaml", []byte(c.file))); got != c.want {
			t.Errorf("Shown(%q) = %q, want %q", c.file, got, c.want)
		}
	}
}
