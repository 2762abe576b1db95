// Package killtest says, for tests, how often they kill processes.
package killtest

import (
	"iter"
	"os"
)

// FullVariable is the environment variable that, when it is not empty, makes
// [Rounds] give all rounds. The gate sets it in `.ci/run full`.
const FullVariable = "PM_GITOPS_FULL"

// Rounds yields the numbers of the rounds in which a test kills a process, from
// 0. With [FullVariable] these are all of them, otherwise a tenth, and then more
// until hit reports that a kill came where the test looks for one. It never
// yields more than all.
func Rounds(all int, hit func() bool) iter.Seq[int] {
	some := all
	if os.Getenv(FullVariable) == "" {
		some = (all + 9) / 10
	}
	return func(yield func(int) bool) {
		for n := 0; n < all && (n < some || !hit()); n++ {
			if !yield(n) {
				return
			}
		}
	}
}
