package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
)

// ObjectPattern is Kind/name, in which * stands for any characters.
type ObjectPattern string

var objectPatternForm = regexp.MustCompile(`^[A-Za-z0-9*]+/[A-Za-z0-9*.:_-]+$`)

// Validate wants a kind and a name.
func (p ObjectPattern) Validate() error {
	if !objectPatternForm.MatchString(string(p)) {
		return fmt.Errorf("want Kind/name such as Deployment/scheduler, where * stands for any characters, got %s", quoted(string(p)))
	}
	return nil
}

// Matches reports whether the pattern fits an object.
func (p ObjectPattern) Matches(kind, name string) bool {
	wantKind, wantName, _ := strings.Cut(string(p), "/")
	return wildcard(wantKind, kind) && wildcard(wantName, name)
}

// wildcard reports whether a text is what a pattern says. The parts between
// the stars are taken as early as they come, so that no pattern takes long.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return true
}

// FieldPath is a field of the environment file, such as
// spec.values.prefect-cloud.args[0], as problems name it.
type FieldPath string

var fieldPathForm = regexp.MustCompile(`^spec\.\S.*$`)

// Validate wants a field below spec.
func (p FieldPath) Validate() error {
	if !fieldPathForm.MatchString(string(p)) {
		return fmt.Errorf("want a field such as spec.values.prefect-cloud.smtp.user, as the message names it, got %s", quoted(string(p)))
	}
	return nil
}

// PlaintextCheck is the check of values that look like secrets. [Parse] refuses
// those that certainly are some, unless an entry of spec.checks.ignore accepts
// their path.
const PlaintextCheck = "plaintext-secret"

// Plaintext is a value of an environment file that looks like a secret.
type Plaintext struct {
	Problem
	Certain  bool // whether Parse refuses it where it is not accepted
	Accepted bool // by spec.checks.ignore
}

// Plaintext returns the values that look like secrets, in the order of the
// file. Among chart values and annotations keys and texts tell; elsewhere, where
// each field has its type, texts that are credentials in any place.
func (e Environment) Plaintext() []Plaintext {
	var found []Plaintext
	plaintext.Fields(e.source.Get("spec"), "spec", func(within string, f plaintext.Found) {
		advice := "name it under spec.secretValues"
		switch {
		case within == "":
			advice = "take it out"
		case strings.Contains(strings.TrimPrefix(f.Path, within), "[") || strings.HasSuffix(within, ".annotations"):
			advice = "let the chart read it from a Secret (existingSecret, valueFrom)"
		}
		found = append(found, e.lookedLike(f, advice))
	})
	return found
}

// lookedLike returns what was found with what to do about it.
func (e Environment) lookedLike(f plaintext.Found, advice string) Plaintext {
	accepted := slices.ContainsFunc(e.Spec.Checks.Ignore, func(entry IgnoredCheck) bool {
		return entry.Check == PlaintextCheck && string(entry.Path) == f.Path
	})
	message := f.Rule.Why + ", and Git would show it to every reader: " + advice + ", or accept its path under spec.checks.ignore"
	return Plaintext{Problem{Position: f.Position, Path: f.Path, Message: message}, f.Rule.Certain, accepted}
}

// plaintext returns the values that look like secrets and are not accepted: the
// certain ones, or the others.
func (e Environment) plaintext(certain bool) Problems {
	var problems Problems
	for _, found := range e.Plaintext() {
		if found.Certain == certain && !found.Accepted {
			problems = append(problems, found.Problem)
		}
	}
	return problems
}

// checkIDs is the names of all checks of package check, sorted. They are here
// because an environment file names them, and that package needs this one; a
// test of its own holds the two to each other.
func checkIDs() []string {
	return []string{
		"annotations-size",
		"argo-project",
		"bad-image",
		"bad-name",
		"chart-fails",
		"chart-kube-version",
		"deleted-by-upgrade",
		"deprecated-api",
		"duplicate-entry",
		"duplicate-object",
		"embedded-database",
		"embedded-redis",
		"environment-warning",
		"foreign-image",
		"foreign-namespace",
		"gateway-auto-image",
		"hook-before-objects",
		"hook-sidecar",
		"hooks-alone",
		"immutable-job",
		"inert-value",
		"kube-version-unknown",
		"load-balancer",
		"lookup-use",
		"migration-deadlock",
		"migration-setting",
		"migration-twice",
		"missing-pull-secret",
		"missing-reference",
		"not-locked",
		"not-pinned",
		"null-values",
		"object-size",
		"other-digest",
		PlaintextCheck,
		"pod-runs-once",
		"random-output",
		"refused-release",
		"registry-login",
		"release-size",
		"removed-api",
		"secret-in-checksum",
		"secret-outside-secret",
		"secret-unused",
		"selector-mismatch",
		"selects-nothing",
		"shared-object",
		"singleton-replicas",
		"tls-verification-disabled",
		"unknown-hook",
		"unknown-value",
		"unpinned-image",
		"unused-ignore",
		"values-schema",
	}
}
