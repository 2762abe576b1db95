//go:build e2e

package e2e

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// longest is the scenarios that take longest, those that wait most first. They come
// first: what begins last would leave the machine idle at the end.
var longest = []string{"TestMigrationGoesWrong", "TestHopOutage", "TestInstallJobAndOutlast", "TestAdoptionPrune", "TestInstallPatchHop", "TestTwoEnvironments", "TestPrivateRegistry", "TestInstallPod"}

// clusters is the places for clusters that may be up at a time.
var clusters queue

// queue hands places out by rank. go test's own -parallel would hand them out
// at random.
type queue struct {
	open    sync.Once
	mu      sync.Mutex
	free    int
	waiting []waiting
}

type waiting struct {
	rank  int
	place chan struct{}
}

// take waits for a place, which the test has until its end.
func (q *queue) take(t *testing.T) {
	q.open.Do(func() {
		n, err := strconv.Atoi(os.Getenv("PM_GITOPS_E2E_PARALLEL"))
		if err != nil {
			n = 1
		}
		// go test lets all tests go at once: by then all stand in the line.
		time.AfterFunc(time.Second, func() { q.give(n) })
	})
	top, _, _ := strings.Cut(t.Name(), "/")
	rank := slices.Index(longest, top)
	if rank < 0 {
		rank = len(longest)
	}
	place := make(chan struct{})
	q.mu.Lock()
	q.waiting = append(q.waiting, waiting{rank, place})
	slices.SortStableFunc(q.waiting, func(a, b waiting) int { return cmp.Compare(a.rank, b.rank) })
	q.mu.Unlock()
	q.give(0)
	<-place
	t.Cleanup(func() { q.give(1) })
}

// give gives places away, and those that are free.
func (q *queue) give(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.free += n; q.free > 0 && len(q.waiting) > 0; q.free-- {
		close(q.waiting[0].place)
		q.waiting = q.waiting[1:]
	}
}
