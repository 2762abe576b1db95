package charts

import "testing"

// TestKeeping: what a caller keeps is none of what its work may take.
func TestKeeping(t *testing.T) {
	for _, kept := range []int64{0, 5 << 20} {
		ctx := t.Context()
		if kept > 0 {
			ctx = Keeping(ctx, int(kept))
		}
		_, limits, done := bounded(ctx, noGarbage)
		if got := limits.kept.Load(); got != kept {
			t.Errorf("kept = %d, want %d", got, kept)
		}
		done()
	}
}
