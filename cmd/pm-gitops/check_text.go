package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/check"
)

// printCheck prints a report in the format asked for.
func (a app) printCheck(o checkOptions, report checkReport, environments int) error {
	switch o.output {
	case "json":
		return a.printJSON(report)
	case "sarif":
		return a.printJSON(newSARIF(report))
	case "github":
		return a.printWhole(githubCommands(report))
	case "markdown":
		return a.printWhole(checkMarkdown(report))
	}
	return a.printWhole(checkText(report, a.colour(), environments))
}

func (a app) printWhole(text string) error {
	out := bufio.NewWriter(a.out)
	_, _ = out.WriteString(text)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print the findings: %w", err)
	}
	return nil
}

// checkText is a report for a person, by release.
func checkText(report checkReport, paint painter, environments int) string {
	var b strings.Builder
	group := ""
	for _, f := range report.Findings {
		if head := f.Environment + " " + f.Release; head != group {
			if group != "" {
				b.WriteString("\n")
			}
			group = head
			fmt.Fprintf(&b, "%s\n", paint.bold(strings.TrimSpace(head)))
		}
		fmt.Fprintf(&b, "  %s %s%s\n", paint.severity(f.Severity), f.ID, atObject(f))
		fmt.Fprintf(&b, "    %s\n", f.Message)
		if place := atSetting(f); place != "" {
			fmt.Fprintf(&b, "    at  %s\n", place)
		}
		if f.Fix != "" {
			fmt.Fprintf(&b, "    fix %s\n", f.Fix)
		}
	}
	if len(report.Findings) > 0 {
		b.WriteString("\n")
	}
	for _, f := range report.Ignored {
		fmt.Fprintf(&b, "accepted in %s: %s%s: %s\n", strings.TrimSpace(f.Environment+" "+f.Release), f.ID, atObject(f), render.Visible(f.Ignored))
	}
	fmt.Fprintf(&b, "%s in %s", report.counted(), count(environments, "environment"))
	if n := report.hidden(); n > 0 {
		fmt.Fprintf(&b, "; %d less severe not shown", n)
	}
	if n := len(report.Ignored); n > 0 {
		fmt.Fprintf(&b, "; %d accepted", n)
	}
	b.WriteString("\n")
	return b.String()
}

// atObject is the object of a finding, with a blank before it.
func atObject(f check.Finding) string {
	switch {
	case f.Object == nil && f.Source != "":
		return " " + f.Source
	case f.Object == nil:
		return ""
	case f.Field == "":
		return " " + f.Object.String()
	}
	return fmt.Sprintf(" %s (%s)", f.Object, f.Field)
}

// atSetting is where the environment can change what was found.
func atSetting(f check.Finding) string {
	if f.File == "" {
		return render.Visible(f.Setting)
	}
	return render.Visible(fmt.Sprintf("%s: %s", f.Position(), f.Setting))
}
