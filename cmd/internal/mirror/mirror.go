// Package mirror copies images and charts from their registries to another one, with
// their digests, all of their platforms, and what belongs to them: signatures,
// attestations and SBOMs under cosign's tags, and OCI referrers.
//
// What has to be copied is found here, and the library regclient moves it: the library
// finds signatures only where a registry lists tags, and takes every error of a list of
// referrers as an empty list. Here only "not found" means that there is nothing.
package mirror

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	rref "github.com/regclient/regclient/types/ref"
	"golang.org/x/sync/singleflight"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/verify"
)

// Kind says which kind of artifact something is.
type Kind string

// The kinds of artifacts. Both are copied alike.
const (
	Image Kind = "image"
	Chart Kind = "chart"
)

// Artifact is something to copy. Source is a reference with a tag or a digest; where
// it has both, the digest counts. Target has the tag that the copy gets, or the
// source's digest; it may be empty where a [Sink] gets the artifact.
type Artifact struct {
	Kind           Kind
	Source, Target string
	Environments   []string        // that need it, for messages
	Policies       verify.Policies // with which its signatures are verified, each of them
	Locked         string          // the digest that the source has to have; empty for any
}

// Options say how artifacts are copied.
type Options struct {
	Client    *registry.Client
	Parallel  int        // how many artifacts, and how many blobs, are copied at a time; at least 1
	Platforms []Platform // of an index only these; all where there are none
	Blobs     bool       // look for the blobs of manifests that are there, too
	UserAgent string

	Source Source // where artifacts come from instead of their registries; nil for these
	Sink   Sink   // what gets them instead of their targets, which only name them then; nil for these

	// Progress gets how many bytes of an artifact's blobs are done, and of how many. It
	// is called by many goroutines, at the latest when the copy ends.
	Progress func(target string, done, total int64)

	// Done gets the result of an artifact, by its number, as soon as it has one. It is
	// called by many goroutines.
	Done func(i int, result Result)
}

// Mirror copies a set of artifacts. It must not be used twice.
type Mirror struct {
	options   Options
	copies    []*artifact
	client    *http.Client
	transport *registry.Transport

	delay   time.Duration // before the library repeats something, and at most 20 times as long
	slots   chan struct{} // for blobs
	flights singleflight.Group
	writing sync.Map // by repository of a target, the lock for manifests
	mu      sync.Mutex
	blobs   map[string]rref.Ref // repositories of targets in which a blob surely is, by host and digest
}

// artifact is an [Artifact] that was read.
type artifact struct {
	Artifact
	from, to side
	source   string // tag or digest to ask for
	tag      string // at the target; empty for a digest
	pinned   string // the digest that the references name, if they name one
}

// New reads the references, and opens no connection. It refuses all artifacts where
// different sources would become one target, with every source in the error.
func New(artifacts []Artifact, options Options) (*Mirror, error) {
	m := &Mirror{options: options, delay: 100 * time.Millisecond, slots: make(chan struct{}, max(options.Parallel, 1)), blobs: map[string]rref.Ref{}}
	var access []registry.Access
	for _, one := range artifacts {
		read, err := m.read(one)
		if err != nil {
			return nil, err
		}
		m.copies = append(m.copies, read)
		if options.Sink == nil {
			access = append(access, registry.Access{Repository: read.to.repository, Push: true})
		}
		if options.Source == nil {
			access = append(access, registry.Access{Repository: read.from.repository})
		}
	}
	if err := m.collisions(); err != nil {
		return nil, err
	}
	m.transport = options.Client.Transport(unique(access)...)
	m.client = &http.Client{Transport: m.transport}
	for _, one := range m.copies {
		one.from.client, one.to.client = m.client, m.client
		one.from.transport, one.to.transport = m.transport, m.transport
		one.from.held = options.Source
	}
	return m, nil
}

