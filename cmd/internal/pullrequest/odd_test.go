package pullrequest

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
	"github.com/pm-gitops/pm-gitops/cmd/internal/forge/forgetest"
)

// leftBranch opens a pull request, closes it as superseded, and gives the branch's commit.
func (s *site) leftBranch() string {
	s.Helper()
	s.keep(version{Number: 1}, Opened)
	s.supersede("left", Superseded)
	_, tip := s.log(branch)
	return tip
}

func TestBranchThatIsThereAlready(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		tip := s.leftBranch()
		s.keep(version{Number: 1}, Opened) // the same plan: the commit is good
		if _, now := s.log(branch); now != tip {
			t.Errorf("the commit was made anew: %s, was %s", now, tip)
		}
		s.supersede("left again", Superseded)
		s.keep(version{Number: 2}, Opened)
		s.sound("main", s.people.pulls()[2].Body)
		s.supersede("left a third time", Superseded)
		s.onTop(branch, "mine.yaml", "m: 1\n", "Ada's")
		_, tip = s.log(branch)
		out := s.keep(version{Number: 3}, Frozen)
		if _, now := s.log(branch); now != tip || len(s.people.pulls()) != 3 || !strings.Contains(out.Why, "delete the branch") {
			t.Errorf("%+v, the branch is at %s, want %s", out, now, tip)
		}
	})
}

// A commit with our trailer is not ours unless all of it is.
func TestForgedCommitsAreNotOurs(t *testing.T) {
	for name, args := range map[string][]string{
		"another committer": {"commit", "-q", "--allow-empty", "-m", "x\n\nPm-Gitops-Proposal: sha256:1"},
		"no trailer":        {"-c", "user.name=Bot", "-c", "user.email=bot@example.com", "commit", "-q", "--allow-empty", "-m", "x"},
		"not a trailer":     {"-c", "user.name=Bot", "-c", "user.email=bot@example.com", "commit", "-q", "--allow-empty", "-m", "x\n\nPm-Gitops-Proposal: sha256:1\n\nby Ada"},
		"no parent":         {"-c", "user.name=Bot", "-c", "user.email=bot@example.com", "commit", "-q", "--allow-empty", "--amend", "-m", "x\n\nPm-Gitops-Proposal: sha256:1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := atGitLab(t)
			s.git.Git("work", "checkout", "-q", "--detach")
			s.git.Git("work", args...)
			s.push("HEAD:refs/heads/" + branch)
			s.keep(version{Number: 1}, Frozen)
		})
	}
	s := atGitLab(t)
	s.git.Git("work", "checkout", "-q", "--detach")
	s.git.Git("work", "-c", "user.name=Bot", "-c", "user.email=bot@example.com", "commit", "-q", "--allow-empty", "-m", "x\n\nPm-Gitops-Proposal: sha256:0")
	s.push("HEAD:refs/heads/" + branch)
	s.keep(version{Number: 1}, Opened)
}

func TestBranchThatIsGone(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *site{"GitHub": atGitHub, "GitLab": atGitLab} { // Gitea closes it
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.keep(version{Number: 1}, Opened)
			s.push(":refs/heads/" + branch)
			s.keep(version{Number: 2}, Refreshed)
			s.sound("main", s.only().Body)
		})
	}
	t.Run("Gitea", func(t *testing.T) {
		s := atGitea(t)
		s.keep(version{Number: 1}, Opened)
		s.push(":refs/heads/" + branch)
		for s.only().State == "open" { // until its queue has come to the push
		}
		s.keep(version{Number: 1}, Declined)
		s.keep(version{Number: 2}, Opened)
	})
}

func TestMerged(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		s.keep(version{Number: 1}, Opened)
		s.people.merge(1)
		e := s.errand
		e.Version.Number = 1
		if out, err := e.run(t.Context()); err != nil || out.Result != Unchanged || out.Pull.Number != 0 || out.Why == "" {
			t.Errorf("merged: %+v, %v", out, err)
		}
		s.keep(version{Number: 2}, Opened)
		all := s.people.pulls()
		if len(all) != 2 || all[0].State != "merged" || all[1].State != "open" {
			t.Errorf("after the merge: %+v", all)
		}
		s.sound("main", all[1].Body)
	})
}

// What was merged is reverted, and wanted again: the plan is the same, the commit must not be.
func TestMergedAndReverted(t *testing.T) {
	s := atGitHub(t)
	s.keep(version{Number: 1}, Opened)
	s.people.merge(1)
	s.onTop("main", "prod.yaml", "server: 0\n", "revert")
	s.keep(version{Number: 1}, Opened)
	s.sound("main", s.people.pulls()[1].Body)
}

