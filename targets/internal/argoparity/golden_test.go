// Package argoparity proves that what is written for Argo CD is what Argo CD
// reads, and that ../gitops-engine stands in for the real one truly.
//
// It is a module of its own, for it needs the real gitops-engine, and no module
// can have both. It has only tests.
package argoparity

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/rogpeppe/go-internal/txtar"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

const goldenTrees = "../../../testdata/golden/argo-*/*.txtar"

// TestGoldenObjectsSurviveArgoTypes reads every object that Argo CD would with
// its own types and writes it again: nothing may get lost or change, and what is
// added may say nothing.
func TestGoldenObjectsSurviveArgoTypes(t *testing.T) {
	archives, err := filepath.Glob(goldenTrees)
	if err != nil || len(archives) == 0 {
		t.Fatalf("%s: no golden trees: %v", goldenTrees, err)
	}
	objects := 0
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			if ext := filepath.Ext(file.Name); ext != ".yaml" && ext != ".yml" {
				continue
			}
			documents, err := split(file.Data)
			if err != nil {
				t.Errorf("%s: %s: %v", name, file.Name, err)
			}
			for i, document := range documents {
				argo, problems := roundTrip(document)
				if argo {
					objects++
				}
				for _, problem := range problems {
					t.Errorf("%s: %s: document %d: %s", name, file.Name, i+1, problem)
				}
			}
		}
	}
	if objects == 0 {
		t.Errorf("%s: no Application and no AppProject in %d archives", goldenTrees, len(archives))
	}
	t.Logf("%d objects in %d archives", objects, len(archives))
}

// TestRoundTripFindsMistakes is the proof that the test above can fail.
func TestRoundTripFindsMistakes(t *testing.T) {
	const head = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
	for source, want := range map[string]string{
		head + "spec: {project: p, wave: 1}":                                     `unknown field "spec.wave"`,
		head + "spec: {Project: p}":                                              `unknown field "spec.Project"`,
		head + "spec: {project: p, project: q}":                                  `"project" already set`,
		head + "spec: {project: 7}":                                              "cannot unmarshal number",
		head + "spec: {project: p, info: [{name: a, value: b, more: false}]}":    `unknown field "spec.info[0].more"`,
		head + "metadata: {name: a}\nspec: {}":                                   `"metadata" already set`,
		head + "status: {reconciledAt: 2026-01-01T00:00:00+01:00}":               ".status.reconciledAt",
		"apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {}\n": "ApplicationSet",
		"apiVersion: argoproj.io/v1\nkind: Application\nmetadata: {}\n":          "argoproj.io/v1 ",
	} {
		if _, problems := roundTrip([]byte(source)); !strings.Contains(strings.Join(problems, "\n"), want) {
			t.Errorf("roundTrip(%q) = %q, want %q in it", source, problems, want)
		}
	}
}

// TestCompare has what Argo's types never do, as far as the golden trees go.
func TestCompare(t *testing.T) {
	type object = map[string]any
	for _, test := range []struct {
		want, got object
		problems  int
	}{
		{object{"a": "x"}, object{"a": "x", "b": "", "c": object{"d": nil}}, 0},
		{object{"a": "x", "b": false}, object{"a": "x"}, 0},
		{object{"a": "x"}, object{"a": "x", "status": object{"b": "y"}}, 0},
		{object{"a": "x"}, object{"a": "y"}, 1},
		{object{"a": "x"}, object{}, 1},
		{object{"a": object{}}, object{"a": object{"status": "y"}}, 1},
		{object{"a": []any{"x", "y"}}, object{"a": []any{"y", "x"}}, 2},
		{object{"a": []any{"x"}}, object{"a": []any{"x", ""}}, 1},
		{object{"a": object{"b": 1.0}}, object{"a": []any{1.0}}, 1},
	} {
		if problems := compare("", test.want, test.got); len(problems) != test.problems {
			t.Errorf("compare(%v, %v) = %q, want %d problems", test.want, test.got, problems, test.problems)
		}
	}
}

