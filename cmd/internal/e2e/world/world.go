//go:build e2e

// Package world starts a whole installation's surroundings on this machine: a
// Kubernetes API server with its controllers, a node that behaves (see package
// node), a Git server, a registry, and Flux's or Argo CD's controllers. It
// starts nothing that it does not stop, and waits for readiness, never for time.
package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/journal"
	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/node"
)

// Programs is the folder of each set of programs, by its name.
type Programs map[string]string

// World is one cluster and what delivers to it.
type World struct {
	Dir      string
	Programs Programs
	CA       *Authority // every program trusts it

	Config    *rest.Config
	Client    kubernetes.Interface
	Dynamic   dynamic.Interface
	Discovery discovery.DiscoveryInterface
	kinds     *restmapper.DeferredDiscoveryRESTMapper

	Agent    *node.Agent
	Journal  *journal.Journal
	Git      *Git
	Registry *Registry

	redis     string // where Argo CD's is
	stop      context.CancelFunc
	agents    sync.WaitGroup
	mu        sync.Mutex
	processes map[string]*process
	order     []string
}

// Start starts a world in a folder, without anything that delivers: see
// [World.StartFlux] and [World.StartArgo]. The context bounds the start alone;
// [World.Close] ends everything, and must be called on errors too.
func Start(ctx context.Context, dir string, programs Programs) (*World, error) {
	w := &World{Dir: dir, Programs: programs, processes: map[string]*process{}, stop: func() {}}
	for _, folder := range []string{"log", "pki", "home/.kube", "git", "tmp", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			return w, err
		}
	}
	var err error
	if w.CA, err = NewAuthority("e2e"); err != nil {
		return w, err
	}
	if err := w.write("pki/ca.crt", w.CA.PEM); err != nil {
		return w, err
	}
	if w.Git, err = serveGit(w.path("git"), w.CA); err != nil {
		return w, err
	}
	if w.Registry, err = ServeRegistry(w.CA, "127.0.0.1"); err != nil {
		return w, err
	}
	return w, w.startKubernetes(ctx)
}

// run starts the parts of a world that live in this process.
func (w *World) run() error {
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.Agent = node.New(w.Client)
	mesh := &node.Mesh{Client: w.Client, Agent: w.Agent, CA: w.CA.PEM, TLS: w.CA.TLS}
	w.Journal = journal.New(w.Discovery, w.Dynamic)
	logs, err := w.serveLogs()
	if err != nil {
		return err
	}
	if err := w.Agent.Register(ctx, logs); err != nil {
		return err
	}
	ready := make(chan struct{})
	for _, part := range []func(){
		func() { w.Journal.Run(ctx) },
		func() { w.Agent.Run(ctx, ready) },
		func() { <-ready; mesh.Run(ctx) },
	} {
		w.agents.Go(part)
	}
	<-ready
	return nil
}

// Close ends everything that the world started.
func (w *World) Close() error {
	w.stop()
	w.mu.Lock()
	order := slices.Clone(w.order)
	w.mu.Unlock()
	slices.Reverse(order)
	var stopped sync.WaitGroup
	for _, name := range order {
		if name == "etcd" || name == "kube-apiserver" {
			continue
		}
		stopped.Go(w.processes[name].stop)
	}
	stopped.Wait()
	for _, name := range []string{"kube-apiserver", "etcd"} {
		if p := w.processes[name]; p != nil {
			p.stop()
		}
	}
	w.agents.Wait()
	var errs []error
	if w.Git != nil {
		errs = append(errs, w.Git.Close())
	}
	if w.Registry != nil {
		w.Registry.Stop()
	}
	return errors.Join(errs...)
}

// start starts a program of a set and waits until it is ready.
func (w *World) start(ctx context.Context, name, program string, p process) error {
	temporary := w.path("tmp/" + name)
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		return err
	}
	p.name, p.path, p.log = name, program, w.path("log/"+name+".log")
	p.env = append(w.Environ(), append(p.env, "TMPDIR="+temporary)...)
	w.mu.Lock()
	w.processes[name] = &p
	w.order = append(w.order, name)
	w.mu.Unlock()
	return p.start(ctx)
}

// Stop stops a program that the world runs, as a crash would.
func (w *World) Stop(name string) error {
	p := w.processes[name]
	if p == nil {
		return fmt.Errorf("stop %s: it does not run here", name)
	}
	p.stop()
	return nil
}

// Restart starts a stopped program again, with what it kept on disk, and with
// more arguments from now on.
func (w *World) Restart(ctx context.Context, name string, args ...string) error {
	p := w.processes[name]
	if p == nil {
		return fmt.Errorf("start %s: it never ran here", name)
	}
	p.args = append(p.args, args...)
	return p.start(ctx)
}

// Environ is the environment of every program: the built programs are on the
// PATH, the world's authority is trusted, and the home is the world's own. With
// more programs than processors, one that looks for work on all of them costs a
// quarter more; and memory is to be had, time is not.
func (w *World) Environ() []string {
	path := os.Getenv("PATH")
	for _, folder := range w.Programs {
		path = folder + string(filepath.ListSeparator) + path
	}
	return []string{
		"PATH=" + path, "HOME=" + w.path("home"), "TMPDIR=" + w.path("tmp"), "LC_ALL=C",
		"KUBECONFIG=" + w.path("pki/kubeconfig"), "SSL_CERT_FILE=" + w.path("pki/ca.crt"),
		"GIT_SSL_CAINFO=" + w.path("pki/ca.crt"), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GOMAXPROCS=1", "GOGC=200",
	}
}

// Kubeconfig is the file that says where the cluster is.
func (w *World) Kubeconfig() string { return w.path("pki/kubeconfig") }

func (w *World) path(name string) string { return filepath.Join(w.Dir, filepath.FromSlash(name)) }

func (w *World) write(name string, data []byte) error {
	return os.WriteFile(w.path(name), data, 0o600)
}

// connect makes the clients of a kubeconfig.
func (w *World) connect() error {
	var err error
	if w.Config, err = clientcmd.BuildConfigFromFlags("", w.Kubeconfig()); err != nil {
		return err
	}
	w.Config.QPS, w.Config.Burst = -1, -1 // nobody else is to be spared
	if w.Client, err = kubernetes.NewForConfig(w.Config); err != nil {
		return err
	}
	if w.Dynamic, err = dynamic.NewForConfig(w.Config); err != nil {
		return err
	}
	w.Discovery = w.Client.Discovery()
	w.kinds = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(w.Discovery))
	return nil
}
