package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/text"
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
	for _, alike := range together(report.Findings) {
		f := alike[0]
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
		if more := others(alike); more != "" {
			fmt.Fprintf(&b, "    also %s\n", more)
		}
	}
	if len(report.Findings) > 0 {
		b.WriteString("\n")
	}
	for _, alike := range together(report.Ignored) {
		f := alike[0]
		fmt.Fprintf(&b, "accepted in %s: %s%s: %s\n", strings.TrimSpace(f.Environment+" "+f.Release), f.ID, atObject(f), text.Visible(f.Ignored))
		if more := others(alike); more != "" {
			fmt.Fprintf(&b, "    also %s\n", more)
		}
	}
	fmt.Fprintf(&b, "%s in %s", report.counted(), text.Count(environments, "environment"))
	if n := report.hidden(); n > 0 {
		fmt.Fprintf(&b, "; %d less severe not shown", n)
	}
	if n := len(report.Ignored); n > 0 {
		fmt.Fprintf(&b, "; %d accepted", n)
	}
	b.WriteString("\n")
	return b.String()
}

// together puts findings into groups that differ in their objects alone: what
// one value ends is read once. Groups are in the order of their first ones.
func together(findings []check.Finding) [][]check.Finding {
	type same struct {
		severity                                                       check.Severity
		id, environment, release, message, setting, file, fix, ignored string
	}
	var groups [][]check.Finding
	places := map[same]int{}
	for _, f := range findings {
		key := same{f.Severity, f.ID, f.Environment, f.Release, f.Message, f.Setting, f.File, f.Fix, f.Ignored}
		i, known := places[key]
		if !known {
			i = len(groups)
			places[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}

// mostOthers is how many objects are listed behind the first: nobody reads more.
const mostOthers = 20

// others lists the objects of a group behind the first.
func others(alike []check.Finding) string {
	var names []string
	for _, f := range alike[1:] {
		if f.Object != nil {
			names = append(names, f.Object.String())
		} else {
			names = append(names, f.Source)
		}
	}
	names = unique(names)
	if len(names) > mostOthers {
		names = append(names[:mostOthers], fmt.Sprintf("and %d more", len(names)-mostOthers))
	}
	return strings.Join(names, ", ")
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
		return text.Visible(f.Setting)
	}
	return text.Visible(fmt.Sprintf("%s: %s", f.Position(), f.Setting))
}
