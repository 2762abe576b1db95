package mirror

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	digest "github.com/opencontainers/go-digest"
	rdescriptor "github.com/regclient/regclient/types/descriptor"
	rref "github.com/regclient/regclient/types/ref"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
)

const (
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"

	maxManifest = 4 << 20 // what the distribution specification wants registries to take
)

// errAbsent marks something that a registry does not have. Nothing but 404 counts: a 401,
// 403, 429 or 5xx that is taken for it loses signatures.
var errAbsent = errors.New("not found")

// side is a repository, asked about.
type side struct {
	name       string // HOST/PATH
	held       Source // what answers instead of the registry, if anything does
	repository name.Repository
	ref        rref.Ref // the same, for the library that copies
	client     *http.Client
	transport  *registry.Transport
}

// document is a manifest or an index, as it was sent.
type document struct {
	raw       []byte
	digest    string
	mediaType string
	content
}

// content is the part of a manifest or an index that says what belongs to it.
type content struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        *descriptor  `json:"config"`
	Layers        []descriptor `json:"layers"`
	Blobs         []descriptor `json:"blobs"` // of an artifact manifest, which a release candidate of OCI 1.1 had
	Manifests     []descriptor `json:"manifests"`
	Subject       *descriptor  `json:"subject"`
}

// descriptor names a document or a blob in another document.
// https://github.com/opencontainers/image-spec/blob/main/descriptor.md
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	URLs        []string          `json:"urls"`
	Annotations map[string]string `json:"annotations"`
	Platform    *Platform         `json:"platform"`
}

// library gives a descriptor as the library has it.
func (d descriptor) library() rdescriptor.Descriptor {
	return rdescriptor.Descriptor{MediaType: d.MediaType, Digest: digest.Digest(d.Digest), Size: d.Size}
}

// ask does a request, and gives [errAbsent] for 404 and a sentence for every other
// answer that is no success.
func (s side) ask(ctx context.Context, method, path string, accept ...string) (*http.Response, error) {
	at := url.URL{Scheme: "https", Host: s.repository.RegistryStr(), Path: "/v2/" + s.repository.RepositoryStr() + "/" + path}
	return s.askAt(ctx, method, at.String(), accept...)
}

func (s side) askAt(ctx context.Context, method, at string, accept ...string) (*http.Response, error) {
	ctx, trouble := registry.WithTrouble(ctx)
	req, err := http.NewRequestWithContext(ctx, method, at, nil)
	if err != nil {
		return nil, err
	}
	req.Header["Accept"] = accept
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, because(ctx, trouble(), err)
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		return resp, nil
	case resp.StatusCode == http.StatusNotFound:
		err = errAbsent
	default:
		err = refusedError{s.transport.Refusal(req, resp), resp.StatusCode}
	}
	_ = resp.Body.Close()
	return nil, err
}

// refusedError is an answer that is neither a success nor 404.
type refusedError struct {
	sentence *registry.Error
	status   int
}

func (e refusedError) Error() string { return e.sentence.Error() }
func (e refusedError) Unwrap() error { return e.sentence }

// because prefers the context's end, and then a sentence about what went wrong.
func because(ctx context.Context, trouble, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case trouble != nil:
		return trouble
	}
	return errors.New(sentence(err))
}

// place names the registry, or what answers for it.
func (s side) place() string {
	if s.held != nil {
		return "the archive"
	}
	return s.repository.RegistryStr()
}

// manifest gets a manifest by tag or digest, and compares a digest with what came.
func (s side) manifest(ctx context.Context, identifier string) (*document, error) {
	d, err := s.find(ctx, identifier)
	if errors.Is(err, errAbsent) {
		return nil, fmt.Errorf("%s has no %s in %s", s.place(), identifier, s.repository.RepositoryStr())
	}
	return d, err
}

// find is like manifest, and says [errAbsent] for what is not there. An answer that
// breaks off is asked for again.
func (s side) find(ctx context.Context, identifier string) (*document, error) {
	if s.held != nil {
		return s.findHeld(identifier)
	}
	for attempt := 1; ; attempt++ {
		d, err := s.findOnce(ctx, identifier)
		if !errors.As(err, new(brokenError)) || attempt == attempts || ctx.Err() != nil {
			return d, err
		}
	}
}

