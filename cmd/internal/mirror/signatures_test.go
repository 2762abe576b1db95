package mirror

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	ociregistry "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/cmd/internal/verify/verifytest"
	"github.com/pm-gitops/pm-gitops/render/verify"
)

// policy wants a signature of one of some keys.
func policy(t testing.TB, required bool, signers ...verifytest.Signer) verify.Policies {
	t.Helper()
	one := verify.Policy{Match: "*", Required: required}
	for i, signer := range signers {
		one.Keys = append(one.Keys, must(verify.ParseKey(fmt.Sprintf("key-%d", i), []byte(signer.PublicKey()))))
	}
	return verify.Policies{one}
}

// signedImage puts an image into a registry, and gives it as an artifact.
func signedImage(t testing.TB, from, to, path string, n int64) (Artifact, name.Digest) {
	t.Helper()
	p := &pusher{t: t, host: from, set: set{manifests: map[string][]string{}, tags: map[string]v1.Hash{}}, n: n}
	digest := p.put(path, "1", p.image(1))
	return Artifact{Kind: Image, Source: from + "/" + path + ":1", Target: to + "/mirror/" + path + ":1", Environments: []string{"prod"}},
		must(name.NewDigest(from + "/" + path + "@" + digest.String()))
}

func pair(payload []byte, signed string) [2]string { return [2]string{string(payload), signed} }

// Signatures are verified at the source and at the target, with the API for referrers and
// without. Nothing of an artifact is copied whose signature is wrong or missing.
func TestSignatures(t *testing.T) {
	signer, other := verifytest.New("ECDSA P-256"), verifytest.New("Ed25519")
	for kind := range servers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			from, to := servers[kind](t), inProcess(t, true)
			var artifacts []Artifact
			put := func(path string, policies verify.Policies, sign func(of name.Digest) error) {
				one, of := signedImage(t, from, to, path, int64(len(artifacts)*10))
				if err := sign(of); err != nil {
					t.Fatal(err)
				}
				one.Policies = policies
				artifacts = append(artifacts, one)
			}
			tag := func(by verifytest.Signer) func(name.Digest) error {
				return func(of name.Digest) error { return verifytest.Tag(of, pair(by.Payload(of.DigestStr()))) }
			}
			put("tag", policy(t, true, other, signer), tag(signer))
			put("bundle", policy(t, true, signer), func(of name.Digest) error {
				return verifytest.Refer(of, signer.Bundle(of.DigestStr(), verifytest.SignPredicate))
			})
			put("two", append(policy(t, true, signer), policy(t, false, signer)...), tag(signer))
			put("none", policy(t, false, signer), func(name.Digest) error { return nil })
			put("free", nil, tag(other))
			put("missing", policy(t, true, signer), func(name.Digest) error { return nil })
			put("wrong", policy(t, false, signer), tag(other))
			put("elsewhere", policy(t, true, signer), func(of name.Digest) error {
				return verifytest.Tag(of, pair(signer.Payload("sha256:"+strings.Repeat("1", 64))))
			})
			says := []string{"verified: key-1", "verified: key-0", "verified: key-0", "none", "", "", "", ""}
			judge := func(results []Result, state string) {
				t.Helper()
				wantAll(t, results[:5], state)
				wantAll(t, results[5:], Failed)
				for i, want := range says {
					if results[i].Signature != want {
						t.Errorf("%s: signature %q, want %q", results[i].Target, results[i].Signature, want)
					}
				}
				for i, want := range []string{"there is no signature, and spec.verify requires one", "no key of the policy (key-0) made it", "the key key-0 signed another digest"} {
					if !strings.Contains(results[5+i].Error, want) {
						t.Errorf("%s: %s, want %s", results[5+i].Target, results[5+i].Error, want)
					}
				}
			}
			judge(run(t, registry.Options{}, artifacts, (*Mirror).Check), Missing)
			judge(run(t, registry.Options{}, artifacts, (*Mirror).Copy), Copied)
			judge(run(t, registry.Options{}, artifacts, (*Mirror).Check), Present)
			for _, path := range []string{"missing", "wrong", "elsewhere"} {
				if tags, err := remote.List(must(name.NewRepository(to + "/mirror/" + path))); err == nil && len(tags) > 0 {
					t.Errorf("%s was copied: %v", path, tags)
				}
			}
		})
	}
}

// A target without the source's signature lacks it. Once it has it, the signature at the
// target is the one that is verified.
func TestSignaturesOfTheTarget(t *testing.T) {
	signer, other := verifytest.New("RSA"), verifytest.New("ECDSA P-256")
	from, to := inProcess(t, true), inProcess(t, true)
	artifact, of := signedImage(t, from, to, "a", 0)
	artifact.Policies = policy(t, true, signer)
	if err := verifytest.Tag(of, pair(signer.Payload(of.DigestStr()))); err != nil {
		t.Fatal(err)
	}
	run(t, registry.Options{}, []Artifact{artifact}, (*Mirror).Copy)
	copied := must(name.NewDigest(to + "/mirror/a@" + of.DigestStr()))
	tag := strings.Replace(of.DigestStr(), ":", "-", 1) + ".sig"
	if err := remote.Delete(copied.Context().Tag(tag)); err != nil {
		t.Fatal(err)
	}
	lost := run(t, registry.Options{}, []Artifact{artifact}, (*Mirror).Check)
	if lost[0].State != Missing || !slices.Equal(lost[0].Lacks, []string{tag}) || lost[0].Signature != "verified: key-0" {
		t.Errorf("the signature is lost: %+v", lost[0])
	}
	artifact.Policies = policy(t, true, other)
	if err := verifytest.Tag(of, pair(signer.Payload(of.DigestStr())), pair(other.Payload(of.DigestStr()))); err != nil {
		t.Fatal(err)
	}
	wantAll(t, run(t, registry.Options{}, []Artifact{artifact}, (*Mirror).Copy), Copied)
	if err := verifytest.Tag(of, pair(other.Payload(of.DigestStr()))); err != nil {
		t.Fatal(err)
	}
	wantAll(t, run(t, registry.Options{}, []Artifact{artifact}, (*Mirror).Check), Present) // the target has both
}