// split is the documents of a YAML stream.
func split(stream []byte) ([][]byte, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(stream)))
	var documents [][]byte
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}

// roundTrip reads a document with Argo's types, writes it again and tells what
// became of it. It reports whether the document is of Argo's API at all; of
// others there is nothing to say.
func roundTrip(document []byte) (argo bool, problems []string) {
	var source any
	if err := yaml.Unmarshal(document, &source); err != nil {
		return false, []string{err.Error()}
	}
	want, _ := source.(map[string]any)
	apiVersion, _ := want["apiVersion"].(string)
	if !strings.HasPrefix(apiVersion, "argoproj.io/") {
		return false, nil
	}
	object, err := objectOf(apiVersion, want["kind"])
	if err != nil {
		return true, []string{err.Error()}
	}
	problems = slices.DeleteFunc(decode(document, object), func(problem string) bool { return problem == `unknown field "`+newer+`"` })
	if len(problems) > 0 {
		return true, problems
	}
	dropNewer(want)
	again, err := yaml.Marshal(object)
	if err != nil {
		return true, []string{err.Error()}
	}
	var got map[string]any
	if err := yaml.Unmarshal(again, &got); err != nil {
		return true, []string{err.Error()}
	}
	return true, compare("", want, got)
}

// newer is the field that is written and that only types after argo-cd/v2 have.
const newer = "spec.syncPolicy.retry.refresh"

// dropNewer takes that field out of an object.
func dropNewer(object map[string]any) {
	keys := strings.Split(newer, ".")
	for _, key := range keys[:len(keys)-1] {
		object, _ = object[key].(map[string]any)
	}
	delete(object, keys[len(keys)-1])
}

// objectOf is an empty object of a kind.
func objectOf(apiVersion string, kind any) (any, error) {
	if apiVersion == "argoproj.io/v1alpha1" {
		switch kind {
		case "Application":
			return new(argov1.Application), nil
		case "AppProject":
			return new(argov1.AppProject), nil
		}
	}
	return nil, fmt.Errorf("no type for %s %v: want argoproj.io/v1alpha1 Application or AppProject", apiVersion, kind)
}

// decode reads as strictly as an API server: a key counts with its case, and one
// that is unknown or there twice is a problem.
func decode(document []byte, object any) []string {
	source, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return []string{err.Error()}
	}
	strict, err := kjson.UnmarshalStrict(source, object)
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	for _, err := range strict {
		problems = append(problems, err.Error())
	}
	return problems
}

// compare tells where got differs from want in more than empty values, which
// Argo's types add at some places and leave out at others, and in more than the
// status, which they always write.
func compare(path string, want, got any) []string {
	if empty(want) && empty(got) {
		return nil
	}
	switch want := want.(type) {
	case map[string]any:
		if got, ok := got.(map[string]any); ok {
			return compareMaps(path, want, got)
		}
	case []any:
		if got, ok := got.([]any); ok && len(got) == len(want) {
			var problems []string
			for i := range want {
				problems = append(problems, compare(fmt.Sprintf("%s[%d]", path, i), want[i], got[i])...)
			}
			return problems
		}
	}
	if reflect.DeepEqual(want, got) {
		return nil
	}
	return []string{fmt.Sprintf("%s: Argo's types make it %v, want %v", path, got, want)}
}

func compareMaps(path string, want, got map[string]any) []string {
	all := maps.Clone(want)
	maps.Copy(all, got)
	var problems []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		at := path + "." + key
		if _, wanted := want[key]; at == ".status" && !wanted {
			continue
		}
		problems = append(problems, compare(at, want[key], got[key])...)
	}
	return problems
}

// empty reports whether a value says nothing: zero, or made of nothing else.
func empty(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value {
			if !empty(inner) {
				return false
			}
		}
		return true
	case []any:
		return len(value) == 0
	}
	return value == nil || reflect.ValueOf(value).IsZero()
}
