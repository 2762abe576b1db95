//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/node"
	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/world"
)

// mutation changes what was rendered, in the checkout: each is a mistake that
// a scenario must notice.
type mutation func(f *fixture)

// deliverAs is deliver with a mistake made in what was rendered; none if nil.
func (f *fixture) deliverAs(message string, mistake mutation) {
	f.Helper()
	f.write("environments/catalog.yaml", catalog)
	f.write(f.env.file, f.env.text(f))
	f.run("git", "add", "environments")
	f.run("git", "commit", "-q", "--allow-empty", "-m", message)
	args := []string{"render", "-f", f.env.file, "--target", f.target, "--commit", "--quiet"}
	if f.edited {
		args = append(args, "--force") // what we changed before is a person's file
	}
	f.edited = mistake != nil || f.limits != nil
	defer f.pushed()
	if !f.edited {
		f.run("pm-gitops", append(args, "--push")...)
		return
	}
	f.run("pm-gitops", args...)
	for _, change := range []mutation{f.limits, mistake} {
		if change != nil {
			change(f)
		}
	}
	if strings.TrimSpace(f.run("git", "status", "--porcelain")) == "" {
		f.Fatal("the mutation changed nothing")
	}
	f.run("git", "commit", "-q", "-a", "-m", "a mistake")
	f.run("git", "push", "-q")
}

// pushed tells Argo CD of a commit, as a webhook of the Git server's does. Flux
// looks every two seconds.
func (f *fixture) pushed() {
	f.Helper()
	if f.target != "argo" {
		return
	}
	if root := f.get("argoproj.io/v1alpha1 Application", "argocd", f.env.name); root != nil {
		f.annotate(root, refresh, "normal")
	}
}

// refresh is the annotation that has Argo CD look at an Application now. It
// takes it away when it has.
const refresh = "argocd.argoproj.io/refresh"

// edit replaces a regular expression in the rendered files that match a
// pattern. It must match somewhere.
func edit(pattern, from, to string) mutation {
	return func(f *fixture) {
		f.Helper()
		expression := regexp.MustCompile("(?m)" + from)
		files, err := filepath.Glob(filepath.Join(f.checkout, pattern))
		f.check(err)
		hits := 0
		for _, file := range files {
			data, err := os.ReadFile(file)
			f.check(err)
			hits += len(expression.FindAll(data, -1))
			f.check(os.WriteFile(file, expression.ReplaceAll(data, []byte(to)), 0o644))
		}
		if hits == 0 {
			f.Fatalf("the mutation %q matches nothing in %s", from, pattern)
		}
	}
}

// shortened makes the time limits of prefect-cloud some seconds long, so that
// nobody waits for the ten minutes that is the least that pm-gitops writes. It is
// the one thing that is not as rendered.
func shortened(seconds int) mutation {
	return edit("prefect/overlays/*/prefect-cloud/helmrelease-patch.yaml", `(timeout|retryInterval): \d+m$`, fmt.Sprintf("$1: %ds", seconds))
}

// bootstrap points the delivery system at the repository, as a user does who
// has just installed it: nothing else is ever applied by hand.
func (f *fixture) bootstrap() {
	f.Helper()
	if f.target == "flux" {
		f.check(f.Apply(f.ctx, fmt.Sprintf(`
{apiVersion: v1, kind: Secret, metadata: {name: fleet-login, namespace: %[1]s}, stringData: {username: %[2]s, password: %[3]s}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: %[1]s}
spec: {interval: 2s, url: %[4]q, ref: {branch: main}, secretRef: {name: fleet-login}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: fleet, namespace: %[1]s}
spec: {interval: 1h, retryInterval: 2s, path: ./clusters/prod, prune: true, sourceRef: {kind: GitRepository, name: fleet}}
`, world.FluxNamespace, world.GitUser, f.token, f.repo)))
		return
	}
	f.prepareArgo()
	f.check(f.Apply(f.ctx, f.read("clusters/prod/prefect-"+f.env.name+".yaml")))
}

// prepareArgo applies what pm-gitops says must be set in Argo CD, filled in.
func (f *fixture) prepareArgo() {
	f.Helper()
	objects, err := world.Decode([]byte(f.run("pm-gitops", "argo", "prerequisites", "-f", f.env.file)))
	f.check(err)
	for _, object := range objects {
		if url, _, _ := unstructured.NestedString(object.Object, "stringData", "url"); url != "" {
			login := node.Login{Username: world.GitUser, Password: f.token}
			if url != f.repo {
				login = registryLogin
			}
			f.check(unstructured.SetNestedField(object.Object, login.Username, "stringData", "username"))
			f.check(unstructured.SetNestedField(object.Object, login.Password, "stringData", "password"))
		}
		data, err := json.Marshal(object)
		f.check(err)
		f.check(f.Apply(f.ctx, string(data)))
	}
}

