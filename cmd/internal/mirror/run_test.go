package mirror

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
)

// client makes a client that does not wait, unless the options say how.
func client(t testing.TB, options registry.Options) *registry.Client {
	t.Helper()
	if options.Sleep == nil {
		options.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	}
	options.UserAgent = "pm-gitops/test"
	return must(registry.New(options))
}

// run copies, or checks, with a new client, as a new process would.
func run(t testing.TB, options registry.Options, artifacts []Artifact, work func(*Mirror, context.Context) ([]Result, error)) []Result {
	t.Helper()
	m, err := New(artifacts, Options{Client: client(t, options), Parallel: 3})
	if err != nil {
		t.Fatal(err)
	}
	m.delay = time.Millisecond
	results, err := work(m, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// failures lists the errors of results.
func failures(results []Result) (all []string) {
	for _, one := range results {
		if one.Error != "" {
			all = append(all, one.Target+": "+one.Error)
		}
	}
	return all
}

func wantAll(t testing.TB, results []Result, state string) {
	t.Helper()
	for _, one := range results {
		if one.State != state {
			t.Errorf("%s is %s, want %s: %s %v", one.Target, one.State, state, one.Error, one.Lacks)
		}
	}
	if text := fmt.Sprint(results); strings.Contains(text, "canary") {
		t.Errorf("results hold a credential: %s", text)
	}
}