// What is verified at the target is what the target has: if it lost a payload, or sends
// another, that is an error, whatever the source has.
func TestDamagedPayloadOfTheTarget(t *testing.T) {
	signer := verifytest.New("Ed25519")
	from, forbidden := inProcess(t, true), "403"
	handler, answer := ociregistry.New(ociregistry.Logger(log.New(io.Discard, "", 0))), atomic.Pointer[string]{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := answer.Load()
		if body != nil && *body == forbidden && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".sig") {
			http.Error(w, "", http.StatusForbidden)
			return
		}
		if body != nil && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			if *body == "" {
				http.NotFound(w, r)
				return
			}
			_, _ = io.WriteString(w, *body)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	artifact, of := signedImage(t, from, server.Listener.Addr().String(), "a", 0)
	artifact.Policies = policy(t, false, signer)
	payload, signed := signer.Payload(of.DigestStr())
	if err := verifytest.Tag(of, pair(payload, signed)); err != nil {
		t.Fatal(err)
	}
	wantAll(t, run(t, registry.Options{}, []Artifact{artifact}, (*Mirror).Copy), Copied)
	for body, want := range map[string]string{
		"": "has no sha256:", strings.Replace(string(payload), "creator", "creatoR", 1): "sent other bytes than those of sha256:", strings.Repeat("x", maxManifest+1): "sent more than",
		forbidden: "look for sha256-",
	} {
		answer.Store(&body)
		got := run(t, registry.Options{}, []Artifact{artifact}, (*Mirror).Check)
		if got[0].State != Failed || !strings.Contains(got[0].Error, want) || body != forbidden && !strings.Contains(got[0].Error, "get the payload of a signature") {
			t.Errorf("%.10s: %+v", body, got[0])
		}
	}
}

// A keyless policy asks for nothing, and says how to verify the copy, or where there is
// none yet, the source.
func TestKeyless(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	artifact, of := signedImage(t, from, to, "a", 0)
	artifact.Policies = append(verify.Policies{{Match: "*", Required: true, Keyless: &verify.Keyless{Issuer: "https://i.example.com", Subject: "^a$"}}}, policy(t, false, verifytest.New("RSA"))...)
	const command = "none, not checked: keyless; cosign verify --certificate-identity-regexp '^a$' --certificate-oidc-issuer 'https://i.example.com' '"
	checked := run(t, registry.Options{}, []Artifact{artifact}, (*Mirror).Check)
	if want := command + of.String() + "'"; checked[0].Signature != want {
		t.Errorf("%q, want %q", checked[0].Signature, want)
	}
	copied := run(t, registry.Options{}, []Artifact{artifact}, (*Mirror).Copy)
	if want := command + to + "/mirror/a@" + of.DigestStr() + "'"; copied[0].Signature != want {
		t.Errorf("%q, want %q", copied[0].Signature, want)
	}
}

// archived answers for a registry with what another client reads from it.
type archived struct{ host string }

func (a archived) Manifest(repository, identifier string) ([]byte, string, error) {
	separator := ":"
	if strings.Contains(identifier, ":") {
		separator = "@"
	}
	got, err := remote.Get(must(name.ParseReference(repository + separator + identifier)))
	if err != nil {
		return nil, "", fs.ErrNotExist
	}
	return got.Manifest, string(got.MediaType), nil
}

func (a archived) Referrers(repository, digest string) (all []string) {
	for _, one := range must(must(remote.Referrers(must(name.NewDigest(repository + "@" + digest)))).IndexManifest()).Manifests {
		all = append(all, one.Digest.String())
	}
	return all
}

func (a archived) Blob(digest string) (io.ReadSeekCloser, error) {
	layer := must(remote.Layer(must(name.NewDigest(a.host + "/a@" + digest))))
	content := must(io.ReadAll(must(layer.Compressed())))
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader(content), io.NopCloser(nil)}, nil
}

// What comes from an archive is verified there, without its registry.
func TestSignaturesOfAnArchive(t *testing.T) {
	signer := verifytest.New("ECDSA P-256")
	from, to := inProcess(t, true), inProcess(t, true)
	artifact, of := signedImage(t, from, to, "a", 0)
	if err := verifytest.Refer(of, signer.Bundle(of.DigestStr(), verifytest.SignPredicate)); err != nil {
		t.Fatal(err)
	}
	check := func(policies verify.Policies) Result {
		artifact.Policies = policies
		m := must(New([]Artifact{artifact}, Options{Client: client(t, registry.Options{}), Parallel: 1, Source: archived{from}}))
		return must(m.Check(t.Context()))[0]
	}
	if got := check(policy(t, true, signer)); got.Signature != "verified: key-0" || got.State != Missing {
		t.Errorf("%+v", got)
	}
	if got := check(policy(t, true, verifytest.New("RSA"))); got.State != Failed || !strings.Contains(got.Error, " in the archive: no signature is right: bundle sha256:") {
		t.Errorf("%+v", got)
	}
}
