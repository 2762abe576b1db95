package render

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// ObjectPattern is Kind/name, in which * stands for any characters.
type ObjectPattern string

var objectPatternForm = regexp.MustCompile(`^[A-Za-z0-9*]+/[A-Za-z0-9*.:_-]+$`)

// Validate wants a kind and a name.
func (p ObjectPattern) Validate() error {
	if !objectPatternForm.MatchString(string(p)) {
		return fmt.Errorf("want Kind/name such as Deployment/scheduler, where * stands for any characters, got %s", text.Quoted(string(p)))
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
		"null-values",
		"object-size",
		"pod-runs-once",
		"random-output",
		"refused-release",
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