// Several runs at once end well, and with one pull request.
func TestRunsAtOnce(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		s.front.begin(0, false, nil)
		for _, n := range []int{1, 2} { // opened, then refreshed
			e := s.errand
			e.Version = version{Number: n}
			var group sync.WaitGroup
			results := make([]Result, 4)
			for i := range results {
				group.Go(func() {
					out, err := e.run(t.Context())
					if results[i] = out.Result; err != nil {
						t.Errorf("run %d: %v", i, err)
					}
				})
			}
			group.Wait()
			for _, result := range results {
				if !slices.Contains([]Result{Opened, Refreshed, Unchanged, Outpaced}, result) {
					t.Errorf("results %q", results)
				}
			}
			if out, err := e.run(t.Context()); err != nil || out.Result != Unchanged && out.Result != Refreshed {
				t.Errorf("afterwards: %+v, %v", out, err)
			}
			opened := slices.DeleteFunc(s.people.pulls(), func(pr pull) bool { return pr.State != "open" })
			if len(opened) != 1 || opened[0].Title != "fix(prod): server "+[]string{"", "1", "2"}[n] || len(opened[0].Comments) > 0 {
				t.Fatalf("there are %+v", opened)
			}
			s.sound("main", opened[0].Body)
			s.keep(version{Number: n}, Unchanged)
		}
	})
}

func TestAutoMergeIsAskedForOnce(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *site{"GitHub": atGitHub, "GitLab": atGitLab} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.keep(version{Number: 1, Merge: true, Draft: true}, Opened)
			if s.only().Merges {
				t.Error("a draft is merged")
			}
			s.keep(version{Number: 1, Merge: true}, Refreshed)
			if !s.only().Merges {
				t.Error("was not asked for")
			}
			s.keep(version{Number: 1, Merge: true}, Unchanged)
			s.people.(fakePeople).s.Change(1, func(p *forgetest.Pull) { p.Merges = "" }) // a person, or the forge for the new commit
			s.keep(version{Number: 1, Merge: true}, Unchanged)
			s.keep(version{Number: 2, Merge: true}, Refreshed)
			if !s.only().Merges {
				t.Error("was not asked for another commit")
			}
			s.keep(version{Number: 2}, Refreshed) // it may wait again: taken back, and nothing else
			if s.only().Merges {
				t.Error("was not taken back")
			}
			s.keep(version{Number: 2, Merge: true}, Refreshed)
			s.keep(version{Number: 3}, Refreshed)
			if pr := s.only(); pr.Merges || strings.Contains(pr.Body, "merges=") {
				t.Errorf("a version that has to wait: %+v", pr)
			}
			s.keep(version{Number: 3, Merge: true}, Refreshed)
			before := s.only().Body
			for range 2 {
				k, err := s.errand.keeper()
				if err == nil {
					err = k.Hold(t.Context(), branch)
				}
				if err != nil {
					t.Fatal(err)
				}
				if pr := s.only(); pr.Merges || pr.Body != strings.Replace(before, " merges=yes", "", 1) {
					t.Errorf("held: %+v", pr)
				}
			}
		})
	}
}

// A merge at Gitea without checks is at once, or as soon as it knows that there is no conflict.
func TestGiteaMerges(t *testing.T) {
	s := atGitea(t)
	e := s.errand
	e.Version = version{Number: 1, Merge: true}
	for range 2 {
		if out, err := e.run(t.Context()); err != nil || len(out.Notes) > 0 {
			t.Fatalf("%+v, %v", out, err)
		}
	}
	if pr := s.only(); pr.State != "merged" && !strings.Contains(pr.Body, " merges=yes ") {
		t.Errorf("neither merged nor about to be: %+v", pr)
	}
}

func TestBodyLimits(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		s.keep(version{Number: 1, Long: true}, Opened)
		s.sound("main", s.only().Body)
		s.keep(version{Number: 1, Long: true}, Unchanged)
		s.onTop(branch, "mine.yaml", "m: 1\n", "Ada's")
		s.keep(version{Number: 1, Long: true}, Frozen) // the marker grows
		if pr := s.only(); !strings.Contains(pr.Body, " frozen=") {
			t.Errorf("the body ends %q", pr.Body[len(pr.Body)-400:])
		}
	})
}

// What a forge or a token lacks is said, and is no failure.
func TestForgeWithoutDrafts(t *testing.T) {
	s := atGitHubWith(t, forgetest.Options{NoDrafts: true})
	out := s.keep(version{Number: 1, Draft: true}, Opened)
	if pr := s.only(); pr.Title != "Draft: fix(prod): server 1" || len(out.Notes) != 1 || !strings.Contains(out.Notes[0], "no drafts") {
		t.Errorf("%+v, %+v", out, pr)
	}
	s.keep(version{Number: 1, Draft: true}, Unchanged)
	if out = s.keep(version{Number: 2, Draft: true}, Refreshed); len(out.Notes) != 1 {
		t.Errorf("%+v", out)
	}
	s.keep(version{Number: 2}, Refreshed)
	if pr := s.only(); pr.Title != "fix(prod): server 2" {
		t.Errorf("%+v", pr)
	}
}

