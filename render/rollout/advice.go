package rollout

import (
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// has reports whether a text has one of some words in it, in any case.
func has(text string, words ...string) bool {
	text = strings.ToLower(text)
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// registryAdvice is what to do about a chart that cannot be pulled, from what
// registries and Go's own network errors say; empty where nothing is known.
func registryAdvice(planned render.Release, message string) string {
	chart := planned.Chart
	host, _, _ := strings.Cut(chart.Repository, "/")
	switch {
	case has(message, "secrets \"", "secret '", "failed to get secret"):
		return fmt.Sprintf("create the Secret that the message names in namespace %s: pm-gitops secrets list prints it", planned.Namespace)
	case has(message, "x509", "certificate"):
		return fmt.Sprintf("%s shows a certificate that is not trusted: name its CA with registry.caSecret", host)
	case has(message, "401", "403", "unauthorized", "denied", "forbidden") && chart.PullSecret != "":
		return fmt.Sprintf("%s refuses the login: check what Secret %s in namespace %s holds, and its right to read %s", host, chart.PullSecret, planned.Namespace, chart.Repository)
	case has(message, "401", "403", "unauthorized", "denied", "forbidden"):
		return fmt.Sprintf("%s wants a login: create a pull Secret and name it with registry.pullSecret", host)
	case has(message, "404", "not found", "manifest_unknown", "name_unknown", "manifest unknown"):
		return fmt.Sprintf("%s has no %s: put the chart there, or correct the version", chart.Repository, chart.Version)
	case has(message, "no such host", "connection refused", "timeout", "deadline"):
		return fmt.Sprintf("the cluster does not reach %s: look at DNS, proxy and firewall", host)
	}
	return ""
}

// secretAdvice is what to do where a Secret with values is missing.
func (v view) secretAdvice(planned render.Release, p Part) string {
	if p.State == Ready || !has(p.Reason, "could not resolve", "valueserror") || !has(p.Reason, "secret") {
		return ""
	}
	return fmt.Sprintf("create the Secret %s in namespace %s: pm-gitops secrets list -e %s prints it, to fill in", render.ValuesSecret(planned), planned.Namespace, v.plan.Environment)
}
