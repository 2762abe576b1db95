package main

import (
	"strings"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	var out strings.Builder
	clock := time.Unix(0, 0)
	p := &progress{w: &out, what: "environments rendered", now: func() time.Time { return clock }}
	p.start(4)
	for _, after := range []time.Duration{time.Second, time.Millisecond, time.Second, time.Millisecond} {
		clock = clock.Add(after)
		p.step()
	}
	p.end()
	const want = "\r1 of 4 environments rendered\r3 of 4 environments rendered\r4 of 4 environments rendered\r\x1b[K"
	if got := out.String(); got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	out.Reset()
	p.start(1)
	p.step()
	p.end()
	var none *progress
	none.start(2)
	none.step()
	none.end()
	if got := out.String(); got != "" {
		t.Errorf("said %q of one", got)
	}
}
