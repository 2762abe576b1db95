package collector

import (
	"runtime/debug"
	"testing"
)

// TestShare: what GOGC says is the user's.
func TestShare(t *testing.T) {
	before := debug.SetGCPercent(growth)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "300")
	Share()
	if got := debug.SetGCPercent(growth); got != growth {
		t.Errorf("with GOGC, collects at %d percent, want %d as before", got, growth)
	}
	t.Setenv("GOGC", "")
	Share()
	if got := debug.SetGCPercent(growth); got != 100 {
		t.Errorf("collects at %d percent, want 100", got)
	}
}
