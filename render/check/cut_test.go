package check_test

import "testing"

// TestCut: of many findings of a check those that are worse are given all the
// same, what is accepted takes no place, and the others are counted.
func TestCut(t *testing.T) {
	infos := "{{ range until 300 }}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"a{{ . }}\"}\ndata: {a: \"quay.io/a/b{{ . }}:1.0.0\"}\n{{ end }}---\n"
	worse := setting{template: infos + replaced(setting{template: sane}, "registry.company.com/app:", "quay.io/z/z:").template, once: true}.on("", "registry: {mirror: registry.company.com/prefect}")
	count := func(s setting) map[string]int {
		n := map[string]int{}
		for _, f := range ofID(find(t, s), "foreign-image") {
			key := string(f.Severity)
			if f.Ignored != "" {
				key += " accepted"
			}
			if f.Object == nil {
				key = f.Message
			}
			n[key]++
		}
		return n
	}
	if got := count(worse); got["info"] != 200 || got["error"] != 1 || got["and 100 more like these"] != 1 {
		t.Errorf("found %v", got)
	}
	if got := count(worse.on("", "checks: {ignore: [{check: foreign-image, object: ConfigMap/a1*, reason: r}]}")); got["info"] != 189 || got["info accepted"] != 111 || got["error"] != 1 {
		t.Errorf("found %v", got)
	}
}
