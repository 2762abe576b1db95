package rollout

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// id names an object. Kinds that are looked at differ without their group.
type id struct{ kind, namespace, name string }

type objects map[id]unstructured.Unstructured

func (o objects) add(object unstructured.Unstructured) {
	o[id{object.GetKind(), object.GetNamespace(), object.GetName()}] = object
}

// documents is the documents of a YAML stream as we write it.
func documents(stream []byte) [][]byte {
	return bytes.Split(bytes.TrimPrefix(stream, []byte("---\n")), []byte("\n---\n"))
}

// decode reads what matters of an object. What has another type than it
// should is left out: an object of a newer release must not hide all others.
func decode[T any](object unstructured.Unstructured) T {
	var into T
	if data, err := object.MarshalJSON(); err == nil {
		_ = json.Unmarshal(data, &into)
	}
	return into
}

// get reads the object of a kind, and reports whether it is there.
func get[T any](o objects, kind, namespace, name string) (T, bool) {
	object, ok := o[id{kind, namespace, name}]
	if !ok {
		var none T
		return none, false
	}
	return decode[T](object), true
}

type metadata struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
	Generation        int64             `json:"generation"`
	CreationTimestamp time.Time         `json:"creationTimestamp"`
	OwnerReferences   []reference       `json:"ownerReferences"`
}

type reference struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// condition is a condition of Kubernetes or Flux
// (https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#Condition).
type condition struct {
	Type               string    `json:"type"`
	Status             string    `json:"status"`
	Reason             string    `json:"reason"`
	Message            string    `json:"message"`
	ObservedGeneration int64     `json:"observedGeneration"`
	LastTransitionTime time.Time `json:"lastTransitionTime"`
}

type conditions []condition

// of is the condition of a type, empty if there is none.
func (c conditions) of(kind string) condition {
	for _, one := range c {
		if one.Type == kind {
			return one
		}
	}
	return condition{}
}

// maxText is the most characters of a text from the cluster: enough for a
// reason, and less than a stack trace.
const maxText = 400

// say puts a text from the cluster on one line that cannot steer a terminal. Of
// a long one it leaves the middle out: errors begin with what was tried, and end
// with the cause.
func say(foreign string) string {
	line := text.Visible(strings.Join(strings.Fields(foreign), " "))
	if runes := []rune(line); len(runes) > maxText {
		return string(runes[:maxText/2]) + "…" + string(runes[len(runes)-maxText/2+1:])
	}
	return line
}

// moment is a time for a report, nil if it is not known.
func moment(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// differs is the first of some fields in which an object is not as wanted,
// empty if there is none. What it has besides does not count: API servers and
// people add to it.
func (v view) differs(kind, namespace, name string, fields ...string) string {
	want, have := v.wanted[id{kind, namespace, name}], v.live[id{kind, namespace, name}]
	for _, field := range fields {
		path := strings.Split(field, ".")
		wanted, ok, _ := unstructured.NestedFieldNoCopy(want.Object, path...)
		if !ok {
			continue
		}
		live, _, _ := unstructured.NestedFieldNoCopy(have.Object, path...)
		if where, same := contains(live, wanted, field); !same {
			return where
		}
	}
	return ""
}
