package finding

import "testing"

// TestSeverities: the names are in the order of the severities, the worst first.
func TestSeverities(t *testing.T) {
	all := []Severity{Error, Warning, Info}
	for i, a := range all {
		if Severities()[i] != string(a) {
			t.Errorf("severity %d is %s, want %s", i, Severities()[i], a)
		}
		for j, b := range all {
			if got, want := a.AtLeast(b), i <= j; got != want {
				t.Errorf("%s.AtLeast(%s) = %v", a, b, got)
			}
			if got := a.Compare(b); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%s.Compare(%s) = %d", a, b, got)
			}
		}
	}
}
