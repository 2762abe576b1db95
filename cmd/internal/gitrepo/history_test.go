package gitrepo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The oracle is git's own log, over every way to a server, and the files that a commit has.
func TestHistory(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", base)
		r := w.remote(url, RemoteOptions{})
		for i := range 5 {
			if _, err := r.Commit(context.Background(), always(map[string]string{"deep/er/a": fmt.Sprintln(i), fmt.Sprintf("b%d", i): "b\n"}), CommitOptions{Message: Message{Text: "a"}}); err != nil {
				t.Fatal(err)
			}
		}
		at, err := r.Read(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		log := strings.Fields(w.git("origin", "log", "--first-parent", "--format=%H|%ct", "main"))
		for _, depth := range []int{1, 3, len(log), len(log) + 5} {
			past, whole, err := at.History(context.Background(), depth)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, one := range past {
				got = append(got, fmt.Sprintf("%s|%d", one.Base.Commit(), one.When.Unix()))
			}
			if !slices.Equal(got, log[:min(depth, len(log))]) || whole != (depth >= len(log)) {
				t.Errorf("%d of the history: %v, whole %v, want of %v", depth, got, whole, log)
			}
			if err := FetchPast(context.Background(), past, "deep/er/a", "b3", "deep/none", "b3/none"); err != nil {
				t.Fatal(err)
			}
			for i, one := range past {
				files, err := one.Base.Files(context.Background(), "deep/er/a", "b3")
				want, missing := w.try("origin", "show", strings.Split(log[i], "|")[0]+":deep/er/a")
				if err != nil || (missing == nil) != (files["deep/er/a"] != nil) || missing == nil && string(files["deep/er/a"]) != want {
					t.Errorf("commit %d has %q, %v, want %q", i, files, err, want)
				}
			}
		}
	})
}
