package check_test

import "testing"

func TestFirst(t *testing.T) {
	t.Log("flux\n" + told(find(t, setting{template: sane})))
	t.Log("argo\n" + told(find(t, setting{target: "argo", template: sane})))
}
