// Package charts finds the charts of releases, in a folder, in registries or in
// the cache, and renders them within bounds of time and memory. A chart is
// another's program: its templates can loop for ever.
package charts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/render"
)

// Source finds charts.
type Source interface {
	// Chart finds the chart of a release, of exactly that name and version.
	Chart(context.Context, render.Chart) (Chart, error)
}

// Options says where charts come from.
type Options struct {
	Dir       string   // a folder with charts, instead of registries
	Cache     string   // the folder of the cache; empty for the user's cache folder
	CAFile    string   // certificates in PEM that registries may be signed by, besides the system's
	PlainHTTP []string // hosts that may answer without TLS, with their ports
	Offline   bool     // ask no registry: take charts from the cache alone
	Tokens    []string // hosts of token services that logins may go to, besides their own hosts

	UserAgent string
	Getenv    func(string) string
	Now       func() time.Time
	Warn      func(text string) // gets what a user has to know and what is no error
}

// ErrNoCache is the error of a cache that no option and no variable places.
var ErrNoCache = errors.New("find the cache")

// Open opens the source that the options name. A caller that asks it for the same
// chart again gets the same one.
func Open(o Options) (Source, error) {
	if o.Dir == "" {
		client, err := o.Client()
		if err != nil {
			return nil, err
		}
		return &once{inner: registries{client, o.Warn}}, nil
	}
	if _, err := os.ReadDir(o.Dir); err != nil {
		return nil, fmt.Errorf("read folder %s: %w", o.Dir, errors.Unwrap(err))
	}
	return &once{inner: Folder(o.Dir), byName: true}, nil
}

// Client makes the client for registries that the options ask for.
func (o Options) Client() (*registry.Client, error) {
	cache := o.Cache
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil && o.Offline {
			return nil, fmt.Errorf("%w: %w", ErrNoCache, err)
		}
		if err == nil {
			cache = filepath.Join(user, "pm-gitops")
		}
	}
	return registry.New(registry.Options{
		UserAgent: o.UserAgent,
		CAFile:    o.CAFile,
		PlainHTTP: o.PlainHTTP,
		Keychain:  registry.Keychain(o.Getenv),
		Cache:     cache,
		Offline:   o.Offline,
		Warn:      func(err error) { o.Warn(err.Error()) },
		Now:       o.Now,

		TokenServices: o.Tokens,
	})
}

// registries is the registries that releases name.
type registries struct {
	client *registry.Client
	warn   func(string)
}

// Chart gets a chart from its registry, or from the cache. That a version is
// not what it was is no error, but a user has to know.
func (r registries) Chart(ctx context.Context, wanted render.Chart) (Chart, error) {
	got, err := r.client.Chart(ctx, registry.Ref{Repository: wanted.Repository, Version: wanted.Version, Digest: wanted.Digest})
	if err != nil {
		return Chart{}, err
	}
	if got.MovedFrom != "" {
		r.warn(fmt.Sprintf("%s is another chart than before: %s, and was %s", got.Ref, got.Digest, got.MovedFrom))
	}
	own, err := packed{Archive: got.Archive, Digest: got.Digest}.load(ctx)
	if err != nil {
		return Chart{}, fmt.Errorf("%s: %w", got.Ref, err)
	}
	return own, nil
}

// once reads every chart once: the environments of a fleet have the same.
type once struct {
	inner  Source
	byName bool     // which repository does not matter
	known  sync.Map // render.Chart to func() (Chart, error)
}

func (c *once) Chart(ctx context.Context, wanted render.Chart) (Chart, error) {
	wanted.PullSecret, wanted.CASecret = "", "" // they say nothing about which chart it is
	if c.byName {
		wanted.Repository = path.Base(wanted.Repository)
	}
	read, _ := c.known.LoadOrStore(wanted, sync.OnceValues(func() (Chart, error) { return c.inner.Chart(ctx, wanted) }))
	return read.(func() (Chart, error))()
}
