//go:build e2e

package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/pm-gitops/pm-gitops/cmd/internal/giteatest"
	standins "github.com/pm-gitops/pm-gitops/testdata/charts"
)

// A patch goes the whole way of a pull request: what is not in the mirror makes it a
// draft, mirror copies it, upgrade makes the same pull request ready, it is merged, the
// delivery system reconciles, and the next upgrade has nothing to do. Gitea is real.
func TestUpgradeByPullRequest(t *testing.T) {
	both(t, func(f *fixture) {
		f.moveGit()
		f.vendor(oldServer, oldUI)
		f.step("install", func() {
			f.run("pm-gitops", "mirror", "-f", f.env.file)
			f.install()
			f.check(f.checkInstall())
		})
		f.step("patch", func() {
			f.vendor(patchServer, patchUI)
			before := f.Journal.Now()
			opened := f.upgrade(patchServer, patchUI)
			if !opened.draft() || !strings.Contains(opened.Body, "pm-gitops mirror -f "+f.env.file) {
				f.Fatalf("what is not in the mirror is proposed as %q, with\n%s", opened.Title, opened.Body)
			}
			f.mirrorOf(opened)
			f.merge(f.upgrade(patchServer, patchUI))
			f.awaitUpgrade(patchServer)
			f.check(f.checkPatch(before, patchServer))
		})
		f.step("nothing to do", func() {
			f.run("pm-gitops", "upgrade", "-f", f.env.file, "--target", f.target, "--server", patchServer, "--ui", patchUI)
			if open := f.pulls(); len(open) > 0 {
				f.Fatalf("%d pull requests are open: %+v", len(open), open)
			}
		})
	},
		mistake{"another commit on the branch", "", edit("prefect/overlays/prod/prefect-cloud/*-patch.yaml", `^( +)migrations:$`, "${1}istio: {gateway: {replicas: 3}}\n${1}migrations:"), mergedMore, `^the patch changed .*/prefect-istio-gateway`})
}

// mergedMore merges a pull request to which a person added a commit. The bot leaves it
// alone, verify notices it, and so does who looks at what the patch changed.
func mergedMore(f *fixture, mistake mutation) error {
	const server, ui = "2025.10.202601120915", "2026.0112.101500"
	f.vendor(server, ui)
	before := f.Journal.Now()
	f.mirrorOf(f.upgrade(server, ui))
	opened := f.upgrade(server, ui)
	f.run("git", "fetch", "-q", "origin", opened.Head.Ref)
	f.run("git", "checkout", "-q", "-b", "theirs", "FETCH_HEAD")
	mistake(f)
	f.run("git", "commit", "-q", "-a", "-m", "more gateways")
	f.run("git", "push", "-q", "origin", "HEAD:"+opened.Head.Ref)
	theirs := strings.TrimSpace(f.run("git", "rev-parse", "HEAD"))
	if out, code := f.try(f.ctx, "pm-gitops", "verify", "-f", f.env.file, "--target", f.target, "HEAD"); code != 3 {
		f.Fatalf("verify: exit code %d\n%s%s", code, out, f.stderr)
	}
	f.run("git", "checkout", "-q", "main")
	if again := f.upgrade(server, ui); again.Head.Sha != theirs {
		f.Fatalf("the bot replaced the commit of a person by %s", again.Head.Sha)
	}
	f.merge(opened)
	f.awaitUpgrade(server)
	return f.checkPatch(before, server)
}

// pull is a pull request as Gitea has it.
type pull struct {
	Number    int
	Title     string
	Body      string
	Mergeable bool
	Head      struct{ Ref, Sha string }
}

// draft reports whether Gitea takes it for a draft, which it tells by its title.
func (p pull) draft() bool { return strings.HasPrefix(p.Title, "WIP:") }

// forgeRepository is the repository of a fixture at Gitea.
type forgeRepository struct {
	owner *giteatest.User
	path  string // of the API
}

