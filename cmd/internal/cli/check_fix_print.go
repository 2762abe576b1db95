package cli

import (
	"bufio"
	"context"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/console"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render/edit"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// fix applies the fixes of what was found, writes them if that is wanted, and prints
// the report. It gives the report of what counts then.
func (f *fixing) fix(ctx context.Context, report finding.Report, seen looked) (finding.Report, error) {
	if err := f.applyFixes(ctx, seen.found); err != nil {
		return report, err
	}
	var files []edit.File
	for _, file := range f.files {
		files = append(files, file.File)
	}
	if err := folder.CheckReplace(replacements(files)); err != nil {
		return report, err
	}
	shown := diffFiles(files, nil)
	if len(files) > 0 && strings.TrimSpace(shown) == "" {
		f.err.Say("%s", onlySecrets)
	}
	asks := len(files) > 0 && !f.yes && !f.dryRun && console.IsTerminal(f.in) && f.err.IsTerminal()
	write, err := f.yes, error(nil)
	if asks || f.yes || f.output != "text" && f.output != "json" {
		_ = f.err.Text(shown)
	}
	if asks {
		write, err = f.ask(ctx, "Write "+text.Count(len(files), "file")+"? [y/N] ")
	}
	if write && err == nil {
		err = folder.Replace(ctx, replacements(files))
	}
	if err != nil {
		return report, err
	}
	written := write && len(files) > 0
	if written || len(files) == 0 {
		report = finding.NewReport(f.remaining(), finding.Severity(f.severity))
	}
	f.tell(report, written, asks)
	switch {
	case f.output == "json":
		return report, f.printJSON(f.report(report, written, shown))
	case f.output == "text" && !written && !asks && len(files) > 0:
		return report, f.out.Text(diffFiles(files, f.colour().diff()))
	}
	return report, f.printCheck(f.checkOptions, report, seen.checked)
}

// ask asks a question on the terminal, and reports whether the answer is yes.
func (a app) ask(ctx context.Context, question string) (bool, error) {
	_ = a.err.Text(question)
	answered := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.in).ReadString('\n')
		answered <- line
	}()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case line := <-answered:
		if !strings.HasSuffix(line, "\n") {
			a.err.Say("")
		}
		answer := strings.ToLower(strings.TrimSpace(line))
		return answer == "y" || answer == "yes", nil
	}
}

// tell says what became of the fixes.
func (f *fixing) tell(report finding.Report, written, asked bool) {
	for _, file := range f.files {
		what := text.Count(file.fixed, "finding")
		if written {
			f.err.Say("%s: fixed %s", file.Name, what)
		} else {
			f.err.Say("%s: %s can be fixed", file.Name, what)
		}
	}
	for _, one := range f.left {
		f.err.Say("%s: left %s as it is (%s): %s", one.Environment, one.Set[0].Field, one.Check, one.Why)
		if one.Command != "" {
			f.err.Say("to apply it: %s", one.Command)
		}
	}
	guesses := 0
	for _, one := range report.Findings {
		if one.Certainty == finding.Guess {
			guesses++
		}
	}
	if guesses > 0 {
		f.err.Say("note: %s only guesses: a guess is never applied, decide yourself", text.Count(guesses, "finding")+map[bool]string{true: " has", false: " have"}[guesses == 1])
	}
	switch {
	case len(f.files) == 0:
		f.err.Say("no fix to apply: nothing was written")
	case !written && f.dryRun || asked && !written:
		f.err.Say("nothing was written")
	case !written:
		f.err.Say("nothing was written: --yes applies the fixes")
	}
}

// fixReport is a report with what became of the fixes. Its JSON form is an interface:
// fields are only ever added.
type fixReport struct {
	finding.Report
	Fixed   []finding.Finding `json:"fixed"` // if they are written
	Left    []leftFix         `json:"left"`
	Written bool              `json:"written"`
	Diff    string            `json:"diff"`
}

func (f *fixing) report(report finding.Report, written bool, shown string) fixReport {
	return fixReport{report, append([]finding.Finding{}, f.fixed...), append([]leftFix{}, f.left...), written, shown}
}

// setCommand is the command that makes proposals in the file that has the values.
func setCommand(file string, set []finding.Proposal) string {
	command := "pm-gitops set -f " + text.ShellArgument(file)
	for _, p := range set {
		command += " " + text.ShellArgument(p.Assignment())
	}
	return command
}
