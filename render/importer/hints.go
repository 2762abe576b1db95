package importer

import "github.com/pm-gitops/pm-gitops/render/text"

// hints says what belongs into a blank, and where to find it.
var hints = map[string]string{
	"instance.name":             "the instance's name in the product",
	"instance.frontendUrl":      "where the UI is reached, https://…",
	"instance.backendUrl":       "where the API is reached, https://…",
	"instance.ownerEmail":       "the only user who can log in at first",
	"versions.prefectIstiod":    "the chart's version (helm list -A shows it), or say mesh: existing or mesh: none",
	"versions.prefectCloud":     "the chart's version (helm list -A shows it)",
	"versions.server":           "the server's image tag, in quotes (kubectl get deployments -A -o wide shows it)",
	"versions.ui":               "the UI's image tag, in quotes (kubectl get deployments -A -o wide shows it)",
	"auth":                      "exactly one of okta, adfs and entra (pm-gitops init -f - shows them)",
	"auth.okta.authServerURL":   "the address of the authorization server, https://…",
	"auth.adfs.clientAuthority": "the address of the authority, https://…",
	"auth.entra.tenantID":       "the tenant's ID",
}

// hint is what to say of a blank.
func (d *draft) hint(blank string) string {
	hint := hints[blank]
	switch {
	case isSecretRef(blank):
		hint = "{secret: NAME, key: KEY}, the Secret that the chart reads"
	case hint == "":
		hint = "what the values do not say"
	}
	if blank == "versions.prefectCloud" && len(d.guesses) > 0 {
		hint += "; the values fit line " + text.OneOf(d.guesses)
	}
	if d.left[blank] {
		hint += "; until you take it out, what was there stays under spec.values"
	}
	return "FILL IN " + hint
}
