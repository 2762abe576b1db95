package transport

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/storer"
	gotransport "github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/memory"
)

// References holds what a repository advertises.
type References struct {
	all     map[string]plumbing.Hash
	Head    string // the branch that HEAD is; empty where the server does not tell
	partial bool   // it leaves out objects when asked to, and sends them one by one
	shallow bool   // it sends a commit without its history
}

// Branch returns the commit of a branch, zero where there is no such branch.
func (r References) Branch(name string) plumbing.Hash { return r.all["refs/heads/"+name] }

// Branches returns the names of all branches, sorted.
func (r References) Branches() (names []string) {
	for ref := range r.all {
		if name, found := strings.CutPrefix(ref, "refs/heads/"); found {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// want says which objects one request asks for.
type want struct {
	hashes   []plumbing.Hash
	noBlobs  bool
	flat     bool // only what is named: no folder comes with what is in it
	justThat bool // without the history
	depth    int  // with justThat: how many commits deep the history is, if more than one
	most     int  // if it is more objects, the error is errMany; 0 for any number
}

// errMany says that there are more objects than were wanted.
var errMany = errors.New("these are many objects")

// conversation lets a server answer requests for objects.
type conversation struct {
	session gotransport.UploadPackSession
	known   References
	can     *capability.List
}

// References asks what the repository has now.
func (c *Connection) References(ctx context.Context) (References, error) {
	return c.fetch(ctx, nil, func(References) (want, error) { return want{}, nil })
}

// Below fetches a folder with all folders below it.
func (c *Connection) Below(ctx context.Context, into storer.Storer, folder plumbing.Hash) error {
	return c.more(ctx, into, want{hashes: []plumbing.Hash{folder}, noBlobs: true})
}

// fetch asks for references and, where choose names something that is wanted of
// them, for objects, which go into a store.
func (c *Connection) fetch(ctx context.Context, into storer.Storer, choose func(References) (want, error)) (References, error) {
	c.fault = nil
	defer c.end()
	session, err := c.client.NewUploadPackSession(c.at.endpoint(), c.auth)
	if err != nil {
		return References{}, c.explain(ctx, err)
	}
	defer session.Close()
	advertised, err := session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, gotransport.ErrEmptyRemoteRepository) {
		err, advertised = nil, packp.NewAdvRefs()
	}
	c.judge(ctx, err)
	if err != nil {
		return References{}, c.explainAnswer(ctx, err)
	}
	open := &conversation{session, newReferences(advertised), advertised.Capabilities}
	if c.stateless() {
		c.open = open
	}
	asked, err := choose(open.known)
	if err != nil || len(asked.hashes) == 0 {
		return open.known, err
	}
	return open.known, c.take(ctx, open, into, asked)
}

// more asks for objects without asking for references again, if it can.
func (c *Connection) more(ctx context.Context, into storer.Storer, asked want) error {
	if c.open != nil {
		return c.take(ctx, c.open, into, asked)
	}
	_, err := c.fetch(ctx, into, func(References) (want, error) { return asked, nil })
	return err
}

// stateless reports whether each request stands for itself. Otherwise each takes
// a conversation of its own, over SSH with a connection of its own.
func (c *Connection) stateless() bool { return c.at.Protocol == "https" || c.at.Protocol == "http" }

// take asks for objects and puts them into a store.
func (c *Connection) take(ctx context.Context, open *conversation, into storer.Storer, asked want) error {
	defer c.end()
	request := c.request(open.can, open.known, asked)
	response, err := open.session.UploadPack(ctx, request)
	if err != nil {
		return c.explain(ctx, err)
	}
	defer response.Close()
	var objects io.Reader = response
	if request.Capabilities.Supports(capability.Sideband64k) {
		objects = sideband.NewDemuxer(sideband.Sideband64k, objects)
	}
	if asked.most > 0 {
		head := bufio.NewReader(objects)
		start, err := head.Peek(12)
		if err != nil {
			return c.explain(ctx, err)
		}
		if binary.BigEndian.Uint32(start[8:]) > uint32(asked.most) {
			return errMany
		}
		objects = head
	}
	return c.explain(ctx, c.unpack(into, objects))
}

func newReferences(advertised *packp.AdvRefs) References {
	has := advertised.Capabilities
	known := References{
		all:     advertised.References,
		partial: has.Supports(capability.Filter) && has.Supports(capability.AllowReachableSHA1InWant),
		shallow: has.Supports(capability.Shallow),
	}
	for _, link := range has.Get(capability.SymRef) {
		if target, found := strings.CutPrefix(link, "HEAD:refs/heads/"); found {
			known.Head = target
		}
	}
	if known.Head == "" && advertised.Head != nil { // an old server: guess, as git does
		for _, name := range []string{"main", "master"} {
			if known.Branch(name) == *advertised.Head {
				known.Head = name
			}
		}
	}
	return known
}

func (c *Connection) request(has *capability.List, known References, asked want) *packp.UploadPackRequest {
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
		_ = request.Capabilities.Set(capability.MultiACK) // it answers no other client
	}
	request.Wants = asked.hashes
	if asked.justThat && known.shallow {
		_ = request.Capabilities.Set(capability.Shallow)
		request.Depth = packp.DepthCommits(max(asked.depth, 1))
	}
	if known.partial && (asked.noBlobs || asked.flat) {
		_ = request.Capabilities.Set(capability.Filter)
		request.Filter = packp.FilterBlobNone()
		if asked.flat {
			request.Filter = packp.FilterTreeDepth(0)
		}
	}
	return request
}

// maxFolders bounds the folders that come with a commit, needed or not. Of more
// than that only those are fetched that are needed, a request for each level of
// them: that is five or six in place of one, so it takes longer where the server is
// far away (with 50 ms to it, half as long again for 1,000 folders), or where many
// are needed. What it spares is the server's and our work on all the others.
const maxFolders = 5_000

// Tip fetches the commit that choose picks of the references, with its folders, and its
// files as well where the server leaves nothing out. Folders that are more than
// MaxFolders are left out. Nothing is fetched where choose returns zero.
func (c *Connection) Tip(ctx context.Context, into *memory.Storage, choose func(References) (plumbing.Hash, error)) error {
	var hash plumbing.Hash
	_, err := c.fetch(ctx, into, func(known References) (asked want, err error) {
		if hash, err = choose(known); err != nil || hash.IsZero() {
			return want{}, err
		}
		asked = want{hashes: []plumbing.Hash{hash}, noBlobs: true, justThat: true}
		if c.stateless() && known.partial {
			asked.most = c.MaxFolders
		}
		return asked, nil
	})
	if !errors.Is(err, errMany) {
		return err
	}
	return c.bare(ctx, into, hash)
}

// Commit fetches the commit that choose picks of the references, without its files and
// folders where the server leaves them out. Nothing is fetched where choose returns zero.
func (c *Connection) Commit(ctx context.Context, into *memory.Storage, choose func(References) plumbing.Hash) error {
	var hash plumbing.Hash
	_, err := c.fetch(ctx, nil, func(known References) (want, error) {
		hash = choose(known)
		return want{}, nil
	})
	if err != nil || hash.IsZero() {
		return err
	}
	return c.bare(ctx, into, hash)
}

// bare fetches a commit alone. Not every server knows how to leave folders out.
func (c *Connection) bare(ctx context.Context, into storer.Storer, hash plumbing.Hash) error {
	err := c.more(ctx, into, want{hashes: []plumbing.Hash{hash}, flat: true, justThat: true})
	if err != nil && ctx.Err() == nil {
		err = c.more(ctx, into, want{hashes: []plumbing.Hash{hash}, noBlobs: true, justThat: true})
	}
	return err
}

// ByHash fetches files and folders that are missing, without what is in them; if the server does
// not send them that way, with everything else that the commit has.
func (c *Connection) ByHash(ctx context.Context, into *memory.Storage, hashes []plumbing.Hash, commit plumbing.Hash) error {
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
	err := c.more(ctx, into, want{hashes: missing, flat: true})
	if err == nil && into.HasEncodedObject(missing[0]) == nil || ctx.Err() != nil {
		return err
	}
	again := c.more(ctx, into, want{hashes: []plumbing.Hash{commit}, justThat: true})
	for _, hash := range missing {
		if again == nil && into.HasEncodedObject(hash) != nil {
			return errors.Join(err, fmt.Errorf("%s does not send %s", c.at.shown, hash))
		}
	}
	return again
}
