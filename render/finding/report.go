package finding

import (
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Report is findings for people and programs, as [NewReport] makes it. It is
// what encoding/json writes; its JSON form is an interface: fields are only
// ever added.
type Report struct {
	Findings []Finding        `json:"findings"`
	Ignored  []Finding        `json:"ignored"`
	Summary  map[Severity]int `json:"summary"`
}

// NewReport takes findings apart: those that count, and those that the
// environments accept. Findings less severe than least are left out, but
// counted.
func NewReport(found []Finding, least Severity) Report {
	report := Report{[]Finding{}, []Finding{}, map[Severity]int{Error: 0, Warning: 0, Info: 0}}
	for _, f := range found {
		switch {
		case f.Ignored != "":
			report.Ignored = append(report.Ignored, f)
			continue
		case f.Severity.AtLeast(least):
			report.Findings = append(report.Findings, f)
		}
		report.Summary[f.Severity]++
	}
	return report
}

// CountShown counts the findings that are shown: 2 errors, 1 warning.
func (r Report) CountShown() string {
	shown := map[Severity]int{}
	for _, f := range r.Findings {
		shown[f.Severity]++
	}
	var parts []string
	for _, severity := range Severities() {
		if n := shown[Severity(severity)]; n > 0 {
			parts = append(parts, text.Count(n, severity))
		}
	}
	if parts == nil {
		return "nothing found"
	}
	return strings.Join(parts, ", ")
}

// countHidden counts the findings that are not shown.
func (r Report) countHidden() int {
	total := 0
	for _, n := range r.Summary {
		total += n
	}
	return total - len(r.Findings)
}
