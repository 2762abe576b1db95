package edit

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// inputs reads the files of the corpus, and the sample environments.
func inputs(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, c := range readCorpus(t) {
		for name, data := range c.in {
			files[c.name+"/"+name] = data
		}
	}
	for _, pattern := range []string{"../../testdata/env/*.yaml", "../../testdata/env/*/*.yaml", "../../templates/environment.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || names == nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range names {
			if files[name], err = os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// collectPaths lists the places of a tree, the outer ones first.
func collectPaths(v *strictyaml.Value, at []step, visit func(at []step, v *strictyaml.Value)) {
	if len(at) > 0 {
		visit(slices.Clone(at), v)
	}
	for _, e := range v.Entries {
		collectPaths(e.Value, append(at, keyStep(e.Key)), visit)
	}
	for i, item := range v.Items {
		collectPaths(item, append(at, step{"", i}), visit)
	}
}

// inverses gives an edit at a place, and the one that undoes it.
func inverses(at []step, v *strictyaml.Value) map[string][2]resolved {
	all := map[string][2]resolved{}
	s, known := v.Source()
	if !known {
		return nil
	}
	if n := s.Content.End - s.Content.Start; len(v.Entries)+len(v.Items) == 0 && v.Kind != strictyaml.Scalar && n != len("{}") {
		return nil // { } is {} afterwards
	}
	other := &strictyaml.Value{Tag: v.Tag, Text: v.Text + "x"}
	simple := !strings.ContainsAny(v.Text, "\n\r\t\u0085\u2028\u2029") && v.Tag == "!!str"
	switch {
	case v.Kind == strictyaml.Scalar && simple && s.Content.End-s.Content.Start <= len(v.Text)+2:
		written := quote(v.Text, s.Style, s.InFlow)
		if quote(other.Text, s.Style, s.InFlow)[0] == written[0] || s.Style != strictyaml.PlainStyle {
			all["set"] = [2]resolved{{op: Set, at: at, value: other}, {op: Set, at: at, value: v}}
		}
	case v.Kind == strictyaml.Scalar && v.Tag == "!!int":
		all["set"] = [2]resolved{{op: Set, at: at, value: &strictyaml.Value{Tag: "!!int", Text: "71"}}, {op: Set, at: at, value: v}}
	case v.Kind == strictyaml.Mapping && v.Get("added") == nil:
		added := append(slices.Clone(at), keyStep("added"))
		value := &strictyaml.Value{Kind: strictyaml.Mapping, Entries: []strictyaml.Entry{{Key: "in", Value: Text("new").tree}}}
		all["add"] = [2]resolved{{op: Set, at: added, value: value}, {op: Remove, at: added}}
	case v.Kind == strictyaml.Sequence:
		last := append(slices.Clone(at), step{"", len(v.Items)})
		all["append"] = [2]resolved{{op: Append, at: at, value: Text("new").tree}, {op: Remove, at: last}}
	}
	if last := at[len(at)-1]; last.index < 0 {
		to := append(slices.Clone(at[:len(at)-1]), keyStep(last.key+"x"))
		all["rename"] = [2]resolved{{op: Move, at: at, to: to}, {op: Move, at: to, to: at}}
	}
	return all
}

// TestInverse: an edit changes bytes, and the edit that undoes it gives the original
// ones, for every value of every file. Files take turns with the variants, which would
// take long for each of them.
func TestInverse(t *testing.T) {
	done, refused := map[string]int{}, map[string]int{}
	files, ways := inputs(t), slices.Sorted(maps.Keys(variants))
	for i, name := range slices.Sorted(maps.Keys(files)) {
		for j, variant := range ways {
			if len(files[name]) < 500 || (i+j)%len(ways) == 0 {
				checkInverse(t, name+"/"+variant, variants[variant](bytes.Clone(files[name])), done, refused)
			}
		}
	}
	t.Log("done", done, "refused", refused)
	for _, op := range []string{"set", "add", "append", "rename"} {
		if done[op] < 300 || refused[op]*4 > done[op] {
			t.Errorf("%s: %d done, %d refused", op, done[op], refused[op])
		}
	}
}

func checkInverse(t testing.TB, name string, data []byte, done, refused map[string]int) {
	t.Helper()
	start, problems := open(name, data)
	if problems != nil {
		return
	}
	collectPaths(start.root, nil, func(at []step, v *strictyaml.Value) {
		both := inverses(at, v)
		for _, op := range slices.Sorted(maps.Keys(both)) {
			d, _ := open(name, data)
			if err := d.edit(both[op][0]); err != nil {
				refused[op]++
				continue
			}
			if bytes.Equal(d.data, data) {
				t.Fatalf("%s: %s %s changes nothing", name, op, format(at))
			}
			between := d.data
			if err := d.edit(both[op][1]); err != nil {
				t.Fatalf("%s: %s %s cannot be undone: %v\n%s\n---\n%s", name, op, format(at), err, data, between)
			}
			if !bytes.Equal(d.data, data) {
				t.Fatalf("%s: %s %s, undone:\n%q\nwant\n%q\nbetween\n%q", name, op, format(at), d.data, data, between)
			}
			done[op]++
		}
	})
}
