package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pm-gitops/pm-gitops/cmd/internal/giteatest"
)

// forgeServer is one Gitea for all scripts.
var forgeServer giteatest.Shared

// scripted is the test of a script, which ends without the others.
type scripted struct {
	testing.TB
	script *testscript.TestScript
}

func (s scripted) Fatal(args ...any)                 { s.script.Fatalf("%s", fmt.Sprint(args...)) }
func (s scripted) Fatalf(format string, args ...any) { s.script.Fatalf(format, args...) }

// forgeOf is the account of a script at Gitea.
type forgeOf struct {
	user *giteatest.User
	test testing.TB
}

type forgeKey struct{}

// startForge makes an account and a private repository at Gitea, and sets the variables that
// the program needs for it: forge NAME. $FLEET is the repository's URL, and $PUSH the same
// with a password in it for git.
func startForge(t testing.TB) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 1 {
			ts.Fatalf("usage: forge NAME")
		}
		own := scripted{t, ts}
		server := forgeServer.Server(own)
		user := server.NewUser(own)
		url := user.NewRepository(own, args[0])
		ts.Value(forgeKey{}).(*forgeOf).user, ts.Value(forgeKey{}).(*forgeOf).test = user, own
		ts.Setenv("FLEET", url)
		ts.Setenv("PUSH", strings.Replace(url, "://", "://"+user.Name+":"+user.Password+"@", 1))
		ts.Setenv("AT", "/repos/"+user.Name+"/"+args[0])
		ts.Setenv("GITEA_SERVER_URL", server.URL)
		ts.Setenv("GITEA_TOKEN", user.NewToken(own, "write:repository", "write:issue", "read:user").Secret)
		ts.Setenv("GIT_SSL_CAINFO", server.CA)
	}
}

// askForge asks Gitea's API as a person, and gives the answer: api METHOD PATH [JSON].
func askForge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: api METHOD PATH [JSON]")
	}
	var body any
	if len(args) == 3 {
		body = json.RawMessage(args[2])
	}
	var answer json.RawMessage
	to, target := ts.Value(forgeKey{}).(*forgeOf), any(&answer)
	if args[0] == "DELETE" || strings.HasSuffix(args[1], "/merge") {
		target = nil
	}
	to.user.Do(to.test, args[0], args[1], body, target)
	_, err := ts.Stdout().Write(append(answer, '\n'))
	ts.Check(err)
}

// listPulls gives the pull requests of $AT, the oldest first, a line each.
func listPulls(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: pulls")
	}
	var all []struct {
		Number int
		State  string
		Merged bool
		Title  string
		Head   struct{ Ref string }
		Base   struct{ Ref string }
		Labels []struct{ Name string }
	}
	to := ts.Value(forgeKey{}).(*forgeOf)
	to.user.Do(to.test, "GET", ts.Getenv("AT")+"/pulls?state=all&sort=oldest", nil, &all)
	out := ts.Stdout() // whatever was there is gone
	for _, pull := range all {
		var labels []string
		for _, label := range pull.Labels {
			labels = append(labels, label.Name)
		}
		_, err := fmt.Fprintf(out, "#%d %s %s <- %s [%s] %s\n", pull.Number, pull.State, pull.Base.Ref, pull.Head.Ref, strings.Join(labels, " "), pull.Title)
		ts.Check(err)
	}
}
