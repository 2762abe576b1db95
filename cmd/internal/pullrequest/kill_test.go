package pullrequest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/killtest"
)

// way is a run that may be ended at each of its requests, on a site of its own.
type way struct {
	name    string
	prepare func(*site)
	errand  func(errand) errand
}

func keeping(v version) func(errand) errand {
	return func(e errand) errand { e.Version = v; return e }
}

var ways = []way{
	{"open", func(*site) {}, keeping(version{Number: 1, Draft: true})},
	{"refresh", func(s *site) { s.keep(version{Number: 1}, Opened) }, keeping(version{Number: 2, Draft: true, Labels: []string{"blocked"}})},
	{"supersede", func(s *site) { s.keep(version{Number: 1}, Opened) }, func(e errand) errand { e.Supersede = "Not wanted."; return e }},
	{"freeze", func(s *site) {
		s.keep(version{Number: 1}, Opened)
		s.onTop(branch, "mine.yaml", "m: 1\n", "Ada's")
	}, keeping(version{Number: 2})},
	{"rebase", func(s *site) {
		s.keep(version{Number: 1}, Opened)
		s.onTop(branch, "mine.yaml", "m: 1\n", "Ada's")
		s.people.label(1, "rebase")
	}, keeping(version{Number: 2})},
}

// end describes all that is left, without hashes.
func (s *site) end() string {
	s.Helper()
	subjects, tip := s.log(branch)
	out := fmt.Sprintf("%s: %s\n", subjects, s.git.Git("origin", "ls-tree", branch))
	for _, pr := range s.people.pulls() {
		for i, said := range pr.Comments {
			pr.Comments[i] = hashes(said)
		}
		ours := strings.Contains(pr.Body, " commit="+tip+" ")
		pr.Body = hashes(pr.Body)
		out += fmt.Sprintf("%+v, of the branch's commit: %v\n", pr, ours)
	}
	return out
}

// hashes writes all hashes of a text as one.
func hashes(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	for _, word := range words {
		if len(word) == 40 {
			text = strings.ReplaceAll(text, word, "HASH")
		}
	}
	return text
}

// endEarly ends a run at each request in turn, before the server got it and after it was done,
// and runs again: what is left is the same as after a run that was not ended.
func endEarly(t *testing.T, open func(*testing.T) *site, w way, points func(int) []int, run func(*site, errand, int, bool)) {
	whole := open(t)
	w.prepare(whole)
	whole.front.begin(0, false, nil)
	if _, err := w.errand(whole.errand).run(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked, _ := whole.front.asked()
	want := whole.end()
	for _, at := range points(len(asked)) {
		for _, late := range []bool{false, true} {
			s := open(t)
			w.prepare(s)
			e := w.errand(s.errand)
			run(s, e, at, late)
			all, _ := s.front.asked()
			s.front.begin(0, false, nil)
			out, err := e.run(t.Context())
			if got := s.end(); err != nil || got != want {
				t.Errorf("ended at %s (late: %v), then %+v, %v:\n%s\nwant\n%s", all[min(at, len(all))-1], late, out.Result, err, got, want)
			}
		}
	}
}

// The run is one of this process; its requests fail from then on. It ends at every request, and
// outside of the full gate at every third.
func TestRunsThatEndEarly(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *site{"GitHub": atGitHub, "GitLab": atGitLab} {
		for i, w := range ways {
			every := func(n int) (points []int) {
				for at := range n {
					if os.Getenv(killtest.FullVariable) != "" || at%3 == (i+len(name+w.name))%3 {
						points = append(points, at+1)
					}
				}
				return points
			}
			t.Run(name+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				endEarly(t, open, w, every, func(s *site, e errand, at int, late bool) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					s.front.begin(at, late, cancel)
					if out, err := e.run(ctx); err == nil {
						t.Errorf("at request %d the run did not end: %+v", at, out)
					}
				})
			})
		}
	}
}

// The run is a process at a real forge, and is killed.
func TestKilledRuns(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			killed := 0
			some := func(n int) (points []int) {
				for at := range killtest.Rounds(n, func() bool { return true }) {
					points = append(points, (at+i*3+n/2)%n+1) // one each time, all in the full gate
				}
				return points
			}
			endEarly(t, atGitea, w, some, func(s *site, e errand, at int, late bool) {
				text, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(program)
				cmd.Env = append(os.Environ(), errandVariable+"="+string(text))
				started := make(chan struct{})
				s.front.begin(at, late, func() {
					<-started
					_ = cmd.Process.Kill()
				})
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				close(started)
				if cmd.Wait() != nil && !cmd.ProcessState.Exited() {
					killed++
				}
			})
			if killed == 0 {
				t.Error("no process was killed")
			}
		})
	}
}
