package mirror

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/regclient/regclient"
	"github.com/regclient/regclient/config"
	"github.com/regclient/regclient/scheme/reg"
	"github.com/regclient/regclient/types/manifest"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
)

// Bounds on what a copy may take. The library repeats requests within each attempt.
const (
	attempts   = 3
	leastSpeed = 50 << 10 // bytes a second; who is slower is given up
	leastTime  = 5 * time.Minute
)

// copy copies what the target lacks of a tree, and verifies it.
func (m *Mirror) copy(ctx context.Context, a *artifact, t *tree, result *Result) error {
	if result.Conflict != "" {
		return errors.New(result.Conflict)
	}
	blobs, moved, total := t.blobs(), &moved{}, result.BytesMissing
	failures := make([]error, len(blobs))
	done := func() {
		if m.options.Progress != nil {
			m.options.Progress(a.Target, moved.copied.Load()+moved.mounted.Load()+moved.skipped.Load(), total)
		}
	}
	var stop atomic.Bool // what would fail likewise is not begun
	parallel.Each(len(blobs), len(blobs), func(i int) {
		m.slots <- struct{}{}
		defer func() { <-m.slots }()
		if stop.Load() {
			return
		}
		if failures[i] = m.blob(ctx, a, blobs[i], moved, done); failures[i] != nil && lasts(failures[i]) {
			stop.Store(true)
		}
	})
	result.BytesCopied, result.BytesMounted, result.BytesSkipped = moved.copied.Load(), moved.mounted.Load(), moved.skipped.Load()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	if err := m.write(ctx, a, t, blobs); err != nil {
		return err
	}
	result.State = Copied
	return nil
}

// write puts the manifests of a tree, and verifies all of it. A repository is written
// to by one artifact at a time: a fallback tag is read, changed and written.
func (m *Mirror) write(ctx context.Context, a *artifact, t *tree, blobs []descriptor) error {
	lock, _ := m.writing.LoadOrStore(a.to.repository.Name(), &sync.Mutex{})
	lock.(*sync.Mutex).Lock()
	defer lock.(*sync.Mutex).Unlock()
	for _, p := range t.pieces {
		if p.state == there {
			continue
		}
		if err := m.put(ctx, a, p); err != nil {
			return fmt.Errorf("write %s: %w%s", p.name(), err, m.hint(p, err))
		}
	}
	return verifyCopy(ctx, a, t, blobs)
}

// hint says what to do where a registry refuses an index of which only some platforms
// are copied.
func (m *Mirror) hint(p *piece, err error) string {
	var refused *registry.Error
	if m.options.Platforms == nil || p.Manifests == nil || !errors.As(err, &refused) || refused.Kind != registry.Other && refused.Kind != registry.NotFound {
		return ""
	}
	return ": with --platform the index names manifests that are not copied, and this registry may want all of them: leave out --platform"
}

// library makes a client of the library for an artifact. A client remembers how often a
// host failed and then gives up sooner, so each attempt has its own. It knows no logins:
// the transport does.
func (m *Mirror) library(a *artifact) *regclient.RegClient {
	var hosts []config.Host
	for _, one := range []side{a.from, a.to} {
		if one.held != nil || one.name == "" {
			continue
		}
		hosts = append(hosts, config.Host{Name: one.ref.Registry, Hostname: one.repository.RegistryStr(), TLS: config.TLSEnabled, ReqConcurrent: 1 << 20})
	}
	return regclient.New(regclient.WithConfigHost(hosts...), regclient.WithUserAgent(m.options.UserAgent),
		regclient.WithRegOpts(reg.WithHTTPClient(m.client), reg.WithRetryLimit(attempts), reg.WithDelay(m.delay, 20*m.delay)))
}

// blob brings a blob to the target: nothing to do, mounted, or copied. The same blob
// for the same repository is done once, whoever needs it.
func (m *Mirror) blob(ctx context.Context, a *artifact, d descriptor, moved *moved, done func()) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	defer done()
	ours := false
	for {
		_, err, _ := m.flights.Do(a.to.repository.Name()+"@"+d.Digest, func() (any, error) {
			ours = true
			return nil, m.bring(ctx, a, d, moved, done)
		})
		switch {
		case ours:
			return err
		case err == nil:
			moved.skipped.Add(d.Size)
			return nil
		}
		// Another artifact failed, maybe since its source is bad: ours may not be.
	}
}

func (m *Mirror) bring(ctx context.Context, a *artifact, d descriptor, moved *moved, done func()) error {
	found, err := a.to.hasBlob(ctx, d)
	switch {
	case err != nil:
		return err
	case found:
		moved.skipped.Add(d.Size)
	case m.mount(ctx, a, d):
		moved.mounted.Add(d.Size)
	default:
		if err := m.move(ctx, a, d, moved, done); err != nil {
			return err
		}
	}
	m.remember(a.to, d.Digest)
	return nil
}

// remember notes where a blob surely is.
func (m *Mirror) remember(at side, digest string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blobs[at.repository.RegistryStr()+"@"+digest] = at.ref
}

