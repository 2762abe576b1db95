package verify_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/verify"
	"github.com/pm-gitops/pm-gitops/cmd/internal/verify/verifytest"
	policy "github.com/pm-gitops/pm-gitops/render/verify"
)

// stored is a repository in memory: manifests by tag and digest, blobs by digest, and
// referrers in the order in which they were put.
type stored struct {
	manifests, blobs map[string][]byte
	referrers        []string
	broken           string // this is answered with an error
}

var errBroken = errors.New("401")

func (s *stored) Manifest(_ context.Context, name string) ([]byte, bool, error) {
	if s.broken == "manifests" {
		return nil, false, errBroken
	}
	raw, found := s.manifests[name]
	return raw, found, nil
}

func (s *stored) Referrers(context.Context, string) ([]string, error) {
	if s.broken == "referrers" {
		return nil, errBroken
	}
	return s.referrers, nil
}

func (s *stored) Blob(_ context.Context, digest string, size int64) ([]byte, error) {
	if blob, found := s.blobs[digest]; found && s.broken != "blobs" && size == int64(len(blob)) {
		return blob, nil
	}
	return nil, errBroken
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// image is the manifest of the artifact, and its digest.
var image = []byte(`{"schemaVersion":2}`)

var digest = digestOf(image)

func empty() *stored { return &stored{manifests: map[string][]byte{}, blobs: map[string][]byte{}} }

// layer stores a blob, and gives its descriptor as cosign's specification writes it.
func (s *stored) layer(mediaType string, blob []byte, annotations map[string]string) string {
	s.blobs[digestOf(blob)] = blob
	written, _ := json.Marshal(annotations)
	return fmt.Sprintf(`{"mediaType":%q,"size":%d,"digest":%q,"annotations":%s}`, mediaType, len(blob), digestOf(blob), written)
}

// tag stores signatures under cosign's tag: pairs of a payload and an annotation.
func (s *stored) tag(pairs ...[2]string) *stored {
	var layers []string
	for _, pair := range pairs {
		layers = append(layers, s.layer("application/vnd.dev.cosign.simplesigning.v1+json", []byte(pair[0]), map[string]string{"dev.cosignproject.cosign/signature": pair[1]}))
	}
	return s.tagLayers(layers...)
}

func (s *stored) tagLayers(layers ...string) *stored {
	s.manifests[strings.Replace(digest, ":", "-", 1)+".sig"] = fmt.Appendf(nil, `{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json"},"layers":[%s]}`, strings.Join(layers, ","))
	return s
}

// refer stores a bundle that refers to the artifact.
func (s *stored) refer(bundle []byte) *stored {
	raw := fmt.Appendf(nil, `{"schemaVersion":2,"artifactType":%q,"config":{"mediaType":"application/vnd.oci.empty.v1+json"},"layers":[%s]}`,
		verifytest.BundleType, s.layer(verifytest.BundleType, bundle, nil))
	s.manifests[digestOf(raw)] = raw
	s.referrers = append(s.referrers, digestOf(raw))
	return s
}

func pair(payload []byte, signed string) [2]string { return [2]string{string(payload), signed} }

func with(t testing.TB, signers ...verifytest.Signer) policy.Policy {
	t.Helper()
	p := policy.Policy{Match: "registry.example.com", Required: true}
	for i, signer := range signers {
		key, err := policy.ParseKey(fmt.Sprintf("key-%d", i), []byte(signer.PublicKey()))
		if err != nil {
			t.Fatal(err)
		}
		p.Keys = append(p.Keys, key)
	}
	return p
}

// Every kind of key, in every form of a signature, is verified: the signers and the
// payloads are those of cosign's library.
func TestVerified(t *testing.T) {
	for _, kind := range verifytest.Kinds {
		signer, other := verifytest.New(kind), verifytest.New("ECDSA P-256")
		for form, in := range map[string]*stored{
			"tag":               empty().tag(pair(signer.Payload(digest))),
			"tag, second":       empty().tag(pair(other.Payload(digest)), pair(signer.Payload(digest))),
			"bundle":            empty().refer(signer.Bundle(digest, verifytest.SignPredicate)),
			"bundle, second":    empty().refer(other.Bundle(digest, verifytest.SignPredicate)).refer(signer.Bundle(digest, verifytest.SignPredicate)),
			"bundle beside tag": empty().tag(pair(other.Payload(digest))).refer(signer.Bundle(digest, verifytest.SignPredicate)),
			"message":           empty().refer(signer.MessageBundle(image)),
		} {
			said, err := verify.Check(t.Context(), in, image, with(t, verifytest.New(kind), signer))
			if said != "verified: key-1" || err != nil {
				t.Errorf("%s, %s: %q, %v", kind, form, said, err)
			}
		}
	}
}

// What is wrong has a sentence of its own, whatever the policy requires.
func TestWrongSignatures(t *testing.T) {
	signer, other := verifytest.New("ECDSA P-256"), verifytest.New("ECDSA P-256")
	payload, signed := signer.Payload(digest)
	elsewhere := "sha256:" + strings.Repeat("1", 64)
	altered := strings.Replace(string(payload), digest, elsewhere, 1)
	annotated := func(annotations map[string]string) *stored {
		s := empty()
		return s.tagLayers(s.layer("application/vnd.dev.cosign.simplesigning.v1+json", payload, annotations))
	}
	certified := strings.Replace(string(other.Bundle(digest, verifytest.SignPredicate)), `"publicKey"`, `"certificate":{},"publicKey"`, 1)
	swapped := alterStatement(t, signer.Bundle(elsewhere, verifytest.SignPredicate), elsewhere[7:], digest[7:])
	const stranger = "no key of the policy (key-0) made it, or what it signs was altered"
	for _, tt := range []struct {
		name string
		in   *stored
		want string
	}{
		{"wrong key", empty().tag(pair(other.Payload(digest))), stranger},
		{"another digest", empty().tag(pair(signer.Payload(elsewhere))), "the key key-0 signed another digest, \"" + elsewhere + `"`},
		{"altered payload", empty().tag([2]string{altered, signed}), stranger},
		{"payload of another signature", empty().tag(pair(signer.Payload(elsewhere)), [2]string{string(payload), signatureOf(signer.Payload(elsewhere))}), stranger},
		{"damaged payload", empty().tag([2]string{string(payload[:20]), signed}), "the payload is damaged, or not cosign's"},
		{"payload of another program", empty().tag([2]string{strings.Replace(string(payload), "cosign container", "atomic container", 1), signed}), "not cosign's"},
		{"no signature in it", empty().tag([2]string{string(payload), ""}), "the signature is missing, or no base64"},
		{"no base64", empty().tag([2]string{string(payload), "%"}), "the signature is missing, or no base64"},
		{"keyless", annotated(map[string]string{"dev.cosignproject.cosign/signature": "AAAA", "dev.sigstore.cosign/certificate": "-----BEGIN"}), "it has a certificate (keyless)"},
		{"bundle, wrong key", empty().refer(other.Bundle(digest, verifytest.SignPredicate)), stranger},
		{"bundle, another digest", empty().refer(signer.Bundle(elsewhere, verifytest.SignPredicate)), "the key key-0 signed another digest"},
		{"bundle, another algorithm", empty().refer(signer.Bundle("sha512:"+digest[7:], verifytest.SignPredicate)), "the key key-0 signed another digest"},
		{"bundle, altered statement", empty().refer(swapped), stranger},
		{"bundle, keyless", empty().refer([]byte(certified)), "it has a certificate (keyless)"},
		{"bundle, cut", empty().refer(signer.Bundle(digest, verifytest.SignPredicate)[:40]), "the bundle is damaged"},
		{"bundle, nothing in it", empty().refer([]byte(`{}`)), "the bundle is damaged"},
		{"bundle, two signatures", empty().refer([]byte(strings.Replace(string(signer.Bundle(digest, verifytest.SignPredicate)), `"signatures":[`, `"signatures":[{"sig":"AAAA"},`, 1))), "the bundle is damaged"},
		{"message, wrong key", empty().refer(other.MessageBundle(image)), stranger},
		{"message, other bytes", empty().refer(signer.MessageBundle([]byte("{}"))), stranger},
	} {
		for _, required := range []bool{true, false} {
			p := with(t, signer)
			p.Required = required
			said, err := verify.Check(t.Context(), tt.in, image, p)
			if said != "" || err == nil || !strings.Contains(err.Error(), "no signature is right: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %q, %v, want %q", tt.name, said, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "PRIVATE") {
				t.Errorf("%s: the error has a key: %v", tt.name, err)
			}
		}
	}
}

func signatureOf(_ []byte, signed string) string { return signed }

// alterStatement replaces a text in the statement of a bundle, and keeps its signature.
func alterStatement(t *testing.T, bundle []byte, old, with string) []byte {
	t.Helper()
	var content map[string]any
	if err := json.Unmarshal(bundle, &content); err != nil {
		t.Fatal(err)
	}
	envelope := content["dsseEnvelope"].(map[string]any)
	statement, err := base64.StdEncoding.DecodeString(envelope["payload"].(string))
	if err != nil || !strings.Contains(string(statement), old) {
		t.Fatalf("the statement is %s: %v", statement, err)
	}
	envelope["payload"] = base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(statement), old, with, 1)))
	altered, _ := json.Marshal(content)
	return altered
}

