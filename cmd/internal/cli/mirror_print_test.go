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
	if !strings.Contains(drawn.String(), "  [##--------] 1.0 kB of 4.0 kB, 500 B/s r.io/a:1\n") || !strings.Contains(drawn.String(), "  [##########] 500 B of 500 B, ") || len(steps) < 4 || steps[len(steps)-1] != "J" {
		t.Errorf("drawn: %q", drawn.String())
	}
	for _, line := range strings.Split(drawn.String(), "\n") {
		if len(line) > 80 {
			t.Errorf("a line of %d columns breaks: %q", len(line), line)
		}
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

// The line of a copy fits into 80 columns, whatever its numbers are.
func TestLineOfCopyFits(t *testing.T) {
	var drawn bytes.Buffer
	now := time.Unix(0, 0)
	s := &mirrorScreen{err: console.New(&drawn), draws: true, results: make([]*mirror.Result, 1), now: func() time.Time { now = now.Add(time.Second); return now }}
	s.progress("registry.example.com/some/deep/path/prefect/server:2025.10.202511042343", 999_900_000_000, 999_900_000_000)
	line := strings.TrimSuffix(drawn.String(), "\n")
	if want := "  [##########] 999.9 GB of 999.9 GB, 499.9 GB/s …server:2025.10.202511042343"; line != want || len([]rune(line)) > 80 {
		t.Errorf("drawn %q, want %q", line, want)
	}
	for done, want := range map[int64]string{0: "----------", 39: "###-------", 100: "##########", 200: "##########"} {
		if got := bar(done, 100); got != want {
			t.Errorf("bar(%d, 100) = %s, want %s", done, got, want)
		}
	}
}

// Artifacts that failed for one reason are one error.
func TestOneReasonIsOneError(t *testing.T) {
	var got []string
	for _, err := range mirrorFailures([]mirror.Result{
		{Source: "a", Target: "m/a", Error: "r.io is given up"}, {Source: "b", Target: "m/b"}, {Source: "c", Target: "m/c", Error: "no"},
		{Source: "d", Target: "m/d", Error: "r.io is given up"}, {Source: "e", Target: "m/e", Error: "r.io is given up"},
	}) {
		got = append(got, err.Error())
	}
	if want := "a to m/a, and 2 more: r.io is given up\nc to m/c: no"; strings.Join(got, "\n") != want {
		t.Errorf("mirrorFailures = %q, want %q", got, want)
	}
}
