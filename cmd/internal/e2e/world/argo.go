//go:build e2e

package world

import (
	"context"
	"fmt"
	"os"
)

// ArgoNamespace is where Argo CD runs.
const ArgoNamespace = "argocd"

// argoBase is what an installation of Argo CD brings. What it must say besides,
// pm-gitops prints.
const argoBase = `
apiVersion: v1
kind: Namespace
metadata: {name: argocd}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: argocd, labels: {app.kubernetes.io/part-of: argocd, app.kubernetes.io/name: argocd-cm}}
data: {timeout.reconciliation: 15s, timeout.reconciliation.jitter: 0s}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-rbac-cm, namespace: argocd, labels: {app.kubernetes.io/part-of: argocd}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-tls-certs-cm, namespace: argocd, labels: {app.kubernetes.io/part-of: argocd}}
---
apiVersion: v1
kind: Secret
metadata: {name: argocd-secret, namespace: argocd, labels: {app.kubernetes.io/part-of: argocd, app.kubernetes.io/name: argocd-secret}}
stringData: {server.secretkey: e2e}
`

// StartArgo installs Argo CD's definitions and starts its repo-server and
// application controller, with redis. Nothing here is an ApplicationSet, whose
// definition is larger than all others together.
func (w *World) StartArgo(ctx context.Context) error {
	if err := w.Define(ctx, w.program("argocd", "crds"), "applicationset-crd.yaml"); err != nil {
		return err
	}
	if err := w.Apply(ctx, argoBase); err != nil {
		return err
	}
	for _, folder := range []string{"tls", "ssh", "gpg/source", "gpg/keys", "plugins"} {
		if err := os.MkdirAll(w.path("data/argo/"+folder), 0o700); err != nil {
			return err
		}
	}
	if err := w.write("data/argo/ssh/ssh_known_hosts", nil); err != nil {
		return err
	}
	var addresses [5]string
	for i := range addresses {
		port, err := freePort()
		if err != nil {
			return err
		}
		addresses[i] = fmt.Sprint(port)
	}
	redis, repo := "127.0.0.1:"+addresses[0], "127.0.0.1:"+addresses[1]
	w.redis = redis
	env := []string{
		"ARGOCD_RECONCILIATION_TIMEOUT=15s", // as in argocd-cm: how long commits are cached, too
		"ARGOCD_ASK_PASS_SOCK=@" + repo,     // git asks there for logins: no other world's
		"ARGOCD_FAKE_IN_CLUSTER=true", "ARGOCD_GPG_ENABLED=false",
		"ARGOCD_TLS_DATA_PATH=" + w.path("data/argo/tls"), "ARGOCD_SSH_DATA_PATH=" + w.path("data/argo/ssh"),
		"ARGOCD_GNUPGHOME=" + w.path("data/argo/gpg/keys"), "ARGOCD_GPG_DATA_PATH=" + w.path("data/argo/gpg/source"),
		"ARGOCD_PLUGINSOCKFILEPATH=" + w.path("data/argo/plugins"), "ARGOCD_APPLICATION_CONTROLLER_NAME=argocd-application-controller",
	}
	if err := w.start(ctx, "redis", w.program("argocd", "redis"), process{args: []string{redis}, ready: listens(redis)}); err != nil {
		return err
	}
	return together(
		func() error {
			return w.start(ctx, "argocd-repo-server", w.program("argocd", "argocd"), process{
				env: append(env, "ARGOCD_BINARY_NAME=argocd-repo-server"),
				args: []string{"--loglevel", "info", "--address", "127.0.0.1", "--port", addresses[1], "--metrics-address", "127.0.0.1", "--metrics-port", addresses[2],
					"--redis", redis, "--disable-tls"},
				ready: listens(repo),
			})
		},
		func() error {
			return w.start(ctx, "argocd-application-controller", w.program("argocd", "argocd"), process{
				env: append(env, "ARGOCD_BINARY_NAME=argocd-application-controller"),
				args: []string{"--namespace", ArgoNamespace, "--kubeconfig", w.Kubeconfig(), "--loglevel", "info", "--redis", redis,
					"--repo-server", repo, "--repo-server-plaintext", "--metrics-port", addresses[3]},
				ready: listens("127.0.0.1:" + addresses[3]),
			})
		},
	)
}

// TrustForArgo writes an authority into what Argo CD trusts at a host: the
// ConfigMap, and the folder that it is mounted at.
func (w *World) TrustForArgo(host string, authority *Authority) error {
	return os.WriteFile(w.path("data/argo/tls/"+host), authority.PEM, 0o644)
}
