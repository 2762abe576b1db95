package cli

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/console"
	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/cmd/internal/verify"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// mirrorScreen prints the results of mirror in their order, each as soon as it and all
// before it are there, and, on a terminal, below them a line for each copy that runs.
type mirrorScreen struct {
	out, err *console.Stream // out is nil where results are no text
	draws    bool
	dry      bool
	now      func() time.Time

	mu      sync.Mutex
	results []*mirror.Result
	printed int
	running []runningCopy
	drawn   time.Time
}

// runningCopy is a copy on its way.
type runningCopy struct {
	target      string
	done, total int64
	since       time.Time
}

func (a app) newMirrorScreen(o mirrorOptions, artifacts int) *mirrorScreen {
	s := &mirrorScreen{err: a.err, draws: a.err.IsTerminal() && a.getenv("TERM") != "dumb", dry: o.dryRun || o.check, now: a.now, results: make([]*mirror.Result, artifacts)}
	if o.output == "text" {
		s.out = a.out
	}
	return s
}

// progress takes how far a copy is.
func (s *mirrorScreen) progress(target string, done, total int64) {
	if !s.draws {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.running, func(one runningCopy) bool { return one.target == target })
	if at < 0 {
		at = len(s.running)
		s.running = append(s.running, runningCopy{target: target, total: total, since: s.now()})
	}
	s.running[at].done = max(done, s.running[at].done)
	if now := s.now(); now.Sub(s.drawn) >= progressEvery {
		s.drawn = now
		s.draw()
	}
}

// done takes the result of an artifact.
func (s *mirrorScreen) done(i int, result mirror.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results[i] = &result
	s.running = slices.DeleteFunc(s.running, func(one runningCopy) bool { return one.target == result.Target })
	s.err.Block(nil)
	for ; s.printed < len(s.results) && s.results[s.printed] != nil; s.printed++ {
		if s.out != nil {
			s.out.Say("%s", formatCopy(*s.results[s.printed], s.dry))
		}
	}
}

// end takes the lines of copies away.
func (s *mirrorScreen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err.Block(nil)
}

func (s *mirrorScreen) draw() {
	var lines []string
	for _, one := range s.running {
		rate := float64(one.done) / max(s.now().Sub(one.since).Seconds(), 0.1)
		lines = append(lines, fmt.Sprintf("  [%s] %s of %s, %s/s %s", bar(one.done, one.total), formatSize(one.done), formatSize(one.total), formatSize(int64(rate)), lastOf(one.target, 28)))
	}
	s.err.Block(lines)
}

// bar draws how far a copy is.
func bar(done, total int64) string {
	const cells = 10
	full := cells
	if total > 0 {
		full = int(min(done, total) * cells / total)
	}
	return strings.Repeat("#", full) + strings.Repeat("-", cells-full)
}

// lastOf shortens a reference to its end, so that the line of a copy fits into 80
// columns: a longer one breaks, and is not taken away as a whole.
func lastOf(reference string, most int) string {
	if len(reference) <= most {
		return reference
	}
	return "…" + reference[len(reference)-most+1:]
}

// formatCopy writes a result as a line.
func formatCopy(r mirror.Result, dry bool) string {
	if r.Error != "" {
		return fmt.Sprintf("failed  %s", r.Target)
	}
	line := fmt.Sprintf("%-7s %s %s", r.State, r.Target, r.Digest)
	var parts []string
	if r.Manifests > 1 {
		parts = append(parts, text.Count(r.Manifests, "manifest"))
	}
	if r.Signatures > 0 {
		parts = append(parts, text.Count(r.Signatures, "signature"))
	}
	if r.Referrers > 0 {
		parts = append(parts, text.Count(r.Referrers, "referrer"))
	}
	switch said, _, _ := strings.Cut(r.Signature, "; "); said {
	case "":
	case verify.None:
		parts = append(parts, "no signature")
	default:
		parts = append(parts, "signature "+said)
	}
	switch {
	case dry && len(r.Lacks) > 0:
		parts = append(parts, fmt.Sprintf("lacks %s, at most %s", listLacking(r), formatSize(r.BytesMissing)))
	case r.State == mirror.Copied:
		parts = append(parts, formatSize(r.BytesCopied)+" copied")
		if r.BytesMounted > 0 {
			parts = append(parts, formatSize(r.BytesMounted)+" mounted")
		}
		if r.BytesSkipped > 0 {
			parts = append(parts, formatSize(r.BytesSkipped)+" there before")
		}
	}
	if r.Replaced != "" && dry {
		parts = append(parts, "would replace "+r.Replaced)
	} else if r.Replaced != "" {
		parts = append(parts, "replaced "+r.Replaced)
	}
	if r.Conflict != "" {
		parts = append(parts, "cannot be replaced")
	}
	if parts == nil {
		return line
	}
	return line + " (" + strings.Join(parts, ", ") + ")"
}

// noteKeyless prints the commands that verify what could not be verified here.
func (a app) noteKeyless(results []mirror.Result) {
	var commands []string
	for _, result := range results {
		for _, command := range strings.Split(result.Signature, mirror.NotChecked)[1:] {
			commands = append(commands, strings.TrimSuffix(command, ", "))
		}
	}
	if commands == nil {
		return
	}
	a.err.Say("note: keyless signatures are not verified here. These commands do it:")
	for _, command := range commands {
		a.err.Say("%s", command)
	}
}

// listLacking names what a mirror lacks, where it has a part of the artifact.
func listLacking(r mirror.Result) string {
	if all := r.Manifests + r.Signatures + r.Referrers; len(r.Lacks) == all && all > 1 {
		return "all"
	}
	return strings.Join(r.Lacks, ", ")
}

// formatSize writes a number of bytes as people read it.
func formatSize(bytes int64) string {
	if bytes < 1000 {
		return fmt.Sprintf("%d B", bytes)
	}
	size, units := float64(bytes)/1000, "kMGT"
	for size >= 1000 && len(units) > 1 {
		size, units = size/1000, units[1:]
	}
	return fmt.Sprintf("%.1f %cB", size, units[0])
}
