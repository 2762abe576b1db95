package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render/check"
)

// githubCommands is a report as commands of a GitHub workflow, which puts them
// beside the lines of the environment file
// (https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands).
func githubCommands(report checkReport) string {
	var b strings.Builder
	for _, alike := range together(report.Findings) {
		f := alike[0]
		var properties []string
		if file := inRepository(f.File); file != "" {
			properties = append(properties, "file="+githubProperty(file))
			if f.Line > 0 {
				properties = append(properties, fmt.Sprintf("line=%d,col=%d", f.Line, f.Column))
			}
		}
		properties = append(properties, "title="+githubProperty(f.ID+" ("+strings.TrimSpace(f.Environment+" "+f.Release)+")"))
		command := map[check.Severity]string{check.Error: "error", check.Warning: "warning", check.Info: "notice"}[f.Severity]
		text := strings.TrimSpace(strings.TrimSpace(atObject(f)) + ": " + f.Message)
		if f.Fix != "" {
			text += "\nFix: " + f.Fix
		}
		if more := others(alike); more != "" {
			text += "\nAlso: " + more
		}
		fmt.Fprintf(&b, "::%s %s::%s\n", command, strings.Join(properties, ","), githubData(strings.TrimPrefix(text, ": ")))
	}
	return b.String()
}

// githubData and githubProperty escape as the runner reads it
// (https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts).
func githubData(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

func githubProperty(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(text)
}

// inRepository is a file as its repository has it, with slashes; empty for
// what is no file of one.
func inRepository(file string) string {
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
