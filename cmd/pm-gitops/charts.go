package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// charts is where charts come from.
type charts interface {
	// Chart is the chart of a release, of exactly that name and version.
	Chart(context.Context, render.Chart) (sourced, error)
}

// sourced is a chart as it was found.
type sourced struct {
	chart.Chart
	digest string // of its manifest in a registry, empty if that is not known
}

// Render renders the chart, and waits for it no longer than it may take.
func (s sourced) Render(ctx context.Context, in chart.Input) (chart.Output, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, mostTime, errTooLong)
	defer cancel()
	return s.Chart.Render(ctx, in)
}

// chartFlags is the flags that say where charts come from.
type chartFlags struct {
	dir       string
	cache     string
	caFile    string
	plainHTTP []string
	offline   bool
}

// place is a flag that names a file or a folder. Without a name it is refused,
// not ignored: a variable that is not set must not change what is looked at.
type place string

func (p *place) String() string { return string(*p) }
func (p *place) Type() string   { return "string" }
func (p *place) Set(name string) error {
	if name == "" {
		return errors.New("want a name: a variable that is not set, maybe?")
	}
	*p = place(name)
	return nil
}

func (a app) addCharts(cmd *cobra.Command, c *chartFlags) {
	flags := cmd.Flags()
	flags.Var((*place)(&c.dir), "chart-dir", "take charts from this `folder` instead of a registry: archives NAME-VERSION.tgz, or folders NAME-VERSION or NAME")
	flags.Var((*place)(&c.cache), "cache-dir", "keep charts from registries in this `folder` (default: pm-gitops in the user's cache folder)")
	flags.Var((*place)(&c.caFile), "ca-file", "`file` with certificates in PEM that registries may be signed by, besides the system's")
	flags.StringArrayVar(&c.plainHTTP, "plain-http", nil, "registry `host` that may answer without TLS, with its port; may be repeated")
	flags.BoolVar(&c.offline, "offline", false, "ask no registry: take charts from the cache alone")
	_ = cmd.MarkFlagDirname("chart-dir")
	_ = cmd.MarkFlagDirname("cache-dir")
	_ = cmd.MarkFlagFilename("ca-file", "pem", "crt")
}

// charts is where the flags say that charts come from. Whoever asks it for the
// same chart again gets the same one.
func (a app) charts(flags chartFlags) (charts, error) {
	a.showWarnings()
	if flags.dir == "" {
		client, err := a.registry(flags)
		if err != nil {
			return nil, err
		}
		return &chartsOnce{inner: chartRegistry{client, a}}, nil
	}
	if flags.offline || flags.caFile != "" || flags.plainHTTP != nil || flags.cache != "" {
		return nil, usageError{errors.New("with --chart-dir no registry is asked: leave out --offline, --ca-file, --plain-http and --cache-dir")}
	}
	if _, err := os.ReadDir(flags.dir); err != nil {
		return nil, fmt.Errorf("read folder %s: %w", flags.dir, errors.Unwrap(err))
	}
	return &chartsOnce{inner: chartFolder(flags.dir), byName: true}, nil
}

// registry is the client for registries that the flags ask for.
func (a app) registry(flags chartFlags) (*registry.Client, error) {
	cache := flags.cache
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil && flags.offline {
			return nil, hinted{fmt.Errorf("find the cache: %w", err), "Name it with --cache-dir."}
		}
		if err == nil {
			cache = filepath.Join(user, "pm-gitops")
		}
	}
	return registry.New(registry.Options{
		UserAgent: "pm-gitops/" + versions().Version,
		CAFile:    flags.caFile,
		PlainHTTP: flags.plainHTTP,
		Keychain:  registry.Keychain(a.getenv),
		Cache:     cache,
		Offline:   flags.offline,
		Warn:      func(err error) { fmt.Fprintf(a.err, "warning: %s\n", text.VisibleLines(err.Error())) },
		Now:       a.now,
	})
}

// chartRegistry is the registries that releases name.
type chartRegistry struct {
	client *registry.Client
	app
}

// Chart gets a chart from its registry, or from the cache. That a version is
// not what it was is no error, but somebody has to know.
func (r chartRegistry) Chart(ctx context.Context, wanted render.Chart) (sourced, error) {
	got, err := r.client.Chart(ctx, registry.Ref{Repository: wanted.Repository, Version: wanted.Version, Digest: wanted.Digest})
	if err != nil {
		return sourced{}, err
	}
	if got.MovedFrom != "" {
		fmt.Fprintf(r.err, "warning: %s is another chart than before: %s, and was %s\n", text.VisibleLines(got.Ref.String()), got.Digest, got.MovedFrom)
	}
	read, err := chart.Load(got.Archive)
	if err != nil {
		return sourced{}, fmt.Errorf("%s: %w", got.Ref, err)
	}
	return sourced{read, got.Digest}, nil
}

// chartsOnce reads every chart once: the environments of a fleet have the same.
type chartsOnce struct {
	inner  charts
	byName bool     // which repository does not matter
	known  sync.Map // render.Chart to func() (sourced, error)
}

func (c *chartsOnce) Chart(ctx context.Context, wanted render.Chart) (sourced, error) {
	wanted.PullSecret, wanted.CASecret = "", "" // they say nothing about which chart it is
	if c.byName {
		wanted.Repository = path.Base(wanted.Repository)
	}
	read, _ := c.known.LoadOrStore(wanted, sync.OnceValues(func() (sourced, error) { return c.inner.Chart(ctx, wanted) }))
	return read.(func() (sourced, error))()
}
