// Package verify checks the signatures of images and charts in registries with public
// keys, and asks nobody else: cosign's payloads under a tag, and Sigstore's bundles among
// the referrers. Transparency logs, timestamps and certificates are not looked at.
package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/verify"
)

// Repository is the repository of an artifact in a registry.
type Repository interface {
	// Manifest gets a manifest by tag or digest, and compares a digest with it. Only for
	// what the registry says is not there, it is not found.
	Manifest(ctx context.Context, name string) (manifest []byte, found bool, err error)
	// Referrers lists the digests of the manifests whose subject has a digest.
	Referrers(ctx context.Context, digest string) ([]string, error)
	// Blob gets a blob, and compares its digest and size.
	Blob(ctx context.Context, digest string, size int64) ([]byte, error)
}

// None is what [Check] says where there is no signature and none is required.
const None = "none"

// maxSignatures is how many signatures, and how many referrers, are looked at.
const maxSignatures = 100

// Check verifies an artifact, given by its manifest, with a policy. It gives "verified: "
// and the name of a key, or [None]. Of several signatures, one has to be right. The error
// says what is wrong with all of them, that one is required, or why that could not be
// found out. Nothing is asked for a keyless policy, which keys do not decide.
func Check(ctx context.Context, in Repository, manifest []byte, policy verify.Policy) (string, error) {
	sum := sha256.Sum256(manifest)
	c := checker{in: in, manifest: manifest, digest: "sha256:" + hex.EncodeToString(sum[:]), keys: policy.Keys}
	for _, look := range []func(context.Context) error{c.tagged, c.bundled} {
		if err := look(ctx); err != nil {
			return "", err
		}
		if c.signer != "" {
			return "verified: " + c.signer, nil
		}
	}
	switch {
	case c.wrong != nil:
		return "", fmt.Errorf("no signature is right: %s", strings.Join(c.wrong, "; "))
	case policy.Required:
		return "", fmt.Errorf("there is no signature, and spec.verify requires one for %s, of %s", policy.Match, verify.Names(policy.Keys))
	}
	return None, nil
}

// checker looks for a signature of one artifact.
type checker struct {
	in       Repository
	manifest []byte
	digest   string
	keys     []verify.Key

	signer string   // the name of the key that made a signature that is right
	wrong  []string // what is wrong with the others
}

// note takes what was found out about a signature.
func (c *checker) note(where, signer string, err error) {
	if err != nil {
		c.wrong = append(c.wrong, where+": "+err.Error())
		return
	}
	c.signer = signer
}

// signatures is the part of a manifest that has signatures.
type signatures struct {
	ArtifactType string  `json:"artifactType"`
	Config       layer   `json:"config"`
	Layers       []layer `json:"layers"`
}

// layer is the descriptor of a blob with a signature.
type layer struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations"`
}

// Names of cosign's format.
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
const (
	payloadType           = "application/vnd.dev.cosign.simplesigning.v1+json"
	payloadKind           = "cosign container image signature"
	signatureAnnotation   = "dev.cosignproject.cosign/signature"
	certificateAnnotation = "dev.sigstore.cosign/certificate"
)

// tagged looks at the signatures under the tag that cosign makes of a digest.
func (c *checker) tagged(ctx context.Context) error {
	tag := strings.Replace(c.digest, ":", "-", 1) + ".sig"
	raw, found, err := c.in.Manifest(ctx, tag)
	if err != nil || !found {
		return err
	}
	var manifest signatures
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return fmt.Errorf("%s is no manifest of signatures", tag)
	}
	if len(manifest.Layers) > maxSignatures {
		return fmt.Errorf("%s has more than %d signatures", tag, maxSignatures)
	}
	for i, one := range manifest.Layers {
		if one.MediaType != payloadType {
			continue
		}
		payload, err := c.in.Blob(ctx, one.Digest, one.Size)
		if err != nil {
			return fmt.Errorf("get the payload of a signature: %w", err)
		}
		signer, err := c.payload(one.Annotations, payload)
		c.note(fmt.Sprintf("%s, signature %d", tag, i+1), signer, err)
		if c.signer != "" {
			break
		}
	}
	return nil
}

// payload verifies a payload of cosign. The reference in it is not compared, as cosign
// does not do it: the copy of an image has another one.
func (c *checker) payload(annotations map[string]string, payload []byte) (string, error) {
	var said struct {
		Critical struct {
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
			Type string `json:"type"`
		} `json:"critical"`
	}
	parsed := json.Unmarshal(payload, &said)
	signature, err := decode(annotations[signatureAnnotation])
	if err != nil {
		return "", err
	}
	signer, found := signedBy(c.keys, payload, signature)
	switch {
	case parsed != nil || said.Critical.Type != payloadKind:
		return "", errors.New("the payload is damaged, or not cosign's")
	case !found && annotations[certificateAnnotation] != "":
		return "", fmt.Errorf("it has a certificate (keyless), and no key of the policy (%s) made it", verify.Names(c.keys))
	case !found:
		return "", c.stranger()
	case said.Critical.Image.Digest != c.digest:
		return "", otherDigest(signer, said.Critical.Image.Digest)
	}
	return signer, nil
}

// stranger is the error of a signature that no key made.
func (c *checker) stranger() error {
	return fmt.Errorf("no key of the policy (%s) made it, or what it signs was altered", verify.Names(c.keys))
}

func otherDigest(signer, digest string) error {
	return fmt.Errorf("the key %s signed another digest, %q", signer, digest)
}

// bundled looks at the bundles that refer to the artifact.
// https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md
func (c *checker) bundled(ctx context.Context) error {
	referrers, err := c.in.Referrers(ctx, c.digest)
	if err != nil {
		return err
	}
	if len(referrers) > maxSignatures {
		return fmt.Errorf("more than %d manifests refer to %s: that many are not searched for signatures", maxSignatures, c.digest)
	}
	for _, digest := range slices.Compact(slices.Sorted(slices.Values(referrers))) {
		raw, found, err := c.in.Manifest(ctx, digest)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("%s refers to %s, and is not there", digest, c.digest)
		}
		var manifest signatures
		if json.Unmarshal(raw, &manifest) != nil || !manifest.isBundle() {
			continue
		}
		blob, err := c.in.Blob(ctx, manifest.Layers[0].Digest, manifest.Layers[0].Size)
		if err != nil {
			return fmt.Errorf("get the bundle of a signature: %w", err)
		}
		signer, isSignature, err := c.bundle(blob)
		if !isSignature {
			continue
		}
		c.note("bundle "+digest, signer, err)
		if c.signer != "" {
			break
		}
	}
	return nil
}

// bundleType is how the media types of all versions of bundles begin.
const bundleType = "application/vnd.dev.sigstore.bundle"

func (m signatures) isBundle() bool {
	return len(m.Layers) == 1 && (strings.HasPrefix(m.ArtifactType, bundleType) || strings.HasPrefix(m.Config.MediaType, bundleType) || strings.HasPrefix(m.Layers[0].MediaType, bundleType))
}
