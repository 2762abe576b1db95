package check

import (
	"fmt"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/trace"
)

func secretChecks() []Check {
	return []Check{{
		ID: render.PlaintextCheck, Severity: finding.Error,
		Title:  "A value looks like a secret",
		Why:    "What is written in an environment file is in Git for all to read, and stays in its history. Every command refuses what certainly is a secret, so check finds only what is accepted, and warns of what may be one.",
		Fix:    "Name the value under spec.secretValues and revoke what was in Git. If it is no secret, accept its path.",
		Source: "https://github.com/pm-gitops/pm-gitops/blob/main/docs/secrets.md",
		all:    plaintextSecret,
	}, {
		ID: "secret-outside-secret", Severity: finding.Error,
		Title:  "A secret value is to be read outside of a Secret",
		Why:    "The chart writes the value into an environment variable, a ConfigMap, an annotation or an argument. Whoever may read pods reads it, it is in events and in the logs of what shows them, and nothing encrypts it at rest.",
		Fix:    "Set the chart value that makes it take a Secret that exists instead, or ask whoever makes the chart.",
		Source: "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
		each:   secretOutside,
	}, {
		ID: "secret-unused", Severity: finding.Warning,
		Title:  "The chart does not use a secret value",
		Why:    "A value that lands nowhere was set in vain: the chart reads the secret elsewhere, or under another name, and runs without it.",
		Fix:    "Correct the path under spec.secretValues, or where a field of the environment names the Secret, the layout in the catalog.",
		Source: "https://github.com/pm-gitops/pm-gitops#the-environment-file",
		each:   secretUnused,
	}, {
		ID: "secret-in-checksum", Severity: finding.Info,
		Title:  "A checksum is made of a secret value",
		Why:    "It lets pods restart when the secret changes. Who may read it can try out passwords against it, so a short one is not safe.",
		Fix:    "Use long random passwords; nothing else is needed.",
		Source: "https://helm.sh/docs/howto/charts_tips_and_tricks/#automatically-roll-deployments",
		each:   secretInChecksum,
	}}
}

func plaintextSecret(s *scope) {
	for _, found := range s.Environment.Plaintext() {
		f := finding.FromProblem(finding.Error, found.Problem)
		if !found.Certain {
			f.Severity = finding.Warning
		}
		s.add(f) // the message says what to do
	}
}

// landings tells of the landings of a release's secrets that match.
func (s *scope) landings(r *release, match func(trace.Landing) bool, format string) {
	for _, input := range r.Trace.Inputs {
		for _, landing := range input.Landings {
			if !match(landing) {
				continue
			}
			f := r.finding(format, input.Path, place(landing))
			f.Object = identify(landing.Object.APIVersion, landing.Object.Kind, landing.Object.Namespace, landing.Object.Name)
			f.Source, f.Field = landing.Object.Source, landing.Path
			s.putPath(&f, r, input.Path)
			s.add(f)
		}
	}
}

// place is where a secret landed, and what became of it: configmap (json).
func place(l trace.Landing) string {
	if l.Encoding == "" {
		return string(l.How)
	}
	return fmt.Sprintf("%s (%s)", l.How, l.Encoding)
}

func secretOutside(s *scope, r *release) {
	s.landings(r, trace.Landing.Outside, "the secret value %s lands here: %s, outside of a Secret: whoever may read the object reads it")
	if r.TraceFailure != nil {
		f := r.finding("where the secret values land cannot be told: with markers in their place, %s", r.TraceFailure)
		f.Severity, f.Fix = finding.Info, "nothing, or a schema that takes any text"
		s.add(f)
	}
}

func secretInChecksum(s *scope, r *release) {
	s.landings(r, func(l trace.Landing) bool { return l.How == trace.Checksum }, "something is made of the secret value %s here: %s, from which a short one can be guessed")
}

func secretUnused(s *scope, r *release) {
	for _, input := range r.Trace.Inputs {
		if len(input.Landings) > 0 {
			continue
		}
		f := r.finding("the chart does not use the secret value %s (Secret %s, key %s)", input.Path, input.From.Secret, input.From.Key)
		f.Fix = s.putPath(&f, r, input.Path).advice()
		s.add(f)
	}
}
