package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress says on a terminal how much of something is done; nil says nothing.
type progress struct {
	w    io.Writer
	what string // such as "environments rendered"
	now  func() time.Time

	mu          sync.Mutex
	done, total int
	said        time.Time
}

// progressEvery is how often a line changes: faster than that nobody reads.
const progressEvery = 100 * time.Millisecond

// progress says how far some work is, unless nobody looks.
func (a app) progress(what string) *progress {
	if !isTerminal(a.err) || a.getenv("TERM") == "dumb" {
		return nil
	}
	return &progress{w: a.err, what: what, now: a.now}
}

func (p *progress) start(total int) {
	if p == nil {
		return
	}
	p.done, p.total = 0, total
}

func (p *progress) step() {
	if p == nil || p.total < 2 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if now := p.now(); now.Sub(p.said) >= progressEvery || p.done == p.total {
		p.said = now
		fmt.Fprintf(p.w, "\r%d of %d %s", p.done, p.total, p.what)
	}
}

// end takes the line away: what comes next says what became of it all.
func (p *progress) end() {
	if p == nil || p.total < 2 {
		return
	}
	fmt.Fprint(p.w, "\r\x1b[K")
}
