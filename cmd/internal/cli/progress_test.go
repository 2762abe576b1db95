package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/console"
)

func TestProgress(t *testing.T) {
	var out strings.Builder
	clock := time.Unix(0, 0)
	tell := newProgress(console.New(&out), "environments rendered", func() time.Time { return clock })
	tell(0, 4)
	for i, after := range []time.Duration{time.Second, time.Millisecond, time.Second, time.Millisecond} {
		clock = clock.Add(after)
		tell(i+1, 4)
	}
	const want = "\r1 of 4 environments rendered\r3 of 4 environments rendered\r4 of 4 environments rendered\r\x1b[K"
	if got := out.String(); got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	out.Reset()
	tell(0, 1)
	tell(1, 1)
	if got := out.String(); got != "" {
		t.Errorf("said %q of one", got)
	}
}
