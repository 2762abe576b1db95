package cli

import (
	"fmt"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/console"
)

// progressEvery spaces the changes of a line: no reader follows a faster one.
const progressEvery = 100 * time.Millisecond

// progress gives what shows how far some work is, nil without a terminal.
func (a app) progress(what string) func(done, total int) {
	if !a.err.IsTerminal() || a.getenv("TERM") == "dumb" {
		return nil
	}
	return newProgress(a.err, what, a.now)
}

// newProgress gives what says on a terminal how much of something is done, such
// as "environments rendered", and at the end takes the line away: what comes next
// says what became of it all.
func newProgress(w *console.Stream, what string, now func() time.Time) func(done, total int) {
	var said time.Time
	return func(done, total int) {
		if total < 2 || done == 0 {
			return
		}
		if now := now(); now.Sub(said) >= progressEvery || done == total {
			said = now
			w.Pass(fmt.Sprintf("%d of %d %s", done, total, what))
		}
		if done == total {
			w.Pass("")
		}
	}
}