// mount takes a blob from another repository of the target's registry. Where it does
// not work, for whatever reason, the blob is copied.
func (m *Mirror) mount(ctx context.Context, a *artifact, d descriptor) bool {
	m.mu.Lock()
	place, known := m.blobs[a.to.repository.RegistryStr()+"@"+d.Digest]
	m.mu.Unlock()
	if a.from.held == nil && a.from.repository.RegistryStr() == a.to.repository.RegistryStr() {
		place, known = a.from.ref, true
	}
	return known && m.library(a).BlobMount(ctx, place, a.to.ref, d.library()) == nil
}

// move copies the bytes of a blob. Bytes that are not those of the digest end it.
func (m *Mirror) move(ctx context.Context, a *artifact, d descriptor, moved *moved, done func()) error {
	limit := leastTime + time.Duration(d.Size/leastSpeed)*time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("copy %s: it takes longer than %s", d.Digest, limit))
	defer cancel()
	for attempt := 1; ; attempt++ {
		sent, err := m.moveOnce(ctx, a, d, func(n int64) { moved.copied.Add(n); done() })
		if err == nil && sent == 0 { // the registry had it elsewhere
			moved.mounted.Add(d.Size)
		}
		if err == nil {
			return nil
		}
		moved.copied.Add(-sent)
		if attempt == attempts || ctx.Err() != nil || lasts(err) {
			return fmt.Errorf("copy %s: %w", d.Digest, err)
		}
	}
}

// lasts reports whether an error would come again.
func lasts(err error) bool {
	var refused *registry.Error
	if !errors.As(err, &refused) {
		return errors.As(err, new(sinkError))
	}
	switch refused.Kind {
	case registry.RateLimited, registry.Unavailable, registry.Stalled, registry.Broken, registry.NoConnection, registry.Other:
		return false
	}
	return true
}

// moveOnce copies a blob, and gives how many bytes it counted with progress.
func (m *Mirror) moveOnce(ctx context.Context, a *artifact, d descriptor, progress func(int64)) (int64, error) {
	ctx, trouble := registry.WithTrouble(ctx)
	lib := m.library(a)
	reader, err := a.from.blob(ctx, lib, d)
	if err != nil {
		return 0, because(ctx, trouble(), err)
	}
	defer reader.Close()
	counted := &counted{reader: reader, progress: progress}
	err = m.send(ctx, lib, a, d, counted)
	switch {
	case err == nil, errors.As(err, new(sinkError)):
		return counted.read, err
	case counted.wrong != "":
		return counted.read, fmt.Errorf("%s %s, %d times", a.from.place(), counted.wrong, attempts)
	}
	return counted.read, because(ctx, trouble(), err)
}

// put writes a manifest as it is at the source, and, on a registry without the API for
// referrers, adds it to the fallback tag of its subject. The library compares the digest
// that the registry found: under a tag, a registry takes any bytes.
func (m *Mirror) put(ctx context.Context, a *artifact, p *piece) error {
	at := a.to.ref.SetTag(p.tag)
	if p.tag == "" {
		at = a.to.ref.SetDigest(p.digest)
	}
	made, err := manifest.New(manifest.WithRaw(p.raw), manifest.WithDesc(descriptor{MediaType: p.mediaType, Digest: p.digest, Size: int64(len(p.raw))}.library()))
	if err != nil {
		return errors.New(sentence(err))
	}
	for attempt := 1; ; attempt++ {
		watched, trouble := registry.WithTrouble(ctx)
		if err = m.library(a).ManifestPut(watched, at, made); err == nil {
			return nil
		}
		if err = because(ctx, trouble(), err); attempt == attempts || ctx.Err() != nil || lasts(err) {
			return err
		}
	}
}

// verifyCopy reads everything that was put from the target again.
func verifyCopy(ctx context.Context, a *artifact, t *tree, blobs []descriptor) error {
	for _, p := range t.pieces {
		if p.state == there {
			continue
		}
		got, err := a.to.manifest(ctx, p.name())
		if err != nil {
			return fmt.Errorf("verify the copy: %w", err)
		}
		if got.digest != p.digest {
			return fmt.Errorf("verify the copy: %s has %s as %s, not %s", a.to.repository.Name(), got.digest, p.name(), p.digest)
		}
		if p.Subject == nil {
			continue
		}
		list, err := a.to.referrers(ctx, p.Subject.Digest)
		if err != nil {
			return fmt.Errorf("verify the copy: %w", err)
		}
		if !covers(list, []descriptor{{Digest: p.digest}}) {
			return fmt.Errorf("verify the copy: %s does not list %s among what refers to %s", a.to.repository.Name(), p.digest, p.Subject.Digest)
		}
	}
	for _, d := range blobs {
		found, err := a.to.hasBlob(ctx, d)
		if err != nil {
			return fmt.Errorf("verify the copy: %w", err)
		}
		if !found {
			return fmt.Errorf("verify the copy: %s has lost %s", a.to.repository.Name(), d.Digest)
		}
	}
	return nil
}