// moveGit puts a repository at Gitea in the place of the world's. It is reached through a
// proxy with a certificate that every program of the world trusts.
func (f *fixture) moveGit() {
	f.Helper()
	config, err := f.CA.TLS("127.0.0.1")
	f.check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	f.check(err)
	at := "https://" + listener.Addr().String()
	gitea := giteatest.Start(f.T, "server.ROOT_URL="+at+"/")
	behind, err := url.Parse(gitea.URL)
	f.check(err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.Transport, proxy.ErrorLog = gitea.Transport(), log.New(io.Discard, "", 0)
	server := &http.Server{Handler: proxy, ErrorLog: proxy.ErrorLog}
	go server.Serve(tls.NewListener(listener, config))
	f.Cleanup(func() { server.Close() })

	owner := gitea.NewUser(f.T)
	owner.NewRepository(f.T, "fleet")
	f.forge = forgeRepository{owner, "/repos/" + owner.Name + "/fleet"}
	f.token = owner.NewToken(f.T, "write:repository", "write:issue", "read:user").Secret
	f.Git.URL, f.repo = at, at+"/"+owner.Name+"/fleet.git"
	f.env.set("spec.delivery.git.url", f.repo)
	f.check(os.RemoveAll(f.checkout))
	f.clone()
}

// vendor puts the charts of the installation, and images of two tags, where the vendor
// has them: beside the mirror.
func (f *fixture) vendor(server, ui string) {
	f.Helper()
	f.env.set("spec.registry.source", f.Registry.Host+"/vendor")
	f.env.set("spec.values.prefect-istiod.istioDiscovery.hub", f.Registry.Host+"/prefect") // of istiod and the proxies
	f.write("environments/catalog.yaml", catalog)
	if server == oldServer {
		f.write(f.env.file, f.env.text(f))
	}
	transport := crane.WithTransport(f.CA.Transport())
	for _, name := range []string{standins.Istiod, standins.Cloud} {
		f.check(crane.Copy(f.Registry.Host+"/prefect/charts/"+name+":"+oldChart, f.Registry.Host+"/vendor/charts/"+name+":"+oldChart, transport))
	}
	for _, at := range []string{"server:" + server, "ui:" + ui, "pilot:1.27.900", "proxyv2:1.27.900"} {
		if _, err := crane.Digest(f.Registry.Host+"/vendor/"+at, transport); err == nil {
			continue // a tag is never moved
		}
		image, err := random.Image(1000, 2)
		f.check(err)
		f.check(crane.Push(image, f.Registry.Host+"/vendor/"+at, transport))
	}
}

// upgrade has the bot propose two tags, and gives the only pull request that is open then.
func (f *fixture) upgrade(server, ui string) pull {
	f.Helper()
	f.run("pm-gitops", "upgrade", "-f", f.env.file, "--target", f.target, "--server", server, "--ui", ui)
	open := f.pulls()
	if len(open) != 1 {
		f.Fatalf("%d pull requests are open, want 1: %+v", len(open), open)
	}
	return open[0]
}

// mirrorOf does what a pull request asks for before it can be merged.
func (f *fixture) mirrorOf(p pull) {
	f.Helper()
	f.run("git", "fetch", "-q", "origin", p.Head.Ref)
	f.run("git", "checkout", "-q", "FETCH_HEAD")
	f.run("pm-gitops", "mirror", "-f", f.env.file)
	f.run("git", "checkout", "-q", "main")
}

// pulls lists the pull requests that are open.
func (f *fixture) pulls() (open []pull) {
	f.Helper()
	f.forge.owner.Do(f.T, "GET", f.forge.path+"/pulls?state=open", nil, &open)
	return open
}

// merge merges a pull request as a person does, once Gitea knows that it can, and brings
// the checkout along.
func (f *fixture) merge(p pull) {
	f.Helper()
	if p.draft() {
		f.Fatalf("still a draft: %q", p.Title)
	}
	at := fmt.Sprintf("%s/pulls/%d", f.forge.path, p.Number)
	f.until("Gitea can merge it", time.Minute, func() bool {
		f.forge.owner.Do(f.T, "GET", at, nil, &p)
		return p.Mergeable
	})
	f.forge.owner.Do(f.T, "POST", at+"/merge", map[string]any{"Do": "merge"}, nil)
	f.run("git", "pull", "-q", "--ff-only", "origin", "main")
	f.pushed()
}
