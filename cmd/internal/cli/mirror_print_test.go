package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/console"
	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
)

func TestFormatCopy(t *testing.T) {
	for want, r := range map[string]mirror.Result{
		"present r.io/a:1 sha256:1 (3 manifests, 2 signatures, 1 referrer)":             {State: mirror.Present, Manifests: 3, Signatures: 2, Referrers: 1},
		"copied  r.io/a:1 sha256:1 (1.5 MB copied, 2.0 kB mounted, 999 B there before)": {State: mirror.Copied, Manifests: 1, BytesCopied: 1_500_000, BytesMounted: 2000, BytesSkipped: 999, Lacks: []string{"1"}},
		"copied  r.io/a:1 sha256:1 (0 B copied, replaced sha256:0)":                     {State: mirror.Copied, Manifests: 1, Replaced: "sha256:0"},
		"failed  r.io/a:1": {State: mirror.Failed, Error: "no"},
		"missing r.io/a:1 sha256:1 (2 manifests, lacks all, at most 3.0 GB)":                    {State: mirror.Missing, Manifests: 2, Lacks: []string{"1", "2"}, BytesMissing: 3e9},
		"differs r.io/a:1 sha256:1 (lacks 1, at most 0 B, would replace sha256:0)":              {State: mirror.Differs, Manifests: 1, Lacks: []string{"1"}, Replaced: "sha256:0"},
		"missing r.io/a:1 sha256:1 (3 manifests, 1 signature, lacks sha256-1.sig, at most 5 B)": {State: mirror.Missing, Manifests: 3, Signatures: 1, Lacks: []string{"sha256-1.sig"}, BytesMissing: 5},
	} {
		r.Target, r.Digest = "r.io/a:1", "sha256:1"
		if got := formatCopy(r, r.State == mirror.Missing || r.State == mirror.Differs); got != want {
			t.Errorf("formatCopy = %q, want %q", got, want)
		}
	}
}

// Results are printed in the order of the artifacts, whichever is done first, and copies
// that run have a line each below them, which is taken away.
func TestMirrorScreen(t *testing.T) {
	var out, drawn bytes.Buffer
	now := time.Unix(0, 0)
	s := &mirrorScreen{out: console.New(&out), err: console.New(&drawn), draws: true, results: make([]*mirror.Result, 2), now: func() time.Time { now = now.Add(time.Second); return now }}
	s.progress("r.io/a:1", 1000, 4000)
	s.progress("r.io/b:1", 500, 500)
	s.done(1, mirror.Result{Target: "r.io/b:1", State: mirror.Copied})
	if out.Len() > 0 {
		t.Errorf("printed %q before the first was done", out.String())
	}
	s.progress("r.io/a:1", 3000, 4000)
	s.done(0, mirror.Result{Target: "r.io/a:1", State: mirror.Failed, Error: "no"})
	s.end()
	if got, want := out.String(), "failed  r.io/a:1\ncopied  r.io/b:1  (0 B copied)\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	steps := strings.Split(drawn.String(), "\x1b[")
	if !strings.Contains(drawn.String(), "  r.io/a:1 1.0 kB of 4.0 kB, ") || !strings.Contains(drawn.String(), "  r.io/b:1 500 B of 500 B, ") || len(steps) < 4 || steps[len(steps)-1] != "J" {
		t.Errorf("drawn: %q", drawn.String())
	}
	var quiet bytes.Buffer
	s = &mirrorScreen{err: console.New(&quiet), results: make([]*mirror.Result, 1), now: time.Now}
	s.progress("r.io/a:1", 1, 2)
	s.done(0, mirror.Result{})
	s.end()
	if quiet.Len() > 0 {
		t.Errorf("without a terminal: %q", quiet.String())
	}
}