// registryLogin is what a locked registry wants: a key file as the vendor hands
// out, in the form that Google's registries take.
var registryLogin = node.Login{Username: "_json_key_base64", Password: "eyJ0eXBlIjoic2VydmljZV9hY2NvdW50In0="}

func (f *fixture) read(name string) string {
	f.Helper()
	data, err := os.ReadFile(filepath.Join(f.checkout, name))
	f.check(err)
	return string(data)
}

// keepSecrets creates the Secrets that pm-gitops lists, each once its namespace
// is there, as a person or another controller does, with passwords that a
// parser may mangle. It returns when all are there.
func (f *fixture) keepSecrets() {
	f.Helper()
	// Nothing looks into the charts here, so the list may be called incomplete.
	listed, code := f.try(f.ctx, "pm-gitops", "secrets", "list", "-f", f.env.file, "--target", f.target)
	if code != 0 && code != 3 {
		f.Fatalf("secrets list: exit code %d\n%s%s", code, listed, f.stderr)
	}
	objects, err := world.Decode([]byte(listed))
	f.check(err)
	for _, object := range objects {
		if object.GetNamespace() == world.ArgoNamespace {
			continue // prepareArgo's
		}
		f.fill(object)
		for {
			data, err := json.Marshal(object)
			f.check(err)
			if err = f.Apply(f.ctx, string(data)); err == nil {
				break
			}
			if !apierrors.IsNotFound(err) {
				f.Fatal(err)
			}
			f.pause()
		}
	}
}

// fill fills in what a person fills in.
func (f *fixture) fill(secret *unstructured.Unstructured) {
	data, _, err := unstructured.NestedStringMap(secret.Object, "stringData")
	f.check(err)
	for key, text := range data {
		switch {
		case key == ".dockerconfigjson":
			data[key] = fmt.Sprintf(`{"auths":{%q:{"username":%q,"password":%q}}}`, f.Registry.Host, registryLogin.Username, registryLogin.Password)
		case key == "ca.crt":
			data[key] = string(f.CA.PEM)
		case strings.HasPrefix(text, "FILL-IN"):
			data[key] = passwords(secret.GetName() + "/" + key)
		default:
			data[key] = places.ReplaceAllStringFunc(text, func(match string) string {
				quoted, err := json.Marshal(passwords(places.FindStringSubmatch(match)[1]))
				f.check(err)
				return string(quoted)
			})
		}
	}
	f.check(unstructured.SetNestedStringMap(secret.Object, data, "stringData"))
}

var places = regexp.MustCompile(`"FILL-IN ([^\s"]+)"`)

// look is the time between two looks at the cluster.
const look = 250 * time.Millisecond

// pause waits until the next look at the cluster.
func (f *fixture) pause() {
	f.Helper()
	select {
	case <-f.ctx.Done():
		f.Fatal(f.ctx.Err())
	case <-time.After(look):
	}
}

// The exit codes of pm-gitops status.
const (
	ready  = 0
	failed = 1
	notYet = 3
)

// install delivers, bootstraps and waits until everything is ready.
func (f *fixture) install() {
	f.Helper()
	f.deliver()
	f.bootstrap()
	f.keepSecrets()
	f.awaitReady()
}

// awaitReady waits until pm-gitops status says that everything is ready.
func (f *fixture) awaitReady() {
	f.Helper()
	out, code := f.try(f.ctx, "pm-gitops", "status", "-f", f.env.file, "--target", f.target, "--watch", "--timeout", "5m")
	if code != ready {
		f.Fatalf("status --watch: exit code %d\n%s%s", code, out, f.stderr)
	}
}

// status is the exit code of pm-gitops status, and what it prints. It is asked
// once a second at most: a process each time is a load.
func (f *fixture) status() (string, int) {
	f.Helper()
	time.Sleep(time.Until(f.asked.Add(time.Second)))
	defer func() { f.asked = time.Now() }()
	return f.try(f.ctx, "pm-gitops", "status", "-f", f.env.file, "--target", f.target)
}

// until waits until a condition holds.
func (f *fixture) until(what string, within time.Duration, holds func() bool) {
	f.Helper()
	if err := f.within(what, within, holds); err != nil {
		out, _ := f.status()
		f.Fatalf("%v\n%s", err, out)
	}
}

// within waits until a condition holds; the error says that it does not.
func (f *fixture) within(what string, within time.Duration, holds func() bool) error {
	ctx, cancel := context.WithTimeout(f.ctx, within)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %s", what, within)
		case <-time.After(look):
		}
	}
	return nil
}

// get is an object of the cluster; nil if it is not there.
func (f *fixture) get(kind, namespace, name string) *unstructured.Unstructured {
	f.Helper()
	object := &unstructured.Unstructured{}
	version, kind, _ := strings.Cut(kind, " ")
	object.SetAPIVersion(version)
	object.SetKind(kind)
	object.SetNamespace(namespace)
	resource, err := f.Resource(object)
	f.check(err)
	found, err := resource.Get(f.ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	f.check(err)
	return found
}
