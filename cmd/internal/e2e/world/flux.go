//go:build e2e

package world

import (
	"context"
	"fmt"
	"os"
)

// FluxNamespace is where Flux runs.
const FluxNamespace = "flux-system"

// StartFlux installs Flux's definitions and starts its controllers.
func (w *World) StartFlux(ctx context.Context) error {
	if err := w.Define(ctx, w.program("flux", "crds")); err != nil {
		return err
	}
	if err := w.Apply(ctx, fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", FluxNamespace)); err != nil {
		return err
	}
	if err := os.MkdirAll(w.path("data/source"), 0o755); err != nil {
		return err
	}
	storage, err := freePort()
	if err != nil {
		return err
	}
	at := fmt.Sprintf("127.0.0.1:%d", storage)
	return together(
		func() error {
			return w.fluxController(ctx, "source-controller", "--storage-path="+w.path("data/source"), "--storage-addr="+at, "--storage-adv-addr="+at)
		},
		func() error { return w.fluxController(ctx, "kustomize-controller", "--requeue-dependency=2s") },
		func() error { return w.fluxController(ctx, "helm-controller", "--requeue-dependency=2s") },
	)
}

func (w *World) fluxController(ctx context.Context, name string, args ...string) error {
	metrics, err := freePort()
	if err != nil {
		return err
	}
	health, err := freePort()
	if err != nil {
		return err
	}
	return w.start(ctx, name, w.program("flux", name), process{
		env: []string{"RUNTIME_NAMESPACE=" + FluxNamespace},
		args: append(args, "--events-addr=", "--log-level=info", "--enable-leader-election=false", "--watch-all-namespaces=true",
			fmt.Sprintf("--metrics-addr=127.0.0.1:%d", metrics), fmt.Sprintf("--health-addr=127.0.0.1:%d", health)),
		ready: listens(fmt.Sprintf("127.0.0.1:%d", health)),
	})
}
