// Pm-gitops turns one environment file into the manifests that Flux
// or Argo CD reconciles to run Customer-Managed Prefect Cloud.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
	"github.com/pm-gitops/pm-gitops/cmd/internal/collector"
	"github.com/pm-gitops/pm-gitops/cmd/internal/console"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// deliverySystems returns every target that the program writes for, in the
// order of help texts: the first one is the default.
func deliverySystems() render.Targets { return render.Targets{targets.Flux{}, targets.Argo{}} }

// version is the release, for a build that Git does not name, such as one from an archive
// of the sources: go build -ldflags "-X main.version=v1.2.3". Only the linker sets it.
var version string

// grace is how long a command may take to end once it is told to. Reading a file
// that never ends, such as a named pipe, cannot be told.
const grace = 5 * time.Second

func main() { os.Exit(run()) }

func run() int {
	collector.Start()
	if len(os.Args) == 2 && os.Args[1] == charts.WorkerArgument {
		return charts.Work(os.Stdin, os.Stdout)
	}
	system := cli.System{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now, Getenv: os.Getenv, Environ: os.Environ(), Targets: deliverySystems(), Version: version}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() {
		stop() // a second Ctrl-C kills at once
		time.Sleep(grace)
		console.New(system.Err).Say("pm-gitops: interrupted")
		os.Exit(cli.ExitFailed)
	})
	return cli.Run(ctx, system, os.Args[1:])
}
