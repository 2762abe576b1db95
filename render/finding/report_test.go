package finding

import (
	"encoding/json"
	"testing"
)

// TestReport: what is less severe is counted and not shown, what is accepted is
// listed and not counted, and the worst come first in what is counted.
func TestReport(t *testing.T) {
	var found []Finding
	for severity, n := range map[Severity]int{Info: 1, Warning: 2, Error: 3} {
		for range n {
			found = append(found, Finding{Severity: severity}, Finding{Severity: severity, Ignored: "why"})
		}
	}
	for least, want := range map[Severity]struct {
		shown  string
		hidden int
	}{
		Info: {"3 errors, 2 warnings, 1 info", 0}, Warning: {"3 errors, 2 warnings", 1}, Error: {"3 errors", 3},
	} {
		r := NewReport(found, least)
		if got := r.CountShown(); got != want.shown || r.countHidden() != want.hidden || len(r.Ignored) != 6 {
			t.Errorf("least %s: %s shown, %d hidden, %d accepted", least, got, r.countHidden(), len(r.Ignored))
		}
		if r.Summary[Error] != 3 || r.Summary[Warning] != 2 || r.Summary[Info] != 1 {
			t.Errorf("least %s: the summary is %v", least, r.Summary)
		}
	}
}

// TestReportJSON: programs find lists and numbers even where nothing is found.
func TestReportJSON(t *testing.T) {
	data, err := json.Marshal(NewReport(nil, Info))
	if want := `{"findings":[],"ignored":[],"summary":{"error":0,"info":0,"warning":0}}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v", data, err)
	}
}
