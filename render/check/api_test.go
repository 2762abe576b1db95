package check

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// TestLifecycles compares our table with what Kubernetes' own types say, both
// ways: an entry that they know says the same, and whatever was served and is
// not any more is in the table, but for what no chart makes.
func TestLifecycles(t *testing.T) {
	compared := 0
	for kind, object := range scheme.Scheme.AllKnownTypes() {
		ended, ok := reflect.New(object).Interface().(interface{ APILifecycleRemoved() (int, int) })
		if !ok || strings.HasSuffix(kind.Kind, "List") || strings.Contains(kind.Version, "alpha") {
			continue
		}
		_, removed := ended.APILifecycleRemoved()
		name := kind.GroupVersion().String() + " " + kind.Kind
		own, known := lifecycles[name]
		switch {
		case !known && removed <= 34 && !notInCharts(kind):
			t.Errorf("%s is not served from 1.%d on, and not in the table", name, removed)
		case known && own.removed != removed:
			t.Errorf("%s is not served from 1.%d on, the table has 1.%d", name, removed, own.removed)
		case known:
			compared++
			t.Run(name, func(t *testing.T) { compareLifecycle(t, reflect.New(object).Interface(), own) })
		}
	}
	if compared < 25 {
		t.Errorf("compared %d entries, want at least 25", compared)
	}
}

// compareLifecycle compares what is said of deprecation and successor, where
// the types say something.
func compareLifecycle(t *testing.T, object any, own lifecycle) {
	if deprecated, ok := object.(interface{ APILifecycleDeprecated() (int, int) }); ok {
		if _, minor := deprecated.APILifecycleDeprecated(); minor != own.deprecated {
			t.Errorf("deprecated from 1.%d on, the table has 1.%d", minor, own.deprecated)
		}
	}
	if replaced, ok := object.(interface {
		APILifecycleReplacement() schema.GroupVersionKind
	}); ok {
		// Where a beta version came next and is gone too, the table has the last.
		next := replaced.APILifecycleReplacement().GroupVersion()
		if instead := next.String(); instead != own.instead && (!strings.Contains(next.Version, "beta") || own.instead != next.Group+"/v1") {
			t.Errorf("instead is %s, the table has %s", instead, own.instead)
		}
	}
}

// notInCharts is what only programs ask for, and never is stored.
func notInCharts(kind schema.GroupVersionKind) bool {
	asked := []string{"TokenReview", "SubjectAccessReview", "LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview", "Scale", "Eviction", "SelfSubjectReview", "DeploymentRollback", "ConversionReview", "AdmissionReview"}
	return strings.Contains(fmt.Sprint(asked), kind.Kind)
}
