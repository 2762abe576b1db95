package check_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render/edit"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// TestFixesInPlace edits the file of every check's case by every fix that is proved, as
// pm-gitops set does with what the fix says. The file is then what another YAML library
// makes of it, with which TestProvedFixes renders it: there the finding is gone, and
// nothing else has changed. And only lines that the fix names have changed in the file,
// whatever its form is.
func TestFixesInPlace(t *testing.T) {
	all, fixed := cases(), map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		s := all[id].fires
		for _, f := range fired(t, id) {
			key := id + fmt.Sprint(f.Set)
			if f.Certainty != finding.Proved || fixed[key] {
				continue
			}
			for form, write := range forms {
				t.Run(id+"/"+f.ID+"/"+form, func(t *testing.T) {
					before := write(t, s.environment())
					edited, isOwn := fixInPlace(t, s, before, f)
					if !isOwn { // check --fix leaves it, and check-fix.txtar says how
						if string(edited) != before {
							t.Error("a value of the file that is extended is edited in both")
						}
						return
					}
					after := string(edited)
					fixed[key] = true
					checkLines(t, before, after, f)
					want := before
					for _, p := range f.Set {
						want = set(t, want, p)
					}
					if diff := cmp.Diff(plain(t, want), plain(t, after)); diff != "" {
						t.Errorf("the file (-want +got):\n%s", diff)
					}
				})
			}
		}
	}
	if len(fixed) < 7 {
		t.Errorf("%d fixes are proved", len(fixed))
	}
}

// forms are ways to write the same environment.
var forms = map[string]func(*testing.T, string) string{
	"as it is": func(_ *testing.T, text string) string { return text },
	"CRLF":     func(_ *testing.T, text string) string { return strings.ReplaceAll(text, "\n", "\r\n") },
	"commented": func(t *testing.T, text string) string { // block style, comments above and behind
		var root yaml.Node
		if err := yaml.Unmarshal([]byte(text), &root); err != nil {
			t.Fatal(err)
		}
		n := 0
		var visit func(node *yaml.Node)
		visit = func(node *yaml.Node) {
			node.Style &^= yaml.FlowStyle
			for i, inner := range node.Content {
				if n++; node.Kind == yaml.SequenceNode || node.Kind == yaml.MappingNode && i%2 == 0 {
					inner.HeadComment = fmt.Sprintf("# above %d", n)
				}
				if inner.Kind == yaml.ScalarNode && (node.Kind == yaml.SequenceNode || i%2 == 1) {
					inner.LineComment = fmt.Sprintf("# behind %d", n)
				}
				visit(inner)
			}
		}
		visit(root.Content[0])
		var out bytes.Buffer
		encoder := yaml.NewEncoder(&out)
		encoder.SetIndent(4)
		if err := encoder.Encode(&root); err != nil {
			t.Fatal(err)
		}
		return out.String()
	},
}

// fixInPlace edits the file as check --fix does, unless the value is in the file that is extended.
func fixInPlace(t *testing.T, s setting, text string, f finding.Finding) (content []byte, isOwn bool) {
	t.Helper()
	defaults := s.defaults
	if defaults == "" {
		defaults = base
	}
	env, err := edit.Open("prod.yaml", []byte(text), func(string) ([]byte, error) { return []byte(defaults), nil })
	if err != nil {
		t.Fatal(err)
	}
	var edits []edit.Edit
	for _, p := range f.Set {
		path, value, ok := edit.Cut(p.Assignment())
		read, err := edit.YAML(value)
		if err != nil || !ok || !read.IsAsWritten(value) || read.HasComment(value) {
			t.Fatalf("%s is nothing to set (%v)", p.Assignment(), err)
		}
		e := edit.Edit{Op: edit.Set, Path: path, Value: read}
		if read.IsNull() {
			e.Op = edit.Remove
		}
		edits = append(edits, e)
	}
	if _, err := env.Apply(edits...); err != nil {
		t.Fatal(err)
	}
	if files := env.Files(); len(files) > 1 && !bytes.Equal(files[1].Old, files[1].New) {
		return files[0].New, false
	}
	return env.Files()[0].New, true
}

// checkLines wants every line that is not taken out to stay as it is, in its order, and
// those that are taken out or put in to name a key of the fix, or to be of its value.
func checkLines(t *testing.T, before, after string, f finding.Finding) {
	t.Helper()
	var words []string
	for _, p := range f.Set {
		words = append(words, strings.FieldsFunc(p.Field, func(r rune) bool { return r == '.' || r == '[' || r == ']' })...)
		data, err := yaml.Marshal(p.Value)
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, strings.Fields(strings.NewReplacer("- ", "", ":", "").Replace(string(data)))...)
	}
	old, fixed := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	taken, put, changed := dropCommon(old, fixed), dropCommon(fixed, old), 0
	if len(taken) > 1 && f.Set[0].Remove { // with all that is in it, and {} in its place where it was the last
		emptied := len(put) == 1 && strings.HasSuffix(put[0], ": {}\n")
		names := slices.ContainsFunc(words, func(word string) bool { return strings.Contains(taken[0], word+":") })
		if !names || len(put) > 0 && !emptied {
			t.Errorf("%s takes out the lines %q and puts in %q", f.Fix, taken, put)
		}
		return
	}
	for _, line := range append(taken, put...) {
		changed++
		if !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(line, word) }) {
			t.Errorf("%s changes the line %q", f.Fix, line)
		}
	}
	if changed == 0 || changed > 2*len(words) {
		t.Errorf("%s changes %d lines\n%s", f.Fix, changed, after)
	}
}

// dropCommon gives the lines of a that are not in a longest common subsequence with b.
func dropCommon(a, b []string) []string {
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if length[i][j] = max(length[i+1][j], length[i][j+1]); a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			}
		}
	}
	var rest []string
	for i, j := 0, 0; i < len(a); {
		switch {
		case j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j < len(b) && length[i][j+1] >= length[i+1][j]:
			j++
		default:
			rest = append(rest, a[i])
			i++
		}
	}
	return rest
}

// plain reads YAML as kubectl's library has it. What null takes away is as good as what
// is not there.
func plain(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var clean func(v any) any
	clean = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			maps.DeleteFunc(v, func(_ string, inner any) bool { return inner == nil })
			for key, inner := range v {
				v[key] = clean(inner)
			}
		case []any:
			for i := range v {
				v[i] = clean(v[i])
			}
		}
		return v
	}
	return clean(value)
}
