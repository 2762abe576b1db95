package adopt

import (
	"fmt"
	"slices"
	"strings"
)

// hints says what belongs into a blank, and where to find it.
var hints = map[string]string{
	"instance.name":           "the instance's name in the product",
	"instance.frontendUrl":    "where the UI is reached, https://…",
	"instance.backendUrl":     "where the API is reached, https://…",
	"instance.ownerEmail":     "the only user who can log in at first",
	"versions.prefectIstiod":  "the chart's version (helm list -A shows it), or say mesh: existing or mesh: none",
	"versions.server":         "the server's image tag, in quotes (kubectl get deployments -A -o wide shows it)",
	"versions.ui":             "the UI's image tag, in quotes (kubectl get deployments -A -o wide shows it)",
	"auth":                    "exactly one of okta, adfs and entra (pm-gitops init -f - shows them)",
	"auth.okta.authServerURL": "the address of the authorization server, https://…",
}

// hint is what to say of a blank.
func (d *draft) hint(blank string) string {
	hint, ok := hints[blank]
	switch {
	case blank == "versions.prefectCloud" && d.guessed:
		hint = fmt.Sprintf("the chart's version (helm list -A shows it); the values look like those of line %s", d.line.Name)
	case blank == "versions.prefectCloud":
		hint = "the chart's version (helm list -A shows it)"
	case isSecretRef(blank):
		hint = "{secret: NAME, key: KEY}, the Secret that the chart reads"
	case !ok:
		hint = "the chart's values do not say it"
	}
	if slices.Contains(d.dropped, blank) && !strings.HasPrefix(blank, "versions.prefect") {
		hint += "; take it out of spec.values too, where it is as it was"
	}
	return "FILL IN " + hint
}
