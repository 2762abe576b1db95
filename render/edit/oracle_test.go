package edit

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sigs "sigs.k8s.io/yaml"
)

// checkOracle holds the values of edited files to another YAML library: it reads what
// it read before, with the edits made to it. The line ends of YAML 1.1, and files that
// extend others, are not for it.
func checkOracle(t *testing.T, c corpusCase, in, got map[string][]byte) {
	t.Helper()
	if len(in) > 1 || strings.ContainsAny(string(in["env.yaml"]), "\u0085") || isCR(in["env.yaml"]) {
		return
	}
	var want, have any
	for data, into := range map[string]*any{string(in["env.yaml"]): &want, string(got["env.yaml"]): &have} {
		if err := sigs.Unmarshal([]byte(strings.TrimPrefix(data, "\ufeff")), into); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
	}
	root := map[string]any{"root": want}
	for _, e := range c.edits {
		want = root["root"]
		var value any
		if e.Op == Set || e.Op == Append {
			value = plainOf(t, e)
		}
		if e.Op == Move {
			value = lookUp(want, keysOf(t, e.To), nil, Move)
			root["root"] = want
			value = lookUp(want, keysOf(t, e.Path), nil, Move)
			lookUp(want, keysOf(t, e.To), value, Set)
			lookUp(want, keysOf(t, e.Path), nil, Remove)
			continue
		}
		lookUp(want, keysOf(t, e.Path), value, e.Op)
	}
	if diff := cmp.Diff(root["root"], have); diff != "" {
		t.Errorf("another library reads (-want +got):\n%s", diff)
	}
}

func isCR(data []byte) bool {
	return strings.Contains(strings.ReplaceAll(string(data), "\r\n", ""), "\r")
}

// plainOf gives the value of an edit as the other library reads it.
func plainOf(t *testing.T, e Edit) (value any) {
	t.Helper()
	text := flow(e.Value.tree)
	isNumber := e.Value.tree.Tag == "!!int" || e.Value.tree.Tag == "!!float"
	if e.Value.tree.Tag == "!!str" || isNumber && strings.HasPrefix(e.Path, "spec.") && !strings.Contains(e.Path, ".values") {
		return e.Value.tree.Text
	}
	if err := sigs.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func keysOf(t *testing.T, path string) []string {
	t.Helper()
	parts, err := split(path)
	if err != nil {
		t.Fatal(err)
	}
	keys := make([]string, len(parts))
	for i, p := range parts {
		keys[i] = p.text
	}
	return keys
}

// lookUp edits what JSON knows at keys, and gives what was there. Indexes are numbers
// or the field name of items.
func lookUp(in any, keys []string, value any, op Op) any {
	switch in := in.(type) {
	case map[string]any:
		old := in[keys[0]]
		if len(keys) > 1 {
			if old == nil {
				if op == Remove || op == Move {
					return nil
				}
				old = map[string]any{}
				if keys[1] == "0" {
					old = []any{nil}
				}
				in[keys[0]] = old
			}
			if list, ok := old.([]any); ok && len(keys) == 2 && op != Move {
				in[keys[0]] = editList(list, keys[1], value, op)
				return nil
			}
			return lookUp(old, keys[1:], value, op)
		}
		switch op {
		case Set:
			in[keys[0]] = value
		case Append:
			list, _ := old.([]any)
			in[keys[0]] = append(list, value)
		case Remove:
			delete(in, keys[0])
		}
		return old
	case []any:
		i := indexOf(in, keys[0])
		if len(keys) == 1 {
			if op == Set {
				in[i] = value
			}
			return in[i]
		}
		if list, ok := in[i].([]any); ok && len(keys) == 2 {
			in[i] = editList(list, keys[1], value, op)
			return nil
		}
		return lookUp(in[i], keys[1:], value, op)
	}
	return nil
}

func editList(list []any, key string, value any, op Op) []any {
	switch i := indexOf(list, key); {
	case op == Remove:
		return append(list[:i:i], list[i+1:]...)
	case op == Append:
		list[i] = append(list[i].([]any), value)
		return list
	case i == len(list):
		return append(list, value)
	default:
		list[i] = value
		return list
	}
}

func indexOf(list []any, key string) int {
	for i, item := range list {
		if named, ok := item.(map[string]any); ok && named["name"] == key {
			return i
		}
	}
	var i int
	if err := json.Unmarshal([]byte(key), &i); err != nil {
		return 0
	}
	return i
}
