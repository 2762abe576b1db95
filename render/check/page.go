package check

import (
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// Page is what there is to know about a check, as Markdown: what it is, why it
// hurts, how to end it and how to accept it. Example is the message of a
// finding, empty for none.
func (c Check) Page(example string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s.\n\n", c.ID, c.Title)
	fmt.Fprintf(&b, "**Severity:** %s\n\n**Why:** %s\n\n", c.Severity, c.Why)
	if example != "" {
		fmt.Fprintf(&b, "**A finding:** `%s`\n\n", strings.ReplaceAll(example, "`", "'"))
	}
	fmt.Fprintf(&b, "**How to fix:** %s\n\n", c.Fix)
	switch c.ID {
	case unusedID:
	case render.PlaintextCheck:
		fmt.Fprintf(&b, "**How to accept:** in the environment file, under `spec.checks.ignore`, with the field that the finding names and a reason; every command accepts the value then:\n\n")
		fmt.Fprintf(&b, "```yaml\n- {check: %s, path: spec.values.prefect-cloud.gateway.peerSecret, reason: the name of a Secret}\n```\n\n", c.ID)
	default:
		fmt.Fprintf(&b, "**How to accept:** in the environment file, under `spec.checks.ignore`, with a reason, and if you like with `release` and `object` (`Kind/name`, with `*` for any characters):\n\n")
		fmt.Fprintf(&b, "```yaml\n- {check: %s, reason: why this is fine here}\n```\n\n", c.ID)
	}
	fmt.Fprintf(&b, "**Source:** <%s>\n", c.Source)
	return b.String()
}
