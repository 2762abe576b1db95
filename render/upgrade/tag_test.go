package upgrade_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// ascending holds tags of both of the vendor's families, in order. As texts they are in
// other orders: October before July, nine o'clock after three in the afternoon.
var ascending = [][]string{
	{"2025.7.202507151200", "2025.7.202512010000", "2025.9.202509301200", "2025.10.202511042343", "2026.1.202601150930"},
	{"2025.902.154520", "2025.1023.154520", "2025.1203.94520", "2025.1203.154520", "2026.105.94520"},
	{"2025.10", "2025.10.202510010000", "2025.10.202511042343", "2025.10.202511042343.1"},
	{"2025.10.9007199254740992", "2025.10.9007199254740993", "2025.10.202510202511042343202511042343", "2025.11.1"}, // no float64 tells these apart
}

func TestCompare(t *testing.T) {
	for _, tags := range ascending {
		if slices.IsSorted(tags) && len(tags[0]) > 8 {
			t.Errorf("%q are sorted as texts too, and show nothing", tags)
		}
		for i, a := range tags {
			for j, b := range tags {
				got, err := upgrade.Compare(a, b)
				if want := min(max(i-j, -1), 1); err != nil || got != want {
					t.Errorf("Compare(%s, %s) = %d, %v, want %d", a, b, got, err, want)
				}
			}
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	const ambiguous, none = "the same numbers with different zeros: nothing says which of them is newer", "is no version that can be compared"
	for _, tt := range []struct{ a, b, want string }{
		{"2026.0105.094520", "2026.105.94520", ambiguous},
		{"2026.01.202601150930", "2026.1.202601150930", ambiguous},
		{"0", "00", ambiguous},
		{"v2025.10.202511042343", "2025.10.202511042343", none},
		{"2025.10.202511042343", "latest", none},
		{"2025.10.", "2025.10.1", none},
		{"2025..10", "2025.10", none},
		{"", "1", none},
		{"2025.10.202511042343-rc.1", "1", none},
		{"+1", "-1", none},
		{"٢٠٢٥.1", "2025.1", none},
	} {
		if _, err := upgrade.Compare(tt.a, tt.b); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Compare(%q, %q): %v, want %s", tt.a, tt.b, err, tt.want)
		}
	}
	if order, err := upgrade.Compare("2026.0105.094520", "2026.106.1"); err != nil || order != -1 {
		t.Errorf("tags of different numbers are ordered whatever their zeros: %d, %v", order, err)
	}
}

// FuzzCompare wants a total order of all tags that are versions: that of their numbers,
// which math/big reads.
func FuzzCompare(f *testing.F) {
	f.Add("2025.7.202512010000", "2025.10.202511042343", "2026.0105.094520")
	f.Add("2025.10", "v1", "2026.105.94520")
	f.Add("0", "00", "0.0")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab, errAB := upgrade.Compare(a, b)
		ba, errBA := upgrade.Compare(b, a)
		bc, errBC := upgrade.Compare(b, c)
		ac, errAC := upgrade.Compare(a, c)
		x, y := numbers(a), numbers(b)
		if x != nil && y != nil {
			want := slices.CompareFunc(x, y, (*big.Int).Cmp)
			if ab != want || (errAB == nil) != (want != 0 || a == b) {
				t.Errorf("Compare(%q, %q) = %d, %v, want %d", a, b, ab, errAB, want)
			}
		} else if errAB == nil {
			t.Errorf("Compare(%q, %q) = %d, want a refusal", a, b, ab)
		}
		if ab != -ba || (errAB == nil) != (errBA == nil) {
			t.Errorf("Compare(%q, %q) = %d and the other way round %d", a, b, ab, ba)
		}
		if errAB == nil && errBC == nil && errAC == nil && ab <= 0 && bc <= 0 && ac > min(ab, bc) {
			t.Errorf("%q, %q, %q: %d, %d, but %d", a, b, c, ab, bc, ac)
		}
	})
}

// numbers reads a tag, nil if it is no version.
func numbers(tag string) []*big.Int {
	var all []*big.Int
	for part := range strings.SplitSeq(tag, ".") {
		n, ok := new(big.Int).SetString(part, 10)
		if !ok || strings.ContainsAny(part, "+-_") {
			return nil
		}
		all = append(all, n)
	}
	return all
}