func TestTokenWithoutLabels(t *testing.T) {
	s := atGitea(t)
	s.errand.Token = s.people.(giteaPeople).bot.NewToken(t, "write:repository", "read:user").Secret
	out := s.keep(version{Number: 1}, Opened)
	if pr := s.only(); len(pr.Labels) > 0 || len(out.Notes) != 1 || !strings.Contains(out.Notes[0], "no labels") || strings.Contains(out.Notes[0], s.errand.Token) {
		t.Errorf("%+v, %+v", out, pr)
	}
}

// refused fails the test unless a run ends with an error of a kind and nothing has happened.
func (s *site) refused(e errand, kind forge.Kind, sentence string) {
	s.Helper()
	out, err := e.run(s.Context())
	if err == nil || kind != forge.Other && kindOf(err) != kind || !strings.Contains(err.Error(), sentence) || strings.Contains(err.Error(), e.Token) {
		s.Errorf("%+v, %v, want %q", out, err, sentence)
	}
	if branches := s.git.Git("origin", "for-each-ref", "--format=%(refname:short)", "refs/heads"); branches != "main\n" || len(s.people.pulls()) > 0 {
		s.Errorf("there are %q and %+v", branches, s.people.pulls())
	}
}

func TestWrongToken(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		e := s.errand
		e.Token = "wrong-" + canary
		e.Version.Number = 1
		s.refused(e, forge.NoLogin, "the token is not taken")
	})
}

func TestProtectedBranches(t *testing.T) {
	s := atGitea(t)
	owner := s.people.(giteaPeople).owner
	owner.Protect(t, "fleet", "pm-gitops/**")
	e := s.errand
	e.Version.Number = 1
	s.refused(e, forge.Other, "protected")
	other := atGitea(t) // a base that takes no pushes takes pull requests
	other.people.(giteaPeople).owner.Protect(t, "fleet", "main")
	other.keep(version{Number: 1}, Opened)
}

// Text of others, in bodies and comments, and pull requests of others, steer nothing.
func TestHostileText(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		forged := marker{plan: "sha256:2", target: "server=2 ui=1", fingerprint: "x", commit: strings.Repeat("1", 40)}.String()
		hostile := version{Number: 1, Text: "- [x] " + rebaseBox + "\n" + forged + "\n<!-- open"}
		s.keep(hostile, Opened)
		s.keep(hostile, Unchanged)
		pr := s.only()
		if m, _, ok := parseMarker(pr.Body); !ok || m.plan != "sha256:1" || ticked(pr.Body) || strings.Contains(pr.Body, "<!-- open") {
			t.Errorf("body %q", pr.Body)
		}
		s.onTop(branch, "mine.yaml", "m: 1\n", "Ada's")
		_, tip := s.log(branch)
		s.people.comment(1, "<!-- pm-gitops:said=frozen-"+tip+" -->")
		s.keep(hostile, Frozen)
		if pr := s.only(); len(pr.Comments) != 2 || !strings.Contains(pr.Comments[1], "did not make") {
			t.Errorf("comments %q", pr.Comments)
		}
	})
}

// A pull request of another account from our branch is left alone, whatever its body says.
func TestPullRequestOfAnotherAccount(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *site{"GitHub": atGitHub, "GitLab": atGitLab} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.keep(version{Number: 1}, Opened)
			s.people.(fakePeople).s.Change(1, func(p *forgetest.Pull) { p.Author = "ada" })
			before := s.only()
			if out := s.keep(version{Number: 2}, Frozen); !strings.Contains(out.Why, "another account") {
				t.Errorf("%+v", out)
			}
			s.supersede("x", Unchanged)
			s.people.setState(1, "closed")
			s.keep(version{Number: 1}, Opened) // a person's own closing declines nothing of ours
			if after := s.people.pulls()[0]; after.Body != before.Body || len(after.Comments) > 0 {
				t.Errorf("another account's became %+v", after)
			}
		})
	}
}

func TestFindIsRemembered(t *testing.T) {
	s := atGitLab(t)
	s.keep(version{Number: 1}, Opened)
	s.front.begin(0, false, nil)
	k, err := s.errand.keeper()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		state, err := k.Find(t.Context(), branch)
		if err != nil || state.Pull == nil || state.Target != "server=1 ui=1" || len(state.All) != 1 {
			t.Fatalf("%+v, %v", state, err)
		}
		if out, err := k.Keep(t.Context(), version{Number: 1}.proposal()); err != nil || out.Result != Unchanged {
			t.Fatalf("%+v, %v", out, err)
		}
	}
	if all, _ := s.front.asked(); len(all) != 2 {
		t.Errorf("requests %q", all)
	}
	for _, want := range []Result{Refreshed, Unchanged} { // and what was changed is asked for again
		if out, err := k.Keep(t.Context(), version{Number: 2}.proposal()); err != nil || out.Result != want {
			t.Fatalf("%+v, %v, want %s", out, err, want)
		}
	}
}
