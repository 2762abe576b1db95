package cluster

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cluster/clustertest"
	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/rollout"
	"github.com/pm-gitops/pm-gitops/render/rollout/rollouttest"
)

// serve starts a server over YAML, and opens it by a kubeconfig.
func serve(t *testing.T, stream string) (*Client, *clustertest.Server) {
	t.Helper()
	objects, err := rollouttest.Objects([]byte(stream))
	if err != nil {
		t.Fatal(err)
	}
	server := clustertest.New(func(string) []unstructured.Unstructured { return objects })
	t.Cleanup(server.Close)
	return open(t, server), server
}

func open(t *testing.T, server *clustertest.Server) *Client {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clustertest.Kubeconfig(file, map[string]*clustertest.Server{"test": server}); err != nil {
		t.Fatal(err)
	}
	client, err := Open(Options{Kubeconfig: file})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

const pods = `{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: apps}, log: "1\n2\n3\n"}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: apps}}
---
{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: apps}}
---
{apiVersion: v1, kind: Pod, metadata: {name: d, namespace: apps}}
---
{apiVersion: v1, kind: Pod, metadata: {name: e, namespace: other}}
---
{apiVersion: source.toolkit.fluxcd.io/v1beta2, kind: OCIRepository, metadata: {name: old, namespace: apps}}
---
{apiVersion: v1, kind: Secret, metadata: {name: secret, namespace: apps}}
`

var (
	listPods = rollout.Query{Version: "v1", Resource: "pods", Kind: "Pod", Namespace: "apps"}
	listOCI  = rollout.Query{Group: "source.toolkit.fluxcd.io", Version: "v1", Older: "v1beta2", Resource: "ocirepositories", Kind: "OCIRepository", Namespace: "apps"}
)

// All pages of a list are read, and what is served in an older version only.
func TestRead(t *testing.T) {
	client, _ := serve(t, pods)
	seen, err := client.Read(t.Context(), []rollout.Query{listPods, listOCI})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, object := range seen.Objects {
		names = append(names, object.GetKind()+" "+object.GetName())
	}
	if got, want := strings.Join(names, ", "), "Pod a, Pod b, Pod c, Pod d, OCIRepository old"; got != want {
		t.Errorf("read %s, want %s", got, want)
	}
}

// The end of a log is read, and nothing more.
func TestLog(t *testing.T) {
	client, server := serve(t, pods)
	text, err := client.Log(t.Context(), "apps", "a", "main", 2)
	if err != nil || text != "2\n3\n" {
		t.Errorf("Log = %q, %v", text, err)
	}
	if _, err := client.Log(t.Context(), "apps", "b", "", 2); err == nil || Passing(err) {
		t.Errorf("the log of a container that has not begun: %v", err)
	}
	requests := server.Requests()
	if want := "GET /api/v1/namespaces/apps/pods/a/log?container=main&limitBytes=65536&tailLines=2"; requests[0] != want {
		t.Errorf("sent %s, want %s", requests[0], want)
	}
}

// Whatever the client is told to do, nothing reaches the server that changes
// anything or reads a Secret or ConfigMap.
func TestOnlyReads(t *testing.T) {
	client, server := serve(t, pods)
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "a"}}}
	kind := func(resource string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Version: "v1", Resource: resource}
	}
	ctx, pods := t.Context(), client.objects.Resource(kind("pods")).Namespace("apps")
	attempts := map[string]func() error{
		"create": func() error { _, err := pods.Create(ctx, object, metav1.CreateOptions{}); return err },
		"update": func() error { _, err := pods.Update(ctx, object, metav1.UpdateOptions{}); return err },
		"patch": func() error {
			_, err := pods.Patch(ctx, "a", types.MergePatchType, []byte("{}"), metav1.PatchOptions{})
			return err
		},
		"apply": func() error {
			_, err := pods.Apply(ctx, "a", object, metav1.ApplyOptions{FieldManager: "x"})
			return err
		},
		"delete":            func() error { return pods.Delete(ctx, "a", metav1.DeleteOptions{}) },
		"delete collection": func() error { return pods.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}) },
		"exec":              func() error { return client.raw.Get().AbsPath("api/v1/namespaces/apps/pods/a/exec").Do(ctx).Error() },
		"secret": func() error {
			_, err := client.objects.Resource(kind("secrets")).Namespace("apps").Get(ctx, "secret", metav1.GetOptions{})
			return err
		},
		"secrets": func() error {
			_, err := client.objects.Resource(kind("secrets")).List(ctx, metav1.ListOptions{})
			return err
		},
		"config maps": func() error {
			_, err := client.objects.Resource(kind("configmaps")).Namespace("apps").List(ctx, metav1.ListOptions{})
			return err
		},
	}
	for name, attempt := range attempts {
		if err := attempt(); !errors.Is(err, errRefused) {
			t.Errorf("%s: %v, want it refused", name, err)
		}
	}
	if requests := server.Requests(); requests != nil {
		t.Errorf("the server was sent %q", requests)
	}
}

