package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// printCheck prints a report in the format asked for.
func (a app) printCheck(o checkOptions, report finding.Report, environments int) error {
	switch o.output {
	case "json":
		return a.printJSON(report)
	case "sarif":
		return a.printJSON(finding.SARIF(report, a.describeChecks(), findInRepository))
	case "gitlab":
		return a.printJSON(finding.CodeQuality(report, findInRepository))
	case "github":
		return a.out.Raw([]byte(finding.GitHub(report, findInRepository)))
	case "markdown":
		return a.out.Raw([]byte(finding.Markdown(report, "pm-gitops check")))
	}
	return a.out.Text(finding.Text(report, environments, a.colour().findings()))
}

// findings paints findings.
func (p painter) findings() finding.Paint {
	codes := map[finding.Style]string{finding.Title: "1", finding.Style(finding.Error): "31", finding.Style(finding.Warning): "33", finding.Style(finding.Info): "36"}
	if p == nil {
		return nil
	}
	return func(style finding.Style, text string) string { return p(codes[style], text) }
}

// describeChecks describes this program to code scanning. All checks are rules.
func (a app) describeChecks() finding.Tool {
	tool := finding.Tool{Name: "pm-gitops", Version: a.programVersion, URL: "https://github.com/pm-gitops/pm-gitops"}
	for _, c := range check.All() {
		tool.Rules = append(tool.Rules, finding.Rule{ID: c.ID, Severity: c.Severity, Title: c.Title, Why: c.Why, Fix: c.Fix, Page: c.Page(""), Source: c.Source})
	}
	return tool
}

// findInRepository gives a file as its repository has it, with slashes; empty for
// what is no file of one.
func findInRepository(file string) string {
	if file == "" || strings.HasPrefix(file, "<") {
		return ""
	}
	top, err := fleet.RepositoryOf(file)
	if err != nil {
		return filepath.ToSlash(file)
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return filepath.ToSlash(file)
	}
	if real, err := filepath.EvalSymlinks(top); err == nil && !within(top, path) {
		top = real
	}
	inside, err := filepath.Rel(top, path)
	if err != nil || !filepath.IsLocal(inside) {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(inside)
}

func within(top, path string) bool {
	return strings.HasPrefix(path, top+string(os.PathSeparator))
}
