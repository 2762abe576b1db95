package pullrequest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sound fails the test unless the branch has one commit on top of a base, of the bot, and the
// marker knows it.
func (s *site) sound(base, body string) {
	s.Helper()
	subjects, tip := s.log(branch)
	_, at := s.log(base)
	if parent := strings.TrimSpace(s.git.Git("origin", "rev-parse", branch+"^")); parent != at {
		s.Errorf("the branch has %s on %s, and not on %s, which is %s", subjects, parent, base, at)
	}
	if !strings.Contains(body, " commit="+tip+" ") || !strings.HasSuffix(body, " -->") {
		s.Errorf("the branch is at %s, the body ends %q", tip, body[max(0, len(body)-300):])
	}
}

func TestOpenAndRefresh(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		first := s.keep(version{Number: 1}, Opened)
		pr := s.only()
		if pr.Title != "fix(prod): server 1" || !strings.HasPrefix(pr.Body, "Server 1.\n") || !slices.Equal(pr.Labels, []string{"env/prod", "patch"}) || pr.State != "open" || pr.Draft {
			t.Errorf("opened %+v", pr)
		}
		s.sound("main", pr.Body)
		if got := s.git.Git("origin", "log", "-1", "--format=%an %ce%n%B", branch); got != "Bot bot@example.com\nfix(prod): server 1\n\nPm-Gitops-Version: v1\nPm-Gitops-Proposal: sha256:1\n\n" {
			t.Errorf("commit %q", got)
		}
		if first.Pull.Number != 1 || first.Pull.URL == "" || len(first.Notes) > 0 {
			t.Errorf("outcome %+v", first)
		}
		_, tip := s.log(branch)
		if first.Commit != tip {
			t.Errorf("commit %s, want %s", first.Commit, tip)
		}
		s.keep(version{Number: 1}, Unchanged)
		if _, now := s.log(branch); now != tip || s.only().Body != pr.Body {
			t.Error("what is as it should be was changed")
		}
		s.people.label(1, "wait")
		s.keep(version{Number: 1}, Unchanged)
		s.keep(version{Number: 2, Labels: []string{"blocked", "env/prod"}, Draft: true}, Refreshed)
		pr = s.only()
		if !strings.HasSuffix(pr.Title, "fix(prod): server 2") || !strings.HasPrefix(pr.Body, "Server 2.\n") || !pr.Draft || !slices.Equal(pr.Labels, []string{"blocked", "env/prod", "wait"}) {
			t.Errorf("refreshed %+v", pr)
		}
		s.sound("main", pr.Body)
		if got := s.git.Git("origin", "show", branch+":prod.yaml"); got != "server: 2\n" {
			t.Errorf("the branch has %q", got)
		}
		s.keep(version{Number: 2, Labels: []string{"env/prod"}}, Refreshed) // the same plan: nothing is pushed
		if pr = s.only(); pr.Draft || !slices.Equal(pr.Labels, []string{"env/prod", "wait"}) {
			t.Errorf("ready %+v", pr)
		}
		s.keep(version{Number: 2, Labels: []string{"env/prod"}}, Unchanged)
	})
}

// A label of ours that is missing is put on again: a run may have been killed before that.
func TestLabelsComeBack(t *testing.T) {
	s := atGitHub(t)
	s.keep(version{Number: 1, Labels: []string{"env/prod"}}, Opened)
	s.people.edit(1, strings.Replace(s.only().Body, "labels=env/prod", "labels=env/prod,patch", 1))
	s.keep(version{Number: 1, Labels: []string{"env/prod"}}, Refreshed)
	if got := s.only().Labels; !slices.Equal(got, []string{"env/prod", "patch"}) {
		t.Errorf("labels %q", got)
	}
}

func TestClosedByAPersonStaysClosed(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		s.keep(version{Number: 1}, Opened)
		s.people.setState(1, "closed")
		s.people.comment(1, "no <!-- pm-gitops:said=closing-sha256:1 -->")
		out := s.keep(version{Number: 1, Text: "another text"}, Declined)
		if out.Pull.Number != 1 || !strings.Contains(out.Why, "reopen it") {
			t.Errorf("declined %+v", out)
		}
		s.onTop("main", "prod.yaml", "server: 0 # here\n", "chore: a comment")
		s.keep(version{Number: 1, Plan: "sha256:other"}, Declined) // the base moved, the target did not
		if _, api := s.front.asked(); s.only().State != "closed" || api > 2 {
			t.Errorf("declined %+v", s.only())
		}
		s.keep(version{Number: 2}, Opened)
		if all := s.people.pulls(); len(all) != 2 || all[0].State != "closed" || all[1].State != "open" {
			t.Errorf("for another target: %+v", all)
		}
		s.sound("main", s.people.pulls()[1].Body)
		s.people.setState(2, "closed")
		s.people.setState(1, "open")
		s.keep(version{Number: 1, Plan: "sha256:other"}, Refreshed)
		s.sound("main", s.people.pulls()[0].Body)
	})
}

