package crdtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/targets/internal/crdtest"
)

func TestDirFollowsVariable(t *testing.T) {
	shared := t.TempDir()
	want := filepath.Join(shared, "crds", "lamp-1.0")
	if err := os.MkdirAll(want, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PM_GITOPS_SHARED", shared)
	if got := crdtest.Dir(t, "lamp-1.0"); got != want {
		t.Errorf("Dir = %s, want %s", got, want)
	}
}

func TestDirSkipsWhereAbsent(t *testing.T) {
	for _, shared := range []string{t.TempDir(), ""} {
		t.Setenv("PM_GITOPS_SHARED", shared)
		probe := &skipProbe{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			crdtest.Dir(probe, "lamp-1.0")
		}()
		<-done
		if !strings.HasPrefix(probe.reason, "no CustomResourceDefinitions of lamp-1.0: want ") || strings.Contains(probe.reason, "\n") {
			t.Errorf("Dir skipped with %q, want one line that says what is absent", probe.reason)
		}
	}
}

// skipProbe records why a test would have been skipped.
type skipProbe struct {
	testing.TB
	reason string
}

// Skipf ends the goroutine, as a real test's does.
func (p *skipProbe) Skipf(format string, args ...any) {
	p.reason = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
