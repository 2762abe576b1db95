package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/memory"
)

// references is what a repository says it has.
type references struct {
	all     map[string]plumbing.Hash
	head    string // the branch that HEAD is; empty where nobody says
	partial bool   // it leaves out objects when asked to, and sends them one by one
	shallow bool   // it sends a commit without its history
}

// branch is where a branch is, zero where it is not there.
func (r references) branch(name string) plumbing.Hash { return r.all["refs/heads/"+name] }

// want is what is asked for in one request.
type want struct {
	hashes   []plumbing.Hash
	noBlobs  bool
	justThat bool            // without the history
	has      []plumbing.Hash // commits that are here, with all that leads to them
	ends     []plumbing.Hash // those of them whose parents are not here
}

// fetch asks for references and, where choose names something that is wanted of
// them, for objects, which go into a store.
func (c *connection) fetch(ctx context.Context, into storer.Storer, choose func(references) (want, error)) (references, error) {
	session, err := c.client.NewUploadPackSession(c.at.Endpoint, c.auth)
	if err != nil {
		return references{}, c.explain(ctx, err)
	}
	defer session.Close()
	advertised, err := session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		err, advertised = nil, packp.NewAdvRefs()
	}
	c.judge(ctx, err)
	if err != nil {
		return references{}, c.unanswered(ctx, transport.UploadPackServiceName, err)
	}
	known := newReferences(advertised)
	asked, err := choose(known)
	if err != nil || len(asked.hashes) == 0 {
		return known, err
	}
	request := c.request(advertised.Capabilities, known, asked)
	response, err := session.UploadPack(ctx, request)
	if err != nil {
		return known, c.explain(ctx, err)
	}
	defer response.Close()
	const most = 2 << 30
	var objects io.Reader = io.LimitReader(response, most)
	if request.Capabilities.Supports(capability.Sideband64k) {
		objects = sideband.NewDemuxer(sideband.Sideband64k, objects)
	}
	return known, c.explain(ctx, packfile.UpdateObjectStorage(into, objects))
}

func newReferences(advertised *packp.AdvRefs) references {
	has := advertised.Capabilities
	known := references{
		all:     advertised.References,
		partial: has.Supports(capability.Filter) && has.Supports(capability.AllowReachableSHA1InWant),
		shallow: has.Supports(capability.Shallow),
	}
	for _, link := range has.Get(capability.SymRef) {
		if target, found := strings.CutPrefix(link, "HEAD:refs/heads/"); found {
			known.head = target
		}
	}
	if known.head == "" && advertised.Head != nil { // an old server: guess, as git does
		for _, name := range []string{"main", "master"} {
			if known.branch(name) == *advertised.Head {
				known.head = name
			}
		}
	}
	return known
}

func (c *connection) request(has *capability.List, known references, asked want) *packp.UploadPackRequest {
	request := packp.NewUploadPackRequest()
	for _, wanted := range []capability.Capability{capability.OFSDelta, capability.Sideband64k, capability.NoProgress} {
		if has.Supports(wanted) {
			_ = request.Capabilities.Set(wanted)
		}
	}
	if has.Supports(capability.Agent) {
		_ = request.Capabilities.Set(capability.Agent, capability.DefaultAgent())
	}
	if azure := c.at.Host; azure == "dev.azure.com" || strings.HasSuffix(azure, ".visualstudio.com") {
		_ = request.Capabilities.Set(capability.MultiACK) // it answers nobody else
	}
	request.Wants, request.Haves = asked.hashes, asked.has
	if len(asked.ends) > 0 && known.shallow {
		_ = request.Capabilities.Set(capability.Shallow)
		request.Shallows = asked.ends
	}
	if asked.justThat && known.shallow {
		_ = request.Capabilities.Set(capability.Shallow)
		request.Depth = packp.DepthCommits(1)
	}
	if asked.noBlobs && known.partial {
		_ = request.Capabilities.Set(capability.Filter)
		request.Filter = packp.FilterBlobNone()
	}
	return request
}

// tip fetches a commit and its folders, and its files as well where the server
// leaves nothing out.
func (c *connection) tip(ctx context.Context, into *memory.Storage, choose func(references) (plumbing.Hash, error)) (references, error) {
	return c.fetch(ctx, into, func(known references) (want, error) {
		hash, err := choose(known)
		if err != nil || hash.IsZero() {
			return want{}, err
		}
		return want{hashes: []plumbing.Hash{hash}, noBlobs: true, justThat: true}, nil
	})
}

// blobs fetches files by their hashes; if the server does not send them that way,
// with everything else that the commit has.
func (c *connection) blobs(ctx context.Context, into *memory.Storage, hashes []plumbing.Hash, commit plumbing.Hash) error {
	var missing []plumbing.Hash
	seen := map[plumbing.Hash]bool{}
	for _, hash := range hashes {
		if into.HasEncodedObject(hash) != nil && !seen[hash] {
			missing, seen[hash] = append(missing, hash), true
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err := c.fetch(ctx, into, func(references) (want, error) { return want{hashes: missing}, nil })
	if err == nil && into.HasEncodedObject(missing[0]) == nil || ctx.Err() != nil {
		return err
	}
	_, again := c.fetch(ctx, into, func(references) (want, error) { return want{hashes: []plumbing.Hash{commit}, justThat: true}, nil })
	for _, hash := range missing {
		if again == nil && into.HasEncodedObject(hash) != nil {
			return errors.Join(err, fmt.Errorf("%s does not send the file %s", c.at.shown, hash))
		}
	}
	return again
}