// Only what is not there is no signature, which a policy may not require. What attests
// something else than a signature is none.
func TestNoSignature(t *testing.T) {
	signer := verifytest.New("Ed25519")
	unrelated := empty()
	raw := []byte(`{"schemaVersion":2,"artifactType":"application/spdx+json","layers":[{"digest":"sha256:1","size":3}]}`)
	unrelated.manifests[digestOf(raw)], unrelated.referrers = raw, []string{digestOf(raw)}
	for name, in := range map[string]*stored{
		"nothing":         empty(),
		"no layers":       empty().tagLayers(),
		"other layers":    empty().tagLayers(`{"mediaType":"application/spdx+json","digest":"sha256:1","size":3}`),
		"an attestation":  empty().refer(signer.Bundle(digest, "https://slsa.dev/provenance/v1")),
		"other referrers": unrelated,
	} {
		p := with(t, signer)
		if said, err := verify.Check(t.Context(), in, image, p); err == nil || !strings.HasPrefix(err.Error(), "there is no signature, and spec.verify requires one for registry.example.com, of key-0") {
			t.Errorf("%s, required: %q, %v", name, said, err)
		}
		p.Required = false
		if said, err := verify.Check(t.Context(), in, image, p); said != verify.None || err != nil {
			t.Errorf("%s: %q, %v", name, said, err)
		}
	}
}

