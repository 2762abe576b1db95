package render_test

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// pinning is a target that pins charts.
type pinning struct{ plain }

func (pinning) Traits(render.Delivery) render.Traits {
	return render.Traits{PinsDigests: true, Layout: tree.Layout{Paths: []string{"{path}/base/"}}}
}

const vendor = render.VendorRegistry

func sha(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

// locked is the lock of complete with pin, and a worker.
func locked() lock.Lock {
	return lock.New("dev", []lock.Artifact{
		{Source: vendor + "/charts/prefect-cloud:1.2.900", Digest: sha("a")},
		{Source: vendor + "/charts/prefect-istiod:1.2.900", Digest: sha("b")},
		{Source: "ghcr.io/acme/charts/worker:1.0.0-RC.1_build.5", Digest: sha("c")},
	}, []lock.Artifact{
		{Source: vendor + "/server:2025.10.202511042343", Digest: sha("d"), Pins: []lock.Pin{{Release: "prefect-cloud", Digest: "global.backend.app.image.digest"}}},
		{Source: vendor + "/ui:2025.1023.154520", Digest: sha("e")},
		{Source: "ghcr.io/acme/worker:3.4", Digest: sha("f"), Pins: []lock.Pin{{Release: "worker", Tag: "image.tag"}, {Release: "worker", Tag: "other.tag"}}},
	})
}

// lockable is complete with more of a spec, pinned.
func lockable(old, new string) string {
	source := strings.Replace(complete, "    ui: ", "    pin: true\n    ui: ", 1) + "  releases:\n" +
		"  - {name: worker, chart: oci://ghcr.io/acme/charts/worker, version: 1.0.0-RC.1+build.5, namespace: workers, values: {image: {tag: \"3.4\"}}}\n"
	return strings.Replace(source, old, new, 1)
}

func planPinned(t *testing.T, source string, l *lock.Lock, target render.Target) render.Plan {
	t.Helper()
	env := parse(t, source)
	if l != nil {
		data, err := l.YAML()
		if err != nil {
			t.Fatal(err)
		}
		read, err := lock.Parse("prefect/.pm-gitops/dev.lock.yaml", data)
		if err != nil {
			t.Fatal(err)
		}
		env = env.WithLock(read)
	}
	plan, err := render.PlanFor(env, catalog.Embedded(), target)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// Charts get digests where the target takes them, images where chart values do, and the
// lock is written as it was read.
func TestPin(t *testing.T) {
	l := locked()
	for target, pins := range map[render.Target]bool{&pinning{}: true, &unpinning{}: false} {
		plan := planPinned(t, lockable("", ""), &l, target)
		if plan.Unlocked != nil {
			t.Errorf("Unlocked: %v", plan.Unlocked)
		}
		for _, r := range plan.Releases() {
			want := map[string]string{"prefect-istiod": sha("b"), "prefect-cloud": sha("a"), "worker": sha("c")}[r.Key]
			if !pins {
				want = ""
			}
			if r.Chart.Digest != want {
				t.Errorf("the chart of %s has the digest %q, want %q", r.Key, r.Chart.Digest, want)
			}
			if want := map[string]any{"image": map[string]any{"tag": "3.4@" + sha("f")}, "other": map[string]any{"tag": "3.4@" + sha("f")}}; r.Key == "worker" {
				if diff := gocmp.Diff(want, map[string]any(r.Values)); diff != "" {
					t.Errorf("values of the worker (-want +got):\n%s", diff)
				}
			}
		}
		for _, explained := range plan.Explain().Releases {
			for _, r := range plan.Releases() {
				if r.Key == explained.Release {
					explainsAll(t, r, explained)
				}
			}
		}
		rendering, err := render.Render(plan, target)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := l.YAML()
		if got := string(rendering.Tree["prefect/.pm-gitops/dev.lock.yaml"]); got != string(data) {
			t.Errorf("the lock is written as %q", got)
		}
		if inventory := string(rendering.Tree["prefect/.pm-gitops/dev.json"]); strings.Contains(inventory, "lock") {
			t.Errorf("the inventory lists the lock: %s", inventory)
		}
	}
}

// unpinning is a target that pins no charts, as a pointer.
type unpinning struct{ plain }

func explainsAll(t *testing.T, r render.Release, explained render.ExplainedRelease) {
	t.Helper()
	want, got := map[string]any{}, map[string]any{}
	flat(map[string]any(r.Values), "", want)
	for _, e := range explained.Values {
		if e.Secret == nil {
			got[e.Path] = e.Value
		}
		if strings.Contains(fmt.Sprint(e.Value), "sha256:") && (e.Origin.From != render.FromLock || e.Origin.Line == 0 || e.Origin.File != "prefect/.pm-gitops/dev.lock.yaml") {
			t.Errorf("%s of %s comes from %+v, want the lock", e.Path, r.Key, e.Origin)
		}
		if e.Path == "image.tag" && len(e.Replaces) != 1 {
			t.Errorf("image.tag replaces %v, want the environment's", e.Replaces)
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("what is explained of %s (-values +explained):\n%s", r.Key, diff)
	}
}

// bySetting matches which rule took a field to the chart.
var bySetting = regexp.MustCompile(` \(this field sets .*\)`)

// What the lock lacks, or has of another version, is an error where it was said, and names
// both and what to run.
func TestUnlocked(t *testing.T) {
	const file, run = "prefect/.pm-gitops/dev.lock.yaml", ": run pm-gitops images --lock"
	l := locked()
	without := func(change func(*lock.Lock)) *lock.Lock {
		l := locked()
		change(&l)
		return &l
	}
	for _, test := range []struct {
		name, old, new string
		lock           *lock.Lock
		want           string
	}{
		{"no lock", "", "", nil, "dev.yaml:15:5: spec.versions.pin: the versions are pinned, and there is no lock " + file + run},
		{"a mirror", "  auth:", "  registry: {mirror: r.b.c/m}\n  auth:", nil, "dev.yaml:15:5: spec.versions.pin: the versions are pinned, and there is no lock " + file + ": run pm-gitops mirror --lock"},
		{"another environment's", "", "", without(func(l *lock.Lock) { l.Environment = "prod" }), "dev.yaml:15:5: spec.versions.pin: " + file + " is the lock of environment prod" + run},
		{"a chart is lacking", "", "", without(func(l *lock.Lock) { l.Charts = l.Charts[:2] }), "dev.yaml:12:5: spec.versions.prefectIstiod: " + file + " lacks " + vendor + "/charts/prefect-istiod:1.2.900" + run},
		{"another chart version", "prefectCloud: 1.2.900", "prefectCloud: 1.2.901", &l, "dev.yaml:13:5: spec.versions.prefectCloud: " + file + " has " + vendor + "/charts/prefect-cloud:1.2.900, and not " + vendor + "/charts/prefect-cloud:1.2.901" + run},
		{"another version of a further chart", "RC.1+build.5", "RC.2", &l, "dev.yaml:23:61: spec.releases[0].version: " + file + " has ghcr.io/acme/charts/worker:1.0.0-RC.1_build.5, and not ghcr.io/acme/charts/worker:1.0.0-RC.2" + run},
		{"another digest by hand", "prefectCloud: 1.2.900", "prefectCloud: 1.2.900@" + sha("9"), &l, "dev.yaml:13:5: spec.versions.prefectCloud: the version has the digest " + sha("9") + ", and " + file + " has " + sha("a")},
		{"the same digest by hand", "prefectCloud: 1.2.900", "prefectCloud: 1.2.900@" + sha("a"), &l, ""},
		{"another tag of a pinned image", "2025.10.202511042343", "2025.11", &l, "dev.yaml:14:13: spec.versions.server: " + file + " has " + vendor + "/server:2025.10.202511042343, and not " + vendor + "/server:2025.11" + run},
		{"another tag of an image that is not", "2025.1023.154520", "2025.11", &l, "dev.yaml:16:9: spec.versions.ui: " + file + " has " + vendor + "/ui:2025.1023.154520, and not " + vendor + "/ui:2025.11" + run},
		{"an image that the chart does not need", "", "", without(func(l *lock.Lock) { l.Images = l.Images[:2] }), ""},
		{"another tag in values", `tag: "3.4"`, `tag: "3.5"`, &l, "dev.yaml:23:127: spec.releases[0].values.image.tag: " + file + " has ghcr.io/acme/worker:3.4, and not ghcr.io/acme/worker:3.5" + run},
		{"another digest in values", "  releases:", "  values: {prefect-cloud: {global: {backend: {app: {image: {digest: \"" + sha("9") + "\"}}}}}}\n  releases:", &l, "dev.yaml:22:61: spec.values.prefect-cloud.global.backend.app.image.digest: " + file + " pins " + vendor + "/server:2025.10.202511042343 here, and the value is another one already"},
		{"a mapping in the way", "image: {tag", "other: {tag: {a: b}}, image: {tag", &l, "dev.yaml:23:127: spec.releases[0].values.other.tag: " + file + " pins ghcr.io/acme/worker:3.4 here, and the value is another one already"},
		{"a release that is gone", "name: worker", "name: other", &l, "dev.yaml:15:5: spec.versions.pin: " + file + ":13:3 pins an image in release worker, which the environment has not" + run},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan := planPinned(t, lockable(test.old, test.new), test.lock, &pinning{})
			_, err := render.Render(plan, &pinning{})
			got := ""
			if err != nil {
				got = bySetting.ReplaceAllString(err.Error(), "")
			}
			if got != test.want {
				t.Errorf("Render = %s\nwant %s", cmp.Or(got, "nothing"), test.want)
			}
		})
	}
}

// Without the pins an environment is planned by its tags, whatever its lock says.
func TestUnpinned(t *testing.T) {
	plan, err := render.PlanFor(parse(t, lockable("", "")).WithLock(locked()).Unpinned(), catalog.Embedded(), &pinning{})
	if err != nil || plan.Unlocked != nil || plan.Releases()[0].Chart.Digest != "" {
		t.Errorf("PlanFor = %v, %v, %v", plan.Releases()[0].Chart, plan.Unlocked, err)
	}
	if _, pinned := plan.Lock(); pinned {
		t.Error("the plan is pinned")
	}
}
