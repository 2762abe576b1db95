package upgrade

import (
	"context"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gittest"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
	"github.com/pm-gitops/pm-gitops/targets"
)

// noCharts looks into no charts.
type noCharts struct{}

func (noCharts) Needs(context.Context, fleet.Member, lock.Lock, bool) (Needs, error) {
	return Needs{}, nil
}

func (noCharts) Compare(context.Context, fleet.Member, fleet.Member, tree.Tree) (Effects, error) {
	return Effects{}, nil
}

// While a run is under way others change the versions on the base branch: those that the
// upgrade does not name stay as they are by then, and one that it names is not taken back.
func TestBaseMoves(t *testing.T) {
	const from, to, problem = `server: "2025.10.1", ui: "2025.10.1"`, `server: "2025.10.2", ui: "2025.10.5"`,
		"upgrade server of staging: the base branch got 2025.10.7 meanwhile, and had 2025.10.1: run upgrade again"
	for meanwhile, want := range map[string]string{`server: "2025.10.1", ui: "2025.10.5"`: to, `server: "2025.10.7", ui: "2025.10.1"`: ""} {
		s := &story{World: gittest.New(t)}
		s.Git("", "init", "-q", "origin")
		s.Git("origin", "config", "uploadpack.allowFilter", "true")
		s.Git("origin", "config", "uploadpack.allowAnySHA1InWant", "true")
		s.commit(1, server(1)...)
		sys := gitrepo.NewSystem(func(name string) string { return s.Env[name] }, s.Environ(), nil)
		read := func() *gitrepo.Base {
			remote, err := gitrepo.OpenRemote(t.Context(), sys, "file://"+s.Home+"/origin", gitrepo.RemoteOptions{})
			if err != nil {
				t.Fatal(err)
			}
			base, err := remote.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return base
		}
		r := &Run{Maker: Maker{Target: render.Only(targets.Flux{}), Charts: noCharts{}, Layouts: tree.Layouts{}}, Commit: publish.Request{Version: "v1"}, base: read()}
		members, err := fleet.Load(t.Context(), fleet.Request{Files: []string{"environments/staging.yaml"}, Repository: r.base.FS(t.Context())}, r.Target)
		if err != nil {
			t.Fatal(err)
		}
		now := upgrade.VersionsOf(members[0].Environment)
		p := proposed{run: r, member: members[0], change: Change{From: now}, to: now.Newest(upgrade.Versions{upgrade.Server: "2025.10.2"})}
		files := server(1)
		files[3] = strings.Replace(files[3], from, meanwhile, 1)
		s.commit(2, files...)
		drafts, err := p.prepare(t.Context(), read())
		switch {
		case want == "" && (err == nil || err.Error() != problem):
			t.Errorf("%s: got %v, want %s", meanwhile, err, problem)
		case want == "":
		case err != nil:
			t.Errorf("%s: %v", meanwhile, err)
		case !strings.Contains(string(drafts[0].Changes.Write["defaults.yaml"]), want):
			t.Errorf("%s: got %q, want %s", meanwhile, drafts[0].Changes.Write["defaults.yaml"], want)
		}
	}
}
