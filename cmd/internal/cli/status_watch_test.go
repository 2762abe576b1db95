package cli

import "testing"

// On a terminal a report takes the place of the one before, whatever was
// longer there, and only the first clears what was on the screen.
func TestDrawn(t *testing.T) {
	if got, want := redraw("a\nb\n", true), "\x1b[2J\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J"; got != want {
		t.Errorf("drawn at first = %q, want %q", got, want)
	}
	if got, want := redraw("a\n", false), "\x1b[Ha\x1b[K\n\x1b[J"; got != want {
		t.Errorf("drawn again = %q, want %q", got, want)
	}
}
