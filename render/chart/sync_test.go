package chart

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/release"
	"sigs.k8s.io/yaml"
)

// TestSyncHooks compares what becomes of an object with what Argo CD's own code
// says of its annotations.
func TestSyncHooks(t *testing.T) {
	data, err := os.ReadFile("testdata/sync-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var table []struct {
		Annotations     map[string]string
		Hook, Ignored   bool
		Types, Policies []string
		Wave            int
	}
	if err := yaml.UnmarshalStrict(data, &table); err != nil {
		t.Fatal(err)
	}
	for _, test := range table {
		d := document{head: head{Metadata: &metadata{Annotations: test.Annotations}}}
		hook, unknown := d.hook()
		if unknown != "" {
			t.Fatalf("%v: Helm drops it", test.Annotations)
		}
		o := Object{Hook: hook}
		reason, why := Syncs{}.place(&o, test.Annotations)
		skipped := slices.Equal(test.Types, []string{"Skip"})
		failing := slices.Equal(test.Types, []string{"SyncFail"})
		_, own := test.Annotations[hookAnnotation]
		want := Reason("")
		switch {
		case failing:
			want = Later
		case test.Ignored && own:
			want = Unknown
		case test.Ignored, skipped:
			want = NotApplied
		}
		if reason != want {
			t.Errorf("%v: %q (%s), want %q", test.Annotations, reason, why, want)
		}
		if reason != "" {
			continue
		}
		if test.Hook != (o.Hook != nil) {
			t.Errorf("%v: hook %v, want %v", test.Annotations, o.Hook, test.Hook)
		}
		if got := wave(test.Annotations); got != test.Wave {
			t.Errorf("%v: wave %d, want %d", test.Annotations, got, test.Wave)
		}
		if o.Hook == nil {
			continue
		}
		types := slices.DeleteFunc(test.Types, func(name string) bool { return name == "Skip" })
		if got := slices.Sorted(slices.Values(o.Hook.Phases)); !slices.Equal(got, types) || o.Hook.Weight != test.Wave {
			t.Errorf("%v: %+v, want %v", test.Annotations, *o.Hook, test)
		}
		if got := slices.Sorted(slices.Values(o.Hook.DeletePolicies)); !slices.Equal(got, test.Policies) {
			t.Errorf("%v: %v, want %v", test.Annotations, got, test.Policies)
		}
	}
}

// TestHooksOfDeletions: releases of Argo CD differ
// (controller/hook.go and state.go of v2.14.21, v3.3.0 and v3.4.0).
func TestHooksOfDeletions(t *testing.T) {
	const sync = "" // the object is part of a sync
	for _, test := range []struct {
		own, helms    string
		old, mid, new Reason // 2.14, 3.3, 3.4
	}{
		{"PostDelete", "", Later, Later, Later},
		{"", "post-delete", Later, Later, Later},
		{"PreDelete", "", Unknown, Later, Later},
		{"", "pre-delete", NotApplied, Later, Later},
		{"", "pre-delete,post-delete", NotApplied, NotApplied, Later},
		{"", "post-install,post-delete", sync, sync, sync},
		{"PreSync", "post-delete", Later, Later, sync},
		{"PreSync,PostDelete", "", sync, sync, sync},
		{"Skip", "post-delete", Later, Later, Later},
	} {
		annotations := map[string]string{}
		if test.own != "" {
			annotations[hookAnnotation] = test.own
		}
		if test.helms != "" {
			annotations[release.HookAnnotation] = test.helms
		}
		for version, want := range map[string]Reason{"2.14": test.old, "3.3": test.mid, "3.4": test.new, "3.5": test.new} {
			hook, _ := document{head: head{Metadata: &metadata{Annotations: annotations}}}.hook()
			if got, why := Argo(version).Syncs.place(&Object{Hook: hook}, annotations); got != want {
				t.Errorf("Argo CD %s, %v: %q (%s), want %q", version, annotations, got, why, want)
			}
		}
	}
}

// TestSyncOrder: by phase, wave, kind and name; a namespace or definition comes
// before the first object that needs it, and a hook in two phases comes twice
// (https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/).
func TestSyncOrder(t *testing.T) {
	object := func(apiVersion, kind, name string, annotations ...string) string {
		return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n  annotations: {" + strings.Join(annotations, ", ") + "}\n"
	}
	const presync, wave1, early = "argocd.argoproj.io/hook: PreSync", "argocd.argoproj.io/sync-wave: '1'", "argocd.argoproj.io/sync-wave: '-1'"
	for name, test := range map[string]struct {
		documents []string
		want      string
	}{
		"kinds, then names": {
			[]string{object("v1", "Service", "b"), object("v1", "Service", "a"), object("example.com/v1", "Thing", "z"), object("v1", "ConfigMap", "c")},
			"c a b z",
		},
		"waves before kinds, of hooks and others": {
			[]string{object("v1", "ConfigMap", "late", wave1), object("batch/v1", "Job", "job"), object("batch/v1", "Job", "second", presync), object("batch/v1", "Job", "first", presync, early)},
			"first second job late",
		},
		"a hook in two phases": {
			[]string{object("batch/v1", "Job", "both", "helm.sh/hook: 'pre-upgrade,post-install'"), object("v1", "ConfigMap", "c")},
			"both c both",
		},
		"a hook among the others": {
			[]string{object("batch/v1", "Job", "sync", "argocd.argoproj.io/hook: Sync"), object("v1", "ConfigMap", "c"), object("networking.k8s.io/v1", "Ingress", "i")},
			"c sync i",
		},
		"the namespace of a hook": {
			[]string{object("v1", "Namespace", "own"), object("v1", "Namespace", "other"), object("batch/v1", "Job", "hook", presync)},
			"own hook other",
		},
		"the namespaces of two hooks": {
			[]string{
				object("v1", "Namespace", "own"), object("v1", "Namespace", "early"), object("batch/v1", "Job", "b", presync),
				strings.Replace(object("batch/v1", "Job", "a", presync), "name: a", "name: a\n  namespace: early", 1),
			},
			"early a own b",
		},
		"the definition of a hook": {
			[]string{
				object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "things.example.com") + "spec: {group: example.com, names: {kind: Thing}}\n",
				object("v1", "ConfigMap", "c"), object("example.com/v1", "Thing", "thing", presync),
			},
			"things.example.com thing c",
		},
		"items of a list": {
			[]string{"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: after, annotations: {argocd.argoproj.io/hook: PostSync}}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: skipped, annotations: {argocd.argoproj.io/hook: Skip}}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: before, annotations: {helm.sh/hook: pre-install}}\n", object("v1", "Service", "s")},
			"before s after",
		},
	} {
		files := map[string][]byte{"Chart.yaml": []byte("apiVersion: v2\nname: c\nversion: 1.0.0\n"), "templates/a.yaml": []byte(strings.Join(test.documents, "---\n"))}
		c, err := FromFiles(files)
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Render(context.Background(), Input{As: Argo("2.14"), Release: "r", Namespace: "own"})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, o := range out.Objects {
			names = append(names, cmp.Or(o.Name, o.Kind))
		}
		if diff := gocmp.Diff(test.want, strings.Join(names, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