// What a server says, or that it says nothing, is told apart.
func TestErrors(t *testing.T) {
	ctx := t.Context()
	answer := func(code string) string {
		return pods + "---\n{apiVersion: v1, kind: Answer, metadata: {name: x}, resource: pods, code: " + code + "}"
	}
	for _, c := range []struct {
		name, stream string
		query        rollout.Query
		kind         Kind
		want         string
	}{
		{"forbidden", answer("403"), listPods, Forbidden, `read pods in namespace "apps": the login may not list pods in namespace "apps"`},
		{"login", answer("401"), listPods, BadLogin, "refuses the login of the kubeconfig"},
		{"out of order", answer("500"), listPods, Unavailable, "is out of order: "},
		{"not served", "", listOCI, NotServed, "the cluster does not know the kind OCIRepository"},
	} {
		client, _ := serve(t, c.stream)
		_, err := client.Read(ctx, []rollout.Query{c.query})
		var e *Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(err.Error(), c.want) || Passing(err) != (c.kind == Unavailable) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		c.query.Optional = true
		seen, err := client.Read(ctx, []rollout.Query{c.query})
		if err != nil || len(seen.Unread) != 1 || !strings.Contains(c.want+e.Error(), seen.Unread[0].Why) {
			t.Errorf("%s, if it is optional: %v, %v", c.name, seen.Unread, err)
		}
	}
	client, server := serve(t, pods)
	server.Close()
	if _, err := client.Read(ctx, []rollout.Query{listPods}); !Passing(err) || !strings.Contains(err.Error(), "is not reached: connect: connection refused") {
		t.Errorf("a server that is gone: %v", err)
	}
}

// Who gives up waits for no answer.
func TestCancel(t *testing.T) {
	block := make(chan struct{})
	server := clustertest.New(func(string) []unstructured.Unstructured { <-block; return nil })
	defer server.Close()
	defer close(block)
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := open(t, server).Read(ctx, []rollout.Query{listPods}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Read = %v", err)
	}
}

// TestCapabilities: what discovery says is sorted, whatever order it has; what
// does not answer is named; and nothing else is asked for.
func TestCapabilities(t *testing.T) {
	client, server := serve(t, `{apiVersion: pm-gitops/v1, kind: Capabilities, kubeVersion: v1.33.1-gke.1, apis: [
{apiVersion: v1, kinds: [Pod, ConfigMap], unlisted: [Binding]}, {apiVersion: b.example.com/v1, kinds: [B]}, {apiVersion: a.example.com/v1, unlisted: [U, T]}, {apiVersion: down.example.com/v1, down: true}]}`)
	got, unread, err := client.Capabilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := apis.NewRecorded("v1.33.1-gke.1", []apis.API{
		{Version: "a.example.com/v1", Unlisted: []string{"T", "U"}}, {Version: "b.example.com/v1", Kinds: []string{"B"}},
		{Version: "down.example.com/v1"}, {Version: "v1", Kinds: []string{"ConfigMap", "Pod"}, Unlisted: []string{"Binding"}},
	})
	if diff := cmp.Diff(want, got); diff != "" || !slices.Equal(unread, []string{"down.example.com/v1"}) {
		t.Errorf("unread %v (-want +got):\n%s", unread, diff)
	}
	for _, request := range server.Requests() {
		if path := strings.TrimPrefix(request, "GET "); path != "/version?timeout=30s" && !strings.HasPrefix(path, "/api") {
			t.Errorf("%s was asked for", request)
		}
	}
	if _, _, err := open(t, clustertest.New(func(string) []unstructured.Unstructured { return nil })).Capabilities(t.Context()); err == nil {
		t.Error("a server without discovery is no error")
	}
}
