package verify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
)

// Key is a public key.
type Key struct {
	Name   string
	Public crypto.PublicKey // *ecdsa.PublicKey, *rsa.PublicKey or ed25519.PublicKey
	// PEM is the key alone in PEM form (PKIX), the same however it was written.
	PEM string
}

const (
	leastRSA = 2048 // bits
	mostRSA  = 8192
)

// ParseKey reads a public key in PEM form, of the kinds that cosign reads: ECDSA on the
// curves of NIST, RSA, and Ed25519. No error repeats anything of the text.
func ParseKey(name string, text []byte) (Key, error) {
	block, rest := pem.Decode(text)
	switch {
	case bytes.Contains(text, []byte("PRIVATE KEY")):
		return Key{}, errors.New("this is a private key, which must not be in Git: want the public key, which cosign public-key prints")
	case block == nil:
		return Key{}, errors.New("want a public key in PEM form, from -----BEGIN PUBLIC KEY----- to -----END PUBLIC KEY-----")
	case len(bytes.TrimSpace(rest)) > 0:
		return Key{}, errors.New("want one public key, and nothing behind it: give each key a name of its own")
	}
	public, err := parsePublic(block)
	if err != nil {
		return Key{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Key{}, errors.New("the public key cannot be read")
	}
	return Key{name, public, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}, nil
}

func parsePublic(block *pem.Block) (public crypto.PublicKey, err error) {
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		return nil, errors.New("this is a certificate: want the public key in it, which openssl x509 -pubkey -noout prints")
	default:
		return nil, errors.New("want a PUBLIC KEY in PEM form: this is something else")
	}
	if err != nil {
		return nil, errors.New("the public key is damaged, or of an unknown kind")
	}
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if !slices.Contains([]elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}, key.Curve) {
			return nil, errors.New("want an ECDSA key on P-256, P-384 or P-521")
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < leastRSA || bits > mostRSA {
			return nil, errors.New("want an RSA key of 2048 to 8192 bits")
		}
	case ed25519.PublicKey:
	default:
		return nil, errors.New("want an ECDSA, RSA or Ed25519 key")
	}
	return public, nil
}

// Names lists the names of keys for a message.
func Names(keys []Key) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = key.Name
	}
	return strings.Join(names, ", ")
}
