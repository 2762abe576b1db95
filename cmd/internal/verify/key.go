package verify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"

	"github.com/pm-gitops/pm-gitops/render/verify"
)

// signedBy finds the key that made a signature of a message.
func signedBy(keys []verify.Key, message, signed []byte) (name string, found bool) {
	for _, key := range keys {
		for _, option := range schemes(key) {
			verifier, err := signature.LoadVerifierWithOpts(key.Public, option)
			if err == nil && verifier.VerifySignature(bytes.NewReader(signed), bytes.NewReader(message)) == nil {
				return key.Name, true
			}
		}
	}
	return "", false
}

// schemes lists the ways in which cosign signs with a key: with SHA-256, and in bundles,
// with the hash that fits the curve, or with one before Ed25519
// (sigstore's algorithm registry). A signature does not name its own.
func schemes(key verify.Key) []signature.LoadOption {
	all := []signature.LoadOption{options.WithHash(crypto.SHA256)}
	switch public := key.Public.(type) {
	case *ecdsa.PublicKey:
		switch public.Curve.Params().BitSize {
		case 384:
			all = append(all, options.WithHash(crypto.SHA384))
		case 521:
			all = append(all, options.WithHash(crypto.SHA512))
		}
	case ed25519.PublicKey:
		all = append(all, options.WithED25519ph())
	}
	return all
}