// unique drops access to a repository that was there before. Access to write comes
// first where a repository is both.
func unique(all []registry.Access) []registry.Access {
	slices.SortStableFunc(all, func(a, b registry.Access) int {
		if a.Push != b.Push {
			if a.Push {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Repository.Name(), b.Repository.Name())
	})
	var some []registry.Access
	for _, one := range all {
		if !slices.ContainsFunc(some, func(other registry.Access) bool { return other.Repository == one.Repository }) {
			some = append(some, one)
		}
	}
	return some
}

func (m *Mirror) read(one Artifact) (*artifact, error) {
	from, err := ref.ParseImage(one.Source)
	if err != nil {
		return nil, fmt.Errorf("copy %s: %w", one.Source, err)
	}
	read := &artifact{Artifact: one, source: from.Tag, tag: from.Tag, pinned: from.Digest}
	if from.Digest != "" {
		read.source = from.Digest
	}
	if read.from, err = m.open(from.Name()); err != nil || one.Target == "" && m.options.Sink != nil {
		return read, err
	}
	to, err := ref.ParseImage(one.Target)
	if err != nil {
		return nil, fmt.Errorf("copy %s to %s: %w", one.Source, one.Target, err)
	}
	read.tag = to.Tag
	if to.Tag == "" && to.Digest != from.Digest {
		return nil, fmt.Errorf("copy %s to %s: a copy cannot have another digest", one.Source, one.Target)
	}
	read.to, err = m.open(to.Name())
	return read, err
}

func (m *Mirror) open(repository string) (side, error) {
	parsed, err := m.options.Client.Repository(repository)
	if err != nil {
		return side{}, err
	}
	library, err := rref.New(repository)
	if err != nil {
		return side{}, fmt.Errorf("repository %q: want host/path/name", repository)
	}
	return side{name: repository, repository: parsed, ref: library}, nil
}

// Check finds out what the target lacks, and changes nothing. It asks for manifests
// alone, unless the options say that it looks for blobs, too. Results are in the order
// of the artifacts. The error is one of all artifacts together; where the context ended,
// the results are there nevertheless.
func (m *Mirror) Check(ctx context.Context) ([]Result, error) {
	return m.each(ctx, func(context.Context, *artifact, *tree, *Result) error { return nil })
}

// Copy copies what the target lacks, and verifies it there. An artifact that fails
// does not keep the others from being copied. Results and errors are those of
// [Mirror.Check]. A [Sink] gets either every artifact, or, if a result has an error,
// not all of them.
func (m *Mirror) Copy(ctx context.Context) ([]Result, error) {
	if m.options.Sink != nil {
		return m.save(ctx)
	}
	return m.each(ctx, m.copy)
}

// each resolves all artifacts, and then compares each with the target and works on what
// is missing there.
func (m *Mirror) each(ctx context.Context, work func(context.Context, *artifact, *tree, *Result) error) ([]Result, error) {
	results, roots, err := m.resolve(ctx)
	if err != nil {
		return results, err
	}
	parallel.Each(m.options.Parallel, len(m.copies), func(i int) {
		if roots[i] != nil {
			results[i].fail(m.one(ctx, m.copies[i], roots[i], &results[i], work))
			m.done(i, results[i])
		}
	})
	if ctx.Err() != nil {
		return m.interrupted(ctx, results)
	}
	return results, nil
}

// interrupted ends a run whose context ended: uploads are cancelled, and the results name
// what was not done.
func (m *Mirror) interrupted(ctx context.Context, results []Result) ([]Result, error) {
	m.transport.CancelUploads(ctx)
	for i := range results {
		one := &results[i]
		if one.State == Failed && !strings.Contains(one.Error, context.Cause(ctx).Error()) || one.State == Copied || one.State == Present {
			continue
		}
		one.State, one.Error = Failed, "interrupted"
	}
	return results, context.Cause(ctx)
}

// resolve gets the manifest of every artifact, none for one that failed, and refuses
// collisions that only digests show.
func (m *Mirror) resolve(ctx context.Context) ([]Result, []*document, error) {
	results, roots := make([]Result, len(m.copies)), make([]*document, len(m.copies))
	for i, one := range m.copies {
		results[i] = Result{Kind: one.Kind, Source: one.Source, Target: one.Target, Environments: one.Environments}
	}
	parallel.Each(m.options.Parallel, len(m.copies), func(i int) {
		root, err := m.copies[i].from.manifest(ctx, m.copies[i].source)
		if locked := m.copies[i].Locked; err == nil && locked != "" && root.digest != locked {
			err = fmt.Errorf("its digest is %s, and the lock has %s: it is not copied", root.digest, locked)
		}
		if results[i].fail(err) {
			m.done(i, results[i])
			return
		}
		roots[i], results[i].Digest = root, root.digest
	})
	if ctx.Err() != nil {
		results, err := m.interrupted(ctx, results)
		return results, nil, err
	}
	if err := m.moved(roots); err != nil {
		return nil, nil, err
	}
	return results, roots, nil
}

func (m *Mirror) done(i int, result Result) {
	if m.options.Done != nil {
		m.options.Done(i, result)
	}
}

// one works on an artifact. Its signatures are verified at the source before anything is
// copied, and at the target as soon as that has all of it.
func (m *Mirror) one(ctx context.Context, a *artifact, root *document, result *Result, work func(context.Context, *artifact, *tree, *Result) error) error {
	var err error
	if result.Signature, err = a.signatures(ctx, a.from, a.Source, root); err != nil {
		return err
	}
	all, err := grow(ctx, a, root, m.options.Platforms)
	if err != nil {
		return err
	}
	if m.options.Sink != nil {
		all.lacking()
	} else if err := all.compare(ctx, a); err != nil {
		return err
	}
	if m.options.Blobs {
		if err := m.findLost(ctx, a, all); err != nil {
			return err
		}
	}
	result.describe(all)
	if len(result.Lacks) > 0 {
		if err := work(ctx, a, all, result); err != nil {
			return err
		}
	}
	if result.State == Present || result.State == Copied {
		result.Signature, err = a.signatures(ctx, a.to, a.Target, root)
	}
	return err
}

// sentence gives the first line of an error of the library, bounded.
func sentence(err error) string { return text.FirstLine(err.Error()) }
