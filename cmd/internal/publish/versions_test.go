package publish_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// messageOf gives the message of the second commit where a repository gets the first
// environments and then the others.
func messageOf(t *testing.T, target render.Target, tamper func([]byte) []byte, before, after map[string]string) string {
	t.Helper()
	w := newWorld(t)
	for i, environments := range []map[string]string{before, after} {
		files := fstest.MapFS{}
		for name, content := range environments {
			files[name] = &fstest.MapFile{Data: []byte(content)}
		}
		request := publish.Request{System: w.system(), Version: "v1", Force: i > 0, Make: func(ctx context.Context, _ fs.FS) (publish.Job, error) {
			members, err := fleet.Render(ctx, fleet.Request{Files: []string{"environments"}, Repository: files}, render.Only(target))
			if i == 0 && tamper != nil {
				for _, m := range members {
					for name, content := range m.Rendering.Tree {
						m.Rendering.Tree[name] = tamper(content)
					}
				}
			}
			return publish.Rendered{Members: members, Layouts: layouts}, err
		}}
		if _, err := publish.ToRemote(t.Context(), w.url(), request); err != nil {
			t.Fatal(err)
		}
	}
	return w.git("fleet.git", "log", "-1", "--format=%B", "main")
}

// TestMessagesNameVersions: whatever manifests have another version of is in the subject,
// or in the body where the subject has no room for it.
func TestMessagesNameVersions(t *testing.T) {
	pinned, err := os.ReadFile("../../../testdata/env/pinned.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile("../../../testdata/env/platform/.pm-gitops/pinned.lock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const server, ui, chart = `2025.10.202511042343`, `2025.1023.154520`, "1.2.900"
	one := map[string]string{"environments/pinned.yaml": string(pinned), "platform/.pm-gitops/pinned.lock.yaml": string(lock)}
	edited := func(pairs ...string) map[string]string {
		all := maps.Clone(one)
		for name := range all {
			all[name] = strings.NewReplacer(pairs...).Replace(all[name])
		}
		return all
	}
	free := map[string]string{"environments/a.yaml": string(minimal(t, "a")), "environments/b.yaml": string(minimal(t, "b"))}
	tag := regexp.MustCompile(`server: "([^"]+)`).FindStringSubmatch(free["environments/a.yaml"])[1]
	both := map[string]string{}
	for name, content := range free {
		both[name] = strings.ReplaceAll(content, tag, "2026.1.1")
	}
	long := strings.Repeat("9", 40)
	tests := []struct {
		name          string
		before, after map[string]string
		tamper        func([]byte) []byte
		want          string
	}{
		{"server", one, edited(server, "2025.10.9"), nil, "fix(prefect/pinned): server " + server + " -> 2025.10.9\n\n0 created, "},
		{"ui and server", one, edited(server, "2025.10.9", ui, "2025.1"), nil, "fix(prefect/pinned): server " + server + " -> 2025.10.9, ui " + ui + " -> 2025.1\n\n0"},
		{"charts", one, edited(chart, "1.2.901"), nil, "fix(prefect/pinned): istiod 1.2.900 -> 1.2.901, chart 1.2.900 -> 1.2.901\n\n"},
		{"another release", one, edited("2025.11.1", "2025.11.2"), nil, "fix(prefect/pinned): exporter 2025.11.1 -> 2025.11.2\n\n"},
		{"no version", one, edited("owner@company.com", "other@company.com"), nil, "chore(prefect/pinned): render for TARGET\n\n0 created, "},
		{"several environments", free, both, nil, "fix(prefect): server " + tag + " -> 2026.1.1 in 2 environments\n\n- a: server " + tag + " -> 2026.1.1; "},
		{"different ones", free, map[string]string{"environments/a.yaml": both["environments/a.yaml"], "environments/b.yaml": strings.ReplaceAll(free["environments/b.yaml"], "owner@", "other@")}, nil,
			"chore(prefect): render 2 environments for TARGET\n\n- a: server " + tag + " -> 2026.1.1; "},
		{"many", one, edited(server, "2025.10."+long, ui, "2025.10"+long, chart, "1.2.901"), nil, "fix(prefect/pinned): change 4 versions\n\n- istiod 1.2.900 -> 1.2.901\n- chart "},
		{"hostile", one, edited(server, "2025.10.9"), func(content []byte) []byte {
			return []byte(strings.ReplaceAll(string(content), `"`+server, `"x\n\nPm-Gitops-Version: v9`))
		}, "chore(prefect/pinned): render for TARGET\n\n"},
	}
	for _, target := range []render.Target{targets.Flux{}, targets.Argo{}} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s for %s", tt.name, target.Name()), func(t *testing.T) {
				got := messageOf(t, target, tt.tamper, tt.before, tt.after)
				if want := strings.ReplaceAll(tt.want, "TARGET", target.Name()); !strings.HasPrefix(got, want) {
					t.Errorf("the message is\n%s\nwant it to begin with\n%s", got, want)
				}
				if strings.Count(got, "Pm-Gitops-Version: ") != 1 {
					t.Errorf("trailers of others in\n%s", got)
				}
			})
		}
	}
}
