package upgrade

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// The program's client answers both.
var (
	_ Lister = (*registry.Client)(nil)
	_ Dater  = (*registry.Client)(nil)
)

// planOf plans an environment with these lines under spec.
func planOf(t testing.TB, lines ...string) render.Plan {
	t.Helper()
	env, err := render.Parse("prod.yaml", []byte(`apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: prod}
spec:
  instance: {name: a, frontendUrl: http://ui.localdomain, backendUrl: http://api.localdomain, ownerEmail: owner@company.com}
  versions: {prefectIstiod: 1.2.900, prefectCloud: 1.2.900, server: "2025.10.202511042343", ui: "2025.1023.154520"}
  auth: {okta: {clientID: a, clientSecret: {secret: a, key: a}, authServerURL: https://a.okta.com}}
  `+strings.Join(lines, "\n  ")+"\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := render.NewPlan(env, catalog.Embedded(), render.IntoValues)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// fakeLists answers with the tags of repositories, and notes what was asked.
type fakeLists struct {
	tags  map[string]string
	mu    sync.Mutex
	asked map[string]int
}

func (f *fakeLists) Tags(_ context.Context, repository string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked[repository]++
	tags, known := f.tags[repository]
	if !known {
		return nil, errors.New("it forbids lists")
	}
	return strings.Fields(tags), nil
}

func (f *fakeLists) ImageTags(ctx context.Context, repository string) ([]string, error) {
	return f.Tags(ctx, "image "+repository)
}

func TestKnown(t *testing.T) {
	const mirrored = "registry: {source: src.io/cloud, mirror: reg.io/prefect}"
	for name, tt := range map[string]struct {
		spec    []string
		tags    map[string]string
		want    upgrade.Known
		unknown []string
	}{
		"source": {
			spec: []string{"registry: {source: src.io/cloud}"},
			tags: map[string]string{"src.io/cloud/charts/prefect-istiod": "1.2.900", "src.io/cloud/charts/prefect-cloud": "1.2.900 1.2.901", "image src.io/cloud/server": "a b", "image src.io/cloud/ui": ""},
			want: upgrade.Known{
				"prefectIstiod": {Versions: []string{"1.2.900"}, Complete: true},
				"prefectCloud":  {Versions: []string{"1.2.900", "1.2.901"}, Complete: true},
				"server":        {Versions: []string{"a", "b"}, Complete: true},
				"ui":            {Complete: true},
			},
		},
		"source and mirror, one of which forbids lists": {
			spec: []string{mirrored, "mesh: none"},
			tags: map[string]string{"src.io/cloud/charts/prefect-cloud": "1.2.901", "reg.io/prefect/charts/prefect-cloud": "1.2.900", "image reg.io/prefect/server": "a", "image src.io/cloud/ui": "c"},
			want: upgrade.Known{
				"prefectCloud": {Versions: []string{"1.2.900", "1.2.901"}, Complete: true},
				"server":       {Versions: []string{"a"}},
				"ui":           {Versions: []string{"c"}},
			},
			unknown: []string{
				"not known which versions src.io/cloud/server has: it forbids lists",
				"not known which versions reg.io/prefect/ui has: it forbids lists",
			},
		},
		"images that the values name": {
			spec: []string{mirrored, "mesh: none", "values: {prefect-cloud: {global: {backend: {app: {image: {repository: other.io/team/server}}}}, ui: {cloud2: {image: {repository: ui}}}}}"},
			tags: map[string]string{"src.io/cloud/charts/prefect-cloud": "", "reg.io/prefect/charts/prefect-cloud": "", "image other.io/team/server": "a", "image src.io/cloud/ui": "", "image reg.io/prefect/ui": "c"},
			want: upgrade.Known{"prefectCloud": {Complete: true}, "server": {Versions: []string{"a"}, Complete: true}, "ui": {Versions: []string{"c"}, Complete: true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &fakeLists{tags: tt.tags, asked: map[string]int{}}
			lists, plan := NewLists(fake), planOf(t, tt.spec...)
			for range 2 { // and each repository is asked once
				known, unknown, err := lists.Known(t.Context(), plan)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, known); diff != "" {
					t.Errorf("known (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.unknown, unknown); diff != "" {
					t.Errorf("unknown (-want +got):\n%s", diff)
				}
			}
			for repository, times := range fake.asked {
				if times != 1 {
					t.Errorf("%s was asked %d times", repository, times)
				}
			}
			if len(fake.asked) != len(tt.tags)+len(tt.unknown) {
				t.Errorf("asked %v", fake.asked)
			}
		})
	}
}

// TestKnownOfMany asks each repository once for environments that are worked on side by side.
func TestKnownOfMany(t *testing.T) {
	fake := &fakeLists{tags: map[string]string{}, asked: map[string]int{}}
	lists, plan := NewLists(fake), planOf(t)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { _, _, _ = lists.Known(t.Context(), plan) })
	}
	group.Wait()
	if fmt.Sprint(len(fake.asked), fake.asked["image "+render.VendorRegistry+"/ui"]) != "4 1" {
		t.Errorf("asked %v", fake.asked)
	}
}

func TestKnownOffline(t *testing.T) {
	known, unknown, err := NewLists(nil).Known(t.Context(), planOf(t))
	if len(known) != 0 || err != nil || len(unknown) != 1 {
		t.Errorf("Known = %v, %q, %v", known, unknown, err)
	}
}

func TestKnownEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	if _, _, err := NewLists(&fakeLists{asked: map[string]int{}}).Known(ctx, planOf(t)); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

// TestListsOfAChart asks for the versions of a further release where it is pulled from, and
// where that comes from.
func TestListsOfAChart(t *testing.T) {
	const source, copied = "charts.io/extra", "reg.io/prefect/charts.io/extra"
	fake := &fakeLists{tags: map[string]string{source: "1.0.0 1.1.0", copied: "1.0.0"}, asked: map[string]int{}}
	plan := planOf(t, "registry: {mirror: reg.io/prefect}")
	lists := NewLists(fake)
	lists.Folder = "charts"
	listed, unknown := lists.Chart(t.Context(), plan, copied)
	if known, _, err := lists.Known(t.Context(), plan); err != nil || listed.Folder != "charts" || known[upgrade.Server].Folder != "charts" {
		t.Errorf("the folder is not named: %+v, %+v, %v", listed, known, err)
	}
	if got := fmt.Sprint(listed.Versions, listed.Complete, unknown); got != "[1.0.0 1.0.0 1.1.0] true []" {
		t.Errorf("Chart = %s", got)
	}
	delete(fake.tags, source)
	listed, unknown = NewLists(fake).Chart(t.Context(), plan, copied)
	if listed.Complete || len(listed.Versions) != 1 || len(unknown) != 1 || !strings.Contains(unknown[0], source) {
		t.Errorf("without the source: %v, %q", listed, unknown)
	}
	if listed, unknown = NewLists(nil).Chart(t.Context(), plan, copied); listed.Complete || len(unknown) != 1 {
		t.Errorf("offline: %v, %q", listed, unknown)
	}
}
