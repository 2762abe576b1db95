package upgrade

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gittest"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
	"github.com/pm-gitops/pm-gitops/targets"
)

const staging = `apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: staging}
extends: ../defaults.yaml
spec:
  instance: {name: customer-managed, frontendUrl: https://ui.b.c, backendUrl: https://api.b.c, ownerEmail: o@b.c}
  mesh: existing
  auth: {okta: {clientID: a, clientSecret: {secret: s, key: k}, authServerURL: https://o.b.c}}
  redis: {cache: {host: a}, work: {host: a}, streams: {host: a}}
  database: {primary: db, serviceUser: {password: {secret: s, key: k}}, superUser: {password: {secret: s, key: k}}}
  delivery: {target: flux}
`

// story is a repository whose commits are made on days of their own.
type story struct{ *gittest.World }

// noon is the moment of a day, the first of which is 2025-12-01.
func noon(day int) time.Time { return time.Date(2025, 12, day, 12, 0, 0, 0, time.UTC) }

// commit commits files on a day.
func (s *story) commit(day int, files ...string) {
	s.T.Helper()
	for i := 0; i < len(files); i += 2 {
		s.Write("origin/"+files[i], files[i+1])
	}
	s.Env["GIT_COMMITTER_DATE"] = noon(day).Format(time.RFC3339)
	s.Git("origin", "add", ".")
	s.Git("origin", "commit", "-q", "--allow-empty", "-m", "day "+strconv.Itoa(day))
}

// server has the environment run a version, through its defaults.
func server(version int) []string {
	return []string{"environments/staging.yaml", staging, "defaults.yaml", fmt.Sprintf("apiVersion: pm-gitops/v1\nkind: EnvironmentDefaults\nspec:\n  versions: {prefectCloud: 1.2.900, server: \"2025.10.%d\", ui: \"2025.10.1\"}\n", version)}
}

// Since when an environment has the versions is found in its file's history on the base
// branch, by first parents; the commits' days are those that git was given.
func TestSoaking(t *testing.T) {
	for name, tt := range map[string]struct {
		write func(*story)
		want  time.Time // zero: since when is not known
		why   string
	}{
		"one commit brought it": {write: func(s *story) { s.commit(1, server(1)...); s.commit(5, server(2)...); s.commit(7) }, want: noon(5)},
		"a newer one counts":    {write: func(s *story) { s.commit(1, server(1)...); s.commit(5, server(2)...); s.commit(7, server(3)...) }, want: noon(5)},
		"the first commit":      {write: func(s *story) { s.commit(3, server(2)...) }, want: noon(3)},
		"taken back and again": {write: func(s *story) {
			s.commit(1, server(2)...)
			s.commit(4, server(1)...)
			s.commit(8, server(2)...)
		}, want: noon(8)},
		"a merge counts, not what it merges": {write: func(s *story) {
			s.commit(1, server(1)...)
			s.Git("origin", "switch", "-q", "-c", "side")
			s.commit(2, server(2)...)
			s.Git("origin", "switch", "-q", "main")
			s.commit(3)
			s.Env["GIT_COMMITTER_DATE"] = noon(6).Format(time.RFC3339)
			s.Git("origin", "merge", "-q", "--no-ff", "-m", "merge", "side")
		}, want: noon(6)},
		"a clock that went back":        {write: func(s *story) { s.commit(6, server(1)...); s.commit(2, server(2)...) }, want: noon(6)},
		"the file had another name":     {write: func(s *story) { s.commit(1, "old.yaml", staging); s.commit(4, server(2)...) }, want: noon(4)},
		"the file was none":             {write: func(s *story) { s.commit(1, "environments/staging.yaml", "a: ["); s.commit(4, server(2)...) }, want: noon(4)},
		"old enough ends the search":    {write: func(s *story) { s.commit(-30, server(2)...); s.commit(-20); s.commit(9) }, want: noon(-20)},
		"longer ago than one request":   {write: func(s *story) { s.commit(1, server(1)...); s.commit(2, server(2)...); many(s, 20, 3) }, want: noon(2)},
		"longer ago than is looked for": {write: func(s *story) { s.commit(2, server(2)...); many(s, maxDepth+1, 3) }, why: "it is longer ago than the newest 1024 commits"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &story{World: gittest.New(t)}
			s.Git("", "init", "-q", "origin")
			s.Git("origin", "config", "uploadpack.allowFilter", "true")
			s.Git("origin", "config", "uploadpack.allowAnySHA1InWant", "true")
			tt.write(s)
			since, why := soakOf(t, s)
			if !since.Equal(tt.want) || why != tt.why {
				t.Errorf("since %s (%q), want %s (%q)", since.UTC(), why, tt.want, tt.why)
			}
		})
	}
}

// many makes empty commits on a day, as fast as git can.
func many(s *story, count, day int) {
	var stream strings.Builder
	for i := range count {
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 1\nx\n", noon(day).Unix()+int64(i))
		if i == 0 {
			stream.WriteString("from refs/heads/main^0\n")
		}
	}
	s.Write("stream", stream.String())
	s.Git("origin", "-c", "alias.import=!git fast-import --quiet < ../stream", "import")
}

// soakOf asks since when staging has the versions of an upgrade to 2025.10.2, on the 10th.
func soakOf(t *testing.T, s *story) (time.Time, string) {
	t.Helper()
	now := func() time.Time { return noon(10) }
	sys := gitrepo.NewSystem(func(name string) string { return s.Env[name] }, s.Environ(), now)
	remote, err := gitrepo.OpenRemote(t.Context(), sys, "file://"+s.Home+"/origin", gitrepo.RemoteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{Maker: Maker{Target: render.Only(targets.Flux{})}, Now: now()}
	if r.base, err = remote.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.all, err = fleet.Load(t.Context(), fleet.Request{Files: []string{"environments/staging.yaml"}, Repository: r.base.FS(t.Context())}, r.Target); err != nil {
		t.Fatal(err)
	}
	facts := upgrade.Facts{Now: upgrade.Versions{upgrade.Server: "2025.10.1"}, To: upgrade.Versions{upgrade.Server: "2025.10.2"}}
	policy := render.Upgrade{After: []render.UpgradeAfter{{Environment: "staging", Soak: "480h"}}}
	first := r.predecessors(t.Context(), policy, facts)["staging"]
	return first.Since, first.Why
}
