//go:build e2e

package world

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// services is the addresses of Services. They are loopback addresses, so that
// the API server reaches who plays the pods behind one, here.
const services = "127.96.0.0/16"

// startKubernetes starts etcd, the API server, the controller manager and the
// scheduler, and the node.
func (w *World) startKubernetes(ctx context.Context) error {
	server, err := w.credentials()
	if err != nil {
		return fmt.Errorf("make the cluster's keys: %w", err)
	}
	etcd, err := w.startEtcd(ctx)
	if err != nil {
		return err
	}
	if err := w.connect(); err != nil {
		return err
	}
	if err := w.startAPIServer(ctx, server, etcd); err != nil {
		return err
	}
	manager, err := w.controllerManager()
	if err != nil {
		return err
	}
	scheduler, err := w.scheduler()
	if err != nil {
		return err
	}
	return together(
		func() error {
			return w.start(ctx, "kube-controller-manager", w.program("core", "kube-controller-manager"), manager)
		},
		func() error { return w.start(ctx, "kube-scheduler", w.program("core", "kube-scheduler"), scheduler) },
		w.run,
	)
}

func (w *World) program(set, name string) string { return filepath.Join(w.Programs[set], name) }

// credentials writes keys and a kubeconfig, and gives the API server's address.
func (w *World) credentials() (address string, err error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	address = fmt.Sprintf("127.0.0.1:%d", port)
	certificate, key, err := w.CA.Serve("127.0.0.1", "localhost", "kubernetes.default.svc")
	if err != nil {
		return "", err
	}
	private, public, err := signingKey()
	if err != nil {
		return "", err
	}
	random := make([]byte, 16)
	_, _ = rand.Read(random)
	token := hex.EncodeToString(random)
	for name, data := range map[string][]byte{
		"pki/server.crt": certificate, "pki/server.key": key, "pki/accounts.key": private, "pki/accounts.pub": public,
		"pki/tokens.csv": []byte(token + ",admin,admin,system:masters\n"),
	} {
		if err := w.write(name, data); err != nil {
			return "", err
		}
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["e2e"] = &clientcmdapi.Cluster{Server: "https://" + address, CertificateAuthorityData: w.CA.PEM}
	config.AuthInfos["admin"] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["e2e"] = &clientcmdapi.Context{Cluster: "e2e", AuthInfo: "admin"}
	config.CurrentContext = "e2e"
	for _, file := range []string{w.Kubeconfig(), w.path("home/.kube/config")} {
		if err := clientcmd.WriteToFile(*config, file); err != nil {
			return "", err
		}
	}
	return address, nil
}

func (w *World) startEtcd(ctx context.Context) (url string, err error) {
	client, err := freePort()
	if err != nil {
		return "", err
	}
	peer, err := freePort()
	if err != nil {
		return "", err
	}
	url, peers := fmt.Sprintf("http://127.0.0.1:%d", client), fmt.Sprintf("http://127.0.0.1:%d", peer)
	return url, w.start(ctx, "etcd", w.program("core", "etcd"), process{
		args: []string{"--unsafe-no-fsync", "--heartbeat-interval=500", "--election-timeout=5000", "--data-dir", w.path("data/etcd"), "--log-level=warn",
			"--listen-client-urls", url, "--advertise-client-urls", url,
			"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default=" + peers},
		ready: func(ctx context.Context) error { return answers(ctx, http.DefaultClient, url+"/health") },
	})
}

// answers is an error unless a URL answers with 200.
func answers(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}

// startAPIServer leaves out what only costs time here: fair shares, and packing
// what goes nowhere.
func (w *World) startAPIServer(ctx context.Context, address, etcd string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	return w.start(ctx, "kube-apiserver", w.program("core", "kube-apiserver"), process{
		args: []string{"--etcd-servers=" + etcd, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + port,
			"--tls-cert-file=" + w.path("pki/server.crt"), "--tls-private-key-file=" + w.path("pki/server.key"), "--client-ca-file=" + w.path("pki/ca.crt"),
			"--service-account-key-file=" + w.path("pki/accounts.pub"), "--service-account-signing-key-file=" + w.path("pki/accounts.key"),
			"--service-account-issuer=https://kubernetes.default.svc", "--token-auth-file=" + w.path("pki/tokens.csv"),
			"--authorization-mode=RBAC", "--service-cluster-ip-range=" + services, "--endpoint-reconciler-type=none",
			"--kubelet-preferred-address-types=InternalIP", "--cert-dir=" + w.path("data/apiserver"),
			"--enable-priority-and-fairness=false", "--feature-gates=APIResponseCompression=false", "--profiling=false"},
		ready: func(ctx context.Context) error {
			return w.Client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		},
	})
}

// controllerManager never loses sight of the node: its agent sends no leases,
// and a busy machine is no broken one.
func (w *World) controllerManager() (process, error) {
	port, err := freePort()
	return process{
		args: []string{"--kubeconfig=" + w.Kubeconfig(), "--service-account-private-key-file=" + w.path("pki/accounts.key"), "--root-ca-file=" + w.path("pki/ca.crt"),
			"--leader-elect=false", "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port), "--cert-dir=" + w.path("data/manager"),
			"--use-service-account-credentials=false", "--node-monitor-grace-period=24h"},
		ready: listens(fmt.Sprintf("127.0.0.1:%d", port)),
	}, err
}

func (w *World) scheduler() (process, error) {
	port, err := freePort()
	return process{
		args: []string{"--kubeconfig=" + w.Kubeconfig(), "--authentication-kubeconfig=" + w.Kubeconfig(), "--authorization-kubeconfig=" + w.Kubeconfig(),
			"--leader-elect=false", "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port), "--cert-dir=" + w.path("data/scheduler")},
		ready: listens(fmt.Sprintf("127.0.0.1:%d", port)),
	}, err
}

// serveLogs serves the node's logs and gives the port.
func (w *World) serveLogs() (int, error) {
	config, err := w.CA.TLS("127.0.0.1")
	if err != nil {
		return 0, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	go w.Agent.ServeLogs(listener, config)
	return listener.Addr().(*net.TCPAddr).Port, nil
}
