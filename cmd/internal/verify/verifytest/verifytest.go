// Package verifytest signs images and charts for tests as cosign does, with the signers
// of its library.
package verifytest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/dsse"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

// Kinds are the kinds of keys that cosign has.
var Kinds = []string{"ECDSA P-256", "ECDSA P-384", "ECDSA P-521", "RSA", "Ed25519"}

// Signer signs with a key.
type Signer struct{ private crypto.Signer }

// New makes a key.
func New(kind string) Signer {
	switch kind {
	case "ECDSA P-384":
		return Signer{must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))}
	case "ECDSA P-521":
		return Signer{must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))}
	case "RSA":
		return Signer{must(rsa.GenerateKey(rand.Reader, 2048))}
	case "Ed25519":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return Signer{must(private, err)}
	}
	return Signer{must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// PublicKey gives the public key as cosign writes it.
func (s Signer) PublicKey() string {
	return string(must(cryptoutils.MarshalPublicKeyToPEM(s.private.Public())))
}

// Payload signs a digest as cosign does for a tag: the payload, and its signature in base64.
func (s Signer) Payload(digest string) (payload []byte, signed string) {
	signer := must(signature.LoadSignerVerifier(s.private, crypto.SHA256))
	payload, raw, err := signature.SignImage(signer, must(name.NewDigest("registry.example.com/other/name@"+digest)), map[string]any{"creator": "test"})
	return payload, base64.StdEncoding.EncodeToString(must(raw, err))
}

// SignPredicate is what cosign sign says of a digest in a bundle.
const SignPredicate = "https://sigstore.dev/cosign/sign/v1"

// Bundle signs a statement about a digest as cosign does in a bundle.
func (s Signer) Bundle(digest, predicate string) []byte {
	algorithm, hex, _ := strings.Cut(digest, ":")
	statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1", "subject":[{"digest":{%q:%q}}], "predicateType":%q, "predicate":{}}`, algorithm, hex, predicate)
	signer := dsse.WrapSigner(must(signature.LoadDefaultSigner(s.private)), "application/vnd.in-toto+json")
	return s.bundle("dsseEnvelope", json.RawMessage(must(signer.SignMessage(strings.NewReader(statement)))))
}

// MessageBundle signs a manifest itself.
func (s Signer) MessageBundle(manifest []byte) []byte {
	signer := must(signature.LoadDefaultSigner(s.private, options.WithED25519ph()))
	sum := sha256.Sum256(manifest)
	return s.bundle("messageSignature", map[string]any{
		"messageDigest": map[string]any{"algorithm": "SHA2_256", "digest": sum[:]},
		"signature":     must(signer.SignMessage(bytes.NewReader(manifest))),
	})
}

func (s Signer) bundle(key string, content any) []byte {
	sum := sha256.Sum256(must(cryptoutils.MarshalPublicKeyToDER(s.private.Public())))
	return must(json.Marshal(map[string]any{
		"mediaType":            BundleType,
		"verificationMaterial": map[string]any{"publicKey": map[string]any{"hint": base64.StdEncoding.EncodeToString(sum[:])}, "tlogEntries": []any{}},
		key:                    content,
	}))
}

// BundleType is the media type of bundles.
const BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// Tag puts signatures under the tag that cosign makes of a digest, in the order of pairs
// of a payload and its annotation.
func Tag(of name.Digest, pairs ...[2]string) error {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, pair := range pairs {
		image = must(mutate.Append(image, mutate.Addendum{
			Layer:       static.NewLayer([]byte(pair[0]), "application/vnd.dev.cosign.simplesigning.v1+json"),
			MediaType:   "application/vnd.dev.cosign.simplesigning.v1+json",
			Annotations: map[string]string{"dev.cosignproject.cosign/signature": pair[1]},
		}))
	}
	return remote.Write(of.Context().Tag(strings.Replace(of.DigestStr(), ":", "-", 1)+".sig"), image)
}

// Refer puts a bundle that refers to a digest.
func Refer(of name.Digest, bundle []byte) error {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.oci.empty.v1+json")
	image = must(mutate.Append(image, mutate.Addendum{Layer: static.NewLayer(bundle, BundleType), MediaType: BundleType}))
	subject := v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: must(v1.NewHash(of.DigestStr())), Size: 1}
	image = mutate.Subject(image, subject).(v1.Image)
	return remote.Write(of.Context().Digest(must(image.Digest()).String()), image)
}
