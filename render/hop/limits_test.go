package hop_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/hop"
)

// TestUnrendered: a new chart that renders with no values is no error. What it says of
// values counts all the same, and nothing else is certain.
func TestUnrendered(t *testing.T) {
	all := parsed(t, "{one: some, two: {name: other}, password: CANARY}")
	old := small(t, "1.0.0", "{one: '', two: {name: ''}, password: ''}", config("a", "{{ .Values.one }}{{ .Values.two.name }}")+secret("s", "{{ .Values.password }}"))
	next := small(t, "2.0.0", "{uno: ''}", `{{ fail (printf "one was renamed to uno; %s" (.Values | toJson)) }}`)
	a, err := hop.Analyze(t.Context(), hop.Input{Old: side(old, all), New: side(next, all), Secrets: []string{"password"}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(a.Unrendered, "one was renamed to uno") || strings.Contains(a.Unrendered, "CANARY") {
		t.Errorf("unrendered: %q", a.Unrendered)
	}
	compare(t, a, []string{
		"renamed error certain from one to uno; move one to uno",
		"removed error unknown from two.name", "removed error unknown blocks from password",
	})
}

// TestFailures: the old chart has to render, and its failure has no secret in it; and an
// analysis ends with its context.
func TestFailures(t *testing.T) {
	all := parsed(t, "{password: CANARY}")
	bad := small(t, "1.0.0", "{}", `{{ fail (.Values | toJson) }}`)
	good := small(t, "2.0.0", "{}", config("a", "x"))
	if _, err := hop.Analyze(t.Context(), hop.Input{Old: side(bad, all), New: side(good, all)}); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("a chart of today that fails: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	if _, err := hop.Analyze(ctx, hop.Input{Old: side(good, all), New: side(good, all)}); !errors.Is(err, reason) {
		t.Errorf("a context that ended: %v", err)
	}
}

// TestHostileNames: what a chart writes comes out without control characters.
func TestHostileNames(t *testing.T) {
	old := small(t, "1.0.0", "{}", config("a", "x"))
	next := small(t, "2.0.0", "{}", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: \"a\\e[31m\\nb\"}}")
	a := analyze(t, hop.Input{Old: side(old, nil), New: side(next, nil)})
	if text := strings.Join(told(a), "\n"); strings.ContainsAny(text, "\x1b") || !strings.Contains(text, "new-service") {
		t.Errorf("%q", text)
	}
}
