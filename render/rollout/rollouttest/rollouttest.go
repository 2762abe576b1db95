// Package rollouttest is for tests: clusters that are written down as YAML.
package rollouttest

import (
	"bytes"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Objects is the objects of YAML streams. A document is laid over the object
// of its kind and name that was there before, over all of its kind where its
// name is *, and is an object of its own where there is none. In it null takes
// a field away, and gone: true the object.
func Objects(streams ...[]byte) ([]unstructured.Unstructured, error) {
	var all []unstructured.Unstructured
	for _, document := range bytes.Split(bytes.Join(streams, []byte("\n---\n")), []byte("\n---\n")) {
		data, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, document)
		}
		if string(data) == "null" {
			continue
		}
		var patch unstructured.Unstructured
		if err := patch.UnmarshalJSON(data); err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, document)
		}
		all = patched(all, patch)
	}
	return all, nil
}

func patched(all []unstructured.Unstructured, patch unstructured.Unstructured) []unstructured.Unstructured {
	var kept []unstructured.Unstructured
	everyone, gone := patch.GetName() == "*", patch.Object["gone"] == true
	found := everyone || gone
	for _, object := range all {
		if object.GetKind() == patch.GetKind() && (everyone || patch.GetName() == object.GetName()) {
			found = true
			if gone {
				continue
			}
			merge(object.Object, patch.Object)
		}
		kept = append(kept, object)
	}
	if !found {
		kept = append(kept, patch)
	}
	return kept
}

// merge lays a map over another as a JSON merge patch does, but for names that are *.
func merge(into, patch map[string]any) {
	for key, value := range patch {
		next, isMap := value.(map[string]any)
		old, wasMap := into[key].(map[string]any)
		switch {
		case value == "*":
		case value == nil:
			delete(into, key)
		case isMap && wasMap:
			merge(old, next)
		case isMap:
			fresh := map[string]any{}
			merge(fresh, next)
			into[key] = fresh
		default:
			into[key] = value
		}
	}
}

// Compared gives each Application that does not say what it was compared with
// its own source for that, as Argo CD does once it has looked.
func Compared(objects []unstructured.Unstructured) {
	for _, object := range objects {
		source, ok, _ := unstructured.NestedMap(object.Object, "spec", "source")
		_, said, _ := unstructured.NestedMap(object.Object, "status", "sync", "comparedTo")
		if object.GetKind() != "Application" || !ok || said {
			continue
		}
		if _, looked, _ := unstructured.NestedMap(object.Object, "status", "sync"); looked {
			_ = unstructured.SetNestedMap(object.Object, source, "status", "sync", "comparedTo", "source")
		}
	}
}
