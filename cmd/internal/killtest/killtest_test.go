package killtest_test

import (
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/killtest"
)

func TestRounds(t *testing.T) {
	for _, tt := range []struct {
		full        string
		all, hit    int // rounds, and the first one after which hit reports true
		want        int
		description string
	}{
		{"", 50, 0, 5, "a tenth"},
		{"", 4, 0, 1, "a tenth, rounded up"},
		{"", 50, 7, 8, "more until one hits"},
		{"", 50, 99, 50, "never more than all"},
		{"1", 50, 0, 50, "all"},
	} {
		t.Setenv(killtest.FullVariable, tt.full)
		rounds := 0
		for n := range killtest.Rounds(tt.all, func() bool { return rounds > tt.hit }) {
			if n != rounds {
				t.Errorf("%s: round %d is numbered %d", tt.description, rounds, n)
			}
			rounds++
		}
		if rounds != tt.want {
			t.Errorf("%s: %d rounds, want %d", tt.description, rounds, tt.want)
		}
	}
}