func (s side) findOnce(ctx context.Context, identifier string) (*document, error) {
	resp, err := s.ask(ctx, http.MethodGet, "manifests/"+identifier, ociIndex, ociManifest, dockerIndex, dockerManifest)
	if err != nil {
		return nil, err
	}
	raw, err := s.body(resp, "the manifest "+identifier)
	if err != nil {
		return nil, err
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return s.document(raw, identifier, resp.Header.Get("Docker-Content-Digest"), mediaType)
}

// document reads a manifest, and compares its digest with that which was asked for or,
// for a tag, with what was said of it. Its own media type counts first.
func (s side) document(raw []byte, identifier, said, mediaType string) (*document, error) {
	d := &document{raw: raw, digest: digestOf(raw)}
	if isDigest := strings.Contains(identifier, ":"); isDigest && d.digest != identifier {
		return nil, brokenError{fmt.Sprintf("%s sent another manifest than %s: its digest is %s", s.place(), identifier, d.digest)}
	} else if !isDigest && said != "" && said != d.digest {
		return nil, brokenError{fmt.Sprintf("%s sent another manifest than it says: its digest is %s, not %s", s.place(), d.digest, said)}
	}
	if err := json.Unmarshal(raw, &d.content); err != nil || d.SchemaVersion != 2 {
		return nil, fmt.Errorf("%s: %s is no manifest of an image or an artifact, or one of the old schema 1", s.repository.Name(), identifier)
	}
	d.mediaType = cmp.Or(d.MediaType, mediaType)
	return d, nil
}

// brokenError is an answer that is not whole or not right, and may be at another time.
type brokenError struct{ text string }

func (e brokenError) Error() string { return e.text }

// body reads an answer of limited size.
func (s side) body(resp *http.Response, what string) ([]byte, error) {
	defer resp.Body.Close()
	raw, err := s.transport.Read(resp, maxManifest+1)
	if ctx := resp.Request.Context(); err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if errors.As(err, new(*registry.Error)) {
		return nil, err
	}
	if err != nil {
		return nil, brokenError{fmt.Sprintf("%s broke off in %s", s.repository.RegistryStr(), what)}
	}
	if len(raw) > maxManifest {
		return nil, fmt.Errorf("%s sent more than %d bytes for %s", s.repository.RegistryStr(), maxManifest, what)
	}
	return raw, nil
}

// digest asks which digest a tag or a digest has, without the manifest, and says
// [errAbsent] where there is none.
func (s side) digest(ctx context.Context, identifier string) (string, error) {
	resp, err := s.ask(ctx, http.MethodHead, "manifests/"+identifier, ociIndex, ociManifest, dockerIndex, dockerManifest)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	if digest := resp.Header.Get("Docker-Content-Digest"); digest != "" {
		return digest, nil
	}
	d, err := s.find(ctx, identifier) // the header is only recommended
	if err != nil {
		return "", err
	}
	return d.digest, nil
}

// brokenBlobError is a blob of another size than its own: a registry's disk was full, or
// lost something. To push it again changes nothing, since registries keep what they have.
type brokenBlobError struct{ text string }

func (e brokenBlobError) Error() string { return e.text }

// hasBlob reports whether a blob is there. One of another size is a [brokenBlobError].
func (s side) hasBlob(ctx context.Context, d descriptor) (bool, error) {
	resp, err := s.ask(ctx, http.MethodHead, "blobs/"+d.Digest)
	if errors.Is(err, errAbsent) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_ = resp.Body.Close()
	if resp.ContentLength >= 0 && resp.ContentLength != d.Size {
		return false, brokenBlobError{fmt.Sprintf("%s has a broken copy of %s in %s, of %d bytes instead of %d: delete it there, and run the same again", s.repository.RegistryStr(), d.Digest, s.repository.RepositoryStr(), resp.ContentLength, d.Size)}
	}
	return true, nil
}

// digestOf computes the digest of some bytes.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
