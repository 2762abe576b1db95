package rollout

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// has reports whether a text has one of some words in it, in any case.
func has(text string, words ...string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}

// hasCode reports whether a text has one of some status codes in it, which are
// also parts of digests.
func hasCode(text string, codes ...string) bool {
	tokens := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.ContainsFunc(codes, func(code string) bool { return slices.Contains(tokens, code) })
}

// forMore is before what to do where no message says what is wrong.
const forMore = "for more: "

// advise says what to do where the Jobs and workloads of a release know better
// than the delivery system, which only waits for them.
func (r *Release) advise() {
	if r.State == Ready || r.Next != "" && !strings.HasPrefix(r.Next, forMore) {
		return
	}
	for _, job := range r.Jobs {
		if job.Phase == Broken || job.Phase != Succeeded && job.Failures > 0 {
			r.Next = fmt.Sprintf("see why Job %s fails: kubectl -n %s describe job %s", job.Name, text.Argument(job.Namespace), text.Argument(job.Name))
			if job.Pod != "" {
				r.Next = fmt.Sprintf("see why Job %s fails: kubectl -n %s logs %s -c %s", job.Name, text.Argument(job.Namespace), text.Argument(job.Pod), text.Argument(job.Container))
			}
			return
		}
	}
	for _, workload := range r.NotReady {
		if workload.Pod != "" {
			r.Next = fmt.Sprintf("see why pod %s does not run: kubectl -n %s describe pod %s", workload.Pod, text.Argument(r.Namespace), text.Argument(workload.Pod))
			return
		}
	}
}

// registryAdvice is what to do about a chart that cannot be pulled, from what
// registries and Go's own network errors say; empty where nothing is known.
func registryAdvice(planned render.Release, message string) string {
	chart := planned.Chart
	host, _, _ := strings.Cut(chart.Repository, "/")
	refused := hasCode(message, "401", "403") || has(message, "unauthorized", "denied", "forbidden")
	switch {
	case has(message, "secrets \"", "secret '", "failed to get secret"):
		return fmt.Sprintf("create the Secret that the message names in namespace %s: pm-gitops secrets list prints it", planned.Namespace)
	case has(message, "x509", "certificate") && chart.CASecret != "":
		return fmt.Sprintf("%s shows a certificate that is not trusted: check that ca.crt in Secret %s in namespace %s is of the authority that issued it", host, chart.CASecret, planned.Namespace)
	case has(message, "x509", "certificate"):
		return fmt.Sprintf("%s shows a certificate that is not trusted: name its CA with registry.caSecret", host)
	case refused && chart.PullSecret != "":
		return fmt.Sprintf("%s refuses the login: check what Secret %s in namespace %s holds, and its right to read %s", host, chart.PullSecret, planned.Namespace, chart.Repository)
	case refused:
		return fmt.Sprintf("%s wants a login: create a pull Secret and name it with registry.pullSecret", host)
	case hasCode(message, "404") || has(message, "not found", "manifest_unknown", "name_unknown", "manifest unknown"):
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
