package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
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

// forgeOf is the account of a script at Gitea, and what the program asked of it.
type forgeOf struct {
	user     *giteatest.User
	test     testing.TB
	api, git atomic.Int64
}

// count passes requests on to Gitea, and counts them.
func (f *forgeOf) count(t testing.TB, server *giteatest.Server) *httptest.Server {
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(server.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(content)
	proxy := httputil.NewSingleHostReverseProxy(at)
	proxy.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	counted := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			f.api.Add(1)
		} else {
			f.git.Add(1)
		}
		proxy.ServeHTTP(w, r)
	}))
	counted.Config.ErrorLog = proxy.ErrorLog // connections that the program ends
	counted.StartTLS()
	t.Cleanup(counted.Close)
	return counted
}

// countRequests gives how many requests the program sent since the last time: requests.
func countRequests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: requests")
	}
	own := ts.Value(forgeKey{}).(*forgeOf)
	_, err := fmt.Fprintf(ts.Stdout(), "api %d\ngit %d\n", own.api.Swap(0), own.git.Swap(0))
	ts.Check(err)
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
		own := ts.Value(forgeKey{}).(*forgeOf)
		own.test = scripted{t, ts}
		server := forgeServer.Server(own.test)
		own.user = server.NewUser(own.test)
		counted := own.count(own.test, server)
		certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: counted.Certificate().Raw})
		ts.Check(os.WriteFile(ts.MkAbs("forge.pem"), certificate, 0o666))
		from := strings.Replace(own.user.NewRepository(own.test, args[0]), server.URL, counted.URL, 1)
		ts.Setenv("FLEET", from)
		ts.Setenv("PUSH", strings.Replace(from, "://", "://"+own.user.Name+":"+own.user.Password+"@", 1))
		ts.Setenv("AT", "/repos/"+own.user.Name+"/"+args[0])
		ts.Setenv("GITEA_SERVER_URL", counted.URL)
		ts.Setenv("GITEA_TOKEN", own.user.NewToken(own.test, "write:repository", "write:issue", "read:user").Secret)
		ts.Setenv("GIT_SSL_CAINFO", ts.MkAbs("forge.pem"))
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
