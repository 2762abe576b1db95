package finding

import "strconv"

// Issue is a finding as GitLab's code quality report has it
// (https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format).
type Issue struct {
	Description string        `json:"description"`
	CheckName   string        `json:"check_name"`
	Fingerprint string        `json:"fingerprint"`
	Severity    string        `json:"severity"`
	Location    issueLocation `json:"location"`
}

type issueLocation struct {
	Path  string     `json:"path"`
	Lines issueLines `json:"lines"`
}

type issueLines struct {
	Begin int `json:"begin"`
}

// CodeQuality formats a report for GitLab's merge requests, for encoding/json to
// write: a list, empty where nothing was found. Findings that are accepted are left
// out, since the format cannot say so. Every issue has its own fingerprint, else GitLab
// shows one of those that share it.
func CodeQuality(r Report, locate Locate) []Issue {
	issues, alike := []Issue{}, map[string]int{}
	for _, f := range r.Findings {
		issue := Issue{
			Description: describe(f) + prepend(". ", titleFix(f)), CheckName: f.ID, Fingerprint: fingerprint(f),
			Severity: map[Severity]string{Error: "critical", Warning: "minor", Info: "info"}[f.Severity],
			Location: issueLocation{orStandardInput(locate(f.File)), issueLines{max(f.Line, 1)}},
		}
		if n := alike[issue.Fingerprint]; n > 0 {
			issue.Fingerprint += "-" + strconv.Itoa(n)
		}
		alike[fingerprint(f)]++
		issues = append(issues, issue)
	}
	return issues
}

// orStandardInput gives a path to formats whose readers refuse what has none.
func orStandardInput(path string) string {
	if path == "" {
		return "stdin"
	}
	return path
}