// An answer that is an error is one, and no missing signature.
func TestErrorsAreNoMissingSignatures(t *testing.T) {
	signer := verifytest.New("ECDSA P-256")
	p := with(t, signer)
	p.Required = false
	lost := empty().refer(signer.Bundle(digest, verifytest.SignPredicate))
	clear(lost.manifests)
	many := empty()
	many.referrers = make([]string, 101)
	for name, in := range map[string]*stored{
		"manifests":                        {broken: "manifests"},
		"referrers":                        {broken: "referrers"},
		"payload":                          empty().tag(pair(signer.Payload(digest))),
		"bundle":                           empty().refer(signer.Bundle(digest, verifytest.SignPredicate)),
		"lost referrer":                    lost,
		"more than 100 manifests refer to": many,
		"more than 100 signatures":         empty().tagLayers(strings.Split(strings.Repeat("{},", 100)+"{}", ",")...),
		"no JSON":                          {manifests: map[string][]byte{strings.Replace(digest, ":", "-", 1) + ".sig": []byte("<html>")}},
	} {
		if name == "payload" || name == "bundle" {
			in.broken = "blobs"
		}
		if said, err := verify.Check(t.Context(), in, image, p); said != "" || err == nil || strings.Contains(err.Error(), "no signature is right") || strings.HasPrefix(name, "more") && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %q, %v", name, said, err)
		}
	}
}
