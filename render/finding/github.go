package finding

import (
	"fmt"
	"strings"
)

// Locate gives the path of a file from the top of its repository, with slashes;
// it is empty for what is no file.
type Locate func(file string) string

// GitHub formats a report as commands of a GitHub workflow, one a line, which
// put annotations beside the lines of the environment file
// (https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands).
func GitHub(r Report, locate Locate) string {
	var b strings.Builder
	for _, alike := range groupAlike(r.Findings) {
		f := alike[0]
		var properties []string
		if file := locate(f.File); file != "" {
			properties = append(properties, "file="+escapeProperty(file))
			if f.Line > 0 {
				properties = append(properties, fmt.Sprintf("line=%d,col=%d", f.Line, f.Column))
			}
		}
		properties = append(properties, "title="+escapeProperty(f.ID+" ("+nameOwner(f)+")"))
		command := map[Severity]string{Error: "error", Warning: "warning", Info: "notice"}[f.Severity]
		text := strings.TrimSpace(describe(f)) + prepend("\n", titleFix(f)) + prepend("\nAlso: ", listOthers(alike))
		fmt.Fprintf(&b, "::%s %s::%s\n", command, strings.Join(properties, ","), escapeData(text))
	}
	return b.String()
}

// escapeData and escapeProperty escape as the runner reads it
// (https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts).
func escapeData(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

func escapeProperty(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(text)
}
