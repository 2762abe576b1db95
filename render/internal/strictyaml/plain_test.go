package strictyaml_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// TestPlainNumbers: what is taken is the same text again after the way to a
// chart, which is YAML to JSON to a float64; everything else is refused.
func TestPlainNumbers(t *testing.T) {
	for text, taken := range map[string]bool{
		"0": true, "-3": true, "1": true, "1000660000": true, "9007199254740992": true, "-9007199254740992": true,
		"9007199254740993": false, "-9007199254740993": false, "9007199254740994": false, "9223372036854775807": false, "100000000000000000000": false,
		"0.5": true, "-0.25": true, "2025.1": true, "1e+06": true, "1.5E-07": true, "1e-07": true, "0.1": true,
		"1.0": false, "2025.10": false, "0.10": false, "1e3": false, "1e6": false, "1.0e+06": false, ".5": false, "5.": false, "+1": false, "-0": false,
		"0123": false, "0o17": false, "0x1F": false, "1_000": false, ".inf": false, ".nan": false,
		"0.12345678901234567890": false, "9007199254740993.5": false, "0.1000000000000000055511151231257827": false,
	} {
		documents, problems := strictyaml.LoadAll("a.yaml", []byte("a: "+text+"\n"))
		if problems != nil {
			t.Fatal(problems)
		}
		_, problems = strictyaml.Plain(documents[0].Root, "")
		if (problems == nil) != taken {
			t.Errorf("%s: got %v, want taken: %t", text, problems, taken)
		}
		if !taken {
			if len(problems) == 1 && (problems[0].Position.String() != "a.yaml:1:4" || problems[0].Path != "a" || !strings.Contains(problems[0].Message, "put it in quotes")) {
				t.Errorf("%s: got %v", text, problems)
			}
			continue
		}
		var helm map[string]any
		if err := yaml.Unmarshal([]byte("a: "+text), &helm); err != nil {
			t.Fatal(err)
		}
		again, _ := json.Marshal(helm["a"])
		var float float64
		if err := json.Unmarshal(again, &float); err != nil {
			t.Fatal(err)
		}
		if plain, short := strconv.FormatFloat(float, 'f', -1, 64), fmt.Sprint(float); plain != text && short != strings.ToLower(text) {
			t.Errorf("%s: taken, and a chart gets %s or %s", text, plain, short)
		}
	}
}