func TestSupersede(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		s.supersede("x", Unchanged)
		s.keep(version{Number: 1}, Opened)
		s.supersede("Version 2 is out, @ada #1.", Superseded)
		pr := s.only()
		if pr.State != "closed" || len(pr.Comments) != 1 || !strings.HasPrefix(pr.Comments[0], "Version 2 is out, `@ada #1`.\n") {
			t.Errorf("superseded %+v", pr)
		}
		s.supersede("again", Unchanged)
		s.keep(version{Number: 1}, Opened) // no person closed it
		if all := s.people.pulls(); len(all) != 2 || all[1].State != "open" {
			t.Errorf("wanted again: %+v", all)
		}
		s.sound("main", s.people.pulls()[1].Body)
	})
}

func TestAnotherBase(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		s.onTop("main", "other.yaml", "a: 2\n", "chore: other")
		s.push("main:refs/heads/release")
		s.keep(version{Number: 1, Base: "main"}, Opened)
		s.front.begin(0, false, nil)
		e := s.errand
		e.Version = version{Number: 1, Base: "release"}
		if out, err := e.run(t.Context()); err != nil || out.Result != Opened {
			t.Fatalf("%+v, %v", out, err)
		}
		all := s.people.pulls()
		if len(all) != 2 || all[0].State != "closed" || all[1].State != "open" {
			t.Errorf("for another base: %+v", all)
		}
		s.sound("release", all[1].Body)
		s.keep(version{Number: 1, Base: "release"}, Unchanged)
	})
}

func TestBaseMoves(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		s.keep(version{Number: 1}, Opened)
		_, tip := s.log(branch)
		s.onTop("main", "other.yaml", "a: 2\n", "chore: elsewhere")
		s.keep(version{Number: 1}, Unchanged)
		if _, now := s.log(branch); now != tip {
			t.Error("a base that moved elsewhere made the branch anew")
		}
		s.onTop("main", "prod.yaml", "server: 0 # the same line\n", "chore: a conflict")
		s.keep(version{Number: 1, Plan: "sha256:on-top-of-that"}, Refreshed)
		s.sound("main", s.only().Body)
		s.onTop("main", "prod.yaml", "server: 1\n", "fix: by hand")
		s.keep(version{Number: 1, Plan: "sha256:nothing-left"}, Superseded)
		if pr := s.only(); pr.State != "closed" || !strings.HasPrefix(pr.Comments[0], "The base branch has this change already.") {
			t.Errorf("needless: %+v", pr)
		}
	})
}

func TestSomebodyElsesCommitFreezes(t *testing.T) {
	sites(t, func(t *testing.T, s *site) {
		s.keep(version{Number: 1}, Opened)
		for i, ask := range []func(){
			func() { s.people.label(1, "rebase") },
			func() { s.people.edit(1, strings.Replace(s.only().Body, "- [ ] <!--", "- [x] <!--", 1)) },
		} {
			s.onTop(branch, "mine.yaml", "m: "+strconv.Itoa(i)+"\n", "Ada's")
			before := s.only()
			s.keep(version{Number: i + 2}, Frozen)
			_, tip := s.log(branch)
			pr := s.only()
			if len(pr.Comments) != i+1 || !strings.Contains(pr.Comments[i], "did not make") || pr.Title != before.Title {
				t.Fatalf("frozen: %+v", pr)
			}
			out := s.keep(version{Number: i + 3}, Frozen)
			if all, _ := s.front.asked(); len(all) > 3 || len(s.only().Comments) != i+1 || s.only().Body != pr.Body || !strings.Contains(out.Why, "label rebase") {
				t.Errorf("said again, %+v, after %q: %+v", out, all, s.only())
			}
			s.supersede("no", Frozen)
			if subjects, now := s.log(branch); now != tip {
				t.Errorf("the branch has %s", subjects)
			}
			ask()
			s.keep(version{Number: i + 3}, Refreshed)
			pr = s.only()
			if slices.Contains(pr.Labels, "rebase") || ticked(pr.Body) || !strings.HasPrefix(pr.Body, "Server "+strconv.Itoa(i+3)) || len(pr.Comments) != i+1 {
				t.Errorf("made anew: %+v", pr)
			}
			s.sound("main", pr.Body)
			s.keep(version{Number: i + 3}, Unchanged)
		}
	})
}

// A person who takes their commit off the branch ends the freeze.
func TestFreezeEnds(t *testing.T) {
	s := atGitLab(t)
	s.keep(version{Number: 1}, Opened)
	_, tip := s.log(branch)
	s.onTop(branch, "mine.yaml", "m: 1\n", "Ada's")
	s.keep(version{Number: 1}, Frozen)
	s.push("-f", tip+":refs/heads/"+branch)
	s.keep(version{Number: 1}, Refreshed)
	s.keep(version{Number: 1}, Unchanged)
}
