package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/upgrade"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// upgradeReport is the result of upgrade as JSON, an interface: fields are only ever added.
type upgradeReport struct {
	Environments []upgradeResult `json:"environments"`
	Errors       []string        `json:"errors"` // of files that could not be read, and of the run
}

// upgradeResult is the result of an environment, with the differences of a dry run.
type upgradeResult struct {
	upgrade.Result
	Diff string `json:"diff,omitempty"`
}

// tellUpgrades prints what became of environments, and gives the errors of those that
// failed.
func (a app) tellUpgrades(o upgradeOptions, results []upgrade.Result, unread error) error {
	report := upgradeReport{[]upgradeResult{}, []string{}}
	if unread != nil {
		report.Errors = strings.Split(unread.Error(), "\n")
	}
	var failed []error
	for _, result := range results {
		one := upgradeResult{Result: result}
		if result.Pull != nil && o.dryRun {
			one.Diff = diffFiles(result.Pull.Edited, nil)
		}
		report.Environments = append(report.Environments, one)
		if err := result.Err(); err != nil {
			if others, _ := splitFindings(err); len(results) > 1 && others == nil {
				err = fmt.Errorf("%s: %w", result.Environment, err)
			}
			failed = append(failed, err)
		}
	}
	if o.output == "json" {
		if err := a.printJSON(report); err != nil {
			return err
		}
	} else {
		proposed := false
		for _, result := range results {
			a.tellUpgrade(o, result)
			proposed = proposed || result.State == upgrade.Proposed
		}
		if o.dryRun && proposed {
			a.err.Say("This was a dry run: nothing was pushed.")
		}
	}
	err := hintBase(errors.Join(append(failed, unread)...))
	if err != nil && len(failed) < len(results) {
		return partialError{error: err, done: "upgraded"}
	}
	return err
}

// tellUpgrade prints what became of an environment.
func (a app) tellUpgrade(o upgradeOptions, result upgrade.Result) {
	for _, note := range result.Notes {
		if note.Severity != finding.Error { // those are errors
			a.err.Say("note: %s: %s", result.Environment, note)
		}
	}
	var versions []string
	for _, v := range result.Versions {
		versions = append(versions, fmt.Sprintf("%s %s -> %s", v.Part.Title(), v.From, v.To))
	}
	what := strings.Join(versions, ", ")
	switch result.State {
	case upgrade.UpToDate:
		if result.Why == "" {
			a.err.Say("%s: up to date", result.Environment)
		}
	case upgrade.Waiting:
		a.out.Say("%s: waits with %s", result.Environment, what)
		for _, reason := range result.Waits {
			a.out.Say("  %s", reason.Message)
		}
	case upgrade.Proposed:
		a.tellProposed(o, result, what)
	case upgrade.Together:
		a.out.Say("%s: %s", result.Environment, result.Why)
		return
	case upgrade.Failed, upgrade.Refused:
	default:
		line := fmt.Sprintf("%s: %s", result.Environment, result.State)
		if result.Pull != nil && result.Pull.URL != "" {
			line += " " + result.Pull.URL
		}
		if what != "" {
			line += ": " + what
		}
		a.out.Say("%s", line)
	}
	if result.Why != "" {
		a.err.Say("%s: %s", result.Environment, result.Why)
	}
	if result.Pull == nil {
		return
	}
	for _, why := range result.Pull.Blocked {
		a.err.Say("%s: blocked: %s", result.Environment, why)
	}
	for _, note := range result.Pull.Notes {
		a.err.Say("note: %s: %s", result.Environment, note)
	}
}

// tellProposed prints the pull request of a dry run, or what would be pushed.
func (a app) tellProposed(o upgradeOptions, result upgrade.Result, what string) {
	pull := result.Pull
	if !o.dryRun {
		a.out.Say("%s: would push %s to %s: %s", result.Environment, text.Count(len(pull.Files), "file"), pull.Branch, what)
		return
	}
	a.out.Say("title:  %s", pull.Title)
	a.out.Say("branch: %s", pull.Branch)
	if pull.Base != "" {
		a.out.Say("base:   %s", pull.Base)
	}
	a.out.Say("labels: %s", strings.Join(pull.Labels, ", "))
	a.out.Say("draft:  %t", pull.Draft)
	_ = a.out.Text("\n" + pull.Body + "\n")
	_ = a.out.Text(diffFiles(pull.Edited, a.colour().diff()))
}
