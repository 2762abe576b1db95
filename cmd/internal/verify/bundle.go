package verify

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/verify"
)

// bundle is the part of Sigstore's bundles that a key decides. The hint that names a
// key is not needed: all of them are tried.
// https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
type bundle struct {
	Material struct {
		Certificate json.RawMessage `json:"certificate"`
		Chain       json.RawMessage `json:"x509CertificateChain"`
	} `json:"verificationMaterial"`
	Envelope *envelope `json:"dsseEnvelope"`
	Message  *struct {
		Signature []byte `json:"signature"`
	} `json:"messageSignature"`
}

// envelope signs a statement.
// https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
type envelope struct {
	Payload    []byte `json:"payload"`
	Type       string `json:"payloadType"`
	Signatures []struct {
		Signature []byte `json:"sig"`
	} `json:"signatures"`
}

// statement says what an envelope is about.
// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
type statement struct {
	Type    string `json:"_type"`
	Subject []struct {
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	PredicateType string `json:"predicateType"`
}

const (
	statementType = "application/vnd.in-toto+json"
	signPredicate = "https://sigstore.dev/cosign/sign/v1" // of cosign sign; others attest
	maxSubjects   = 1024                                  // as in sigstore-go
)

// bundle verifies a bundle, and reports whether it is a signature at all: an attestation
// of something, such as a list of faults, approves of nothing.
func (c *checker) bundle(blob []byte) (signer string, isSignature bool, err error) {
	var b bundle
	switch err := json.Unmarshal(blob, &b); {
	case err != nil || (b.Envelope == nil) == (b.Message == nil):
		return "", true, errors.New("the bundle is damaged")
	case b.Envelope != nil:
		signer, isSignature, err = c.envelope(*b.Envelope)
		return signer, isSignature, b.explain(c, err)
	}
	signer, found := signedBy(c.keys, c.manifest, b.Message.Signature)
	if !found {
		return "", true, b.explain(c, errStranger)
	}
	return signer, true, nil
}

// errStranger marks a signature that no key made.
var errStranger = errors.New("no key")

// explain says why no key made the signature.
func (b bundle) explain(c *checker, err error) error {
	switch {
	case !errors.Is(err, errStranger):
		return err
	case b.Material.Certificate != nil || b.Material.Chain != nil:
		return fmt.Errorf("it has a certificate (keyless), and no key of the policy (%s) made it", verify.Names(c.keys))
	}
	return c.stranger()
}

// envelope verifies an envelope, which has one signature.
func (c *checker) envelope(e envelope) (signer string, isSignature bool, err error) {
	var said statement
	damaged := e.Type != statementType || json.Unmarshal(e.Payload, &said) != nil || !strings.HasPrefix(said.Type, "https://in-toto.io/Statement/")
	if !damaged && said.PredicateType != signPredicate {
		return "", false, nil
	}
	if damaged || len(e.Signatures) != 1 || len(said.Subject) > maxSubjects {
		return "", true, errors.New("the bundle is damaged, or not cosign's")
	}
	signer, found := signedBy(c.keys, preAuthentication(e.Type, e.Payload), e.Signatures[0].Signature)
	if !found {
		return "", true, errStranger
	}
	var digests []string
	for _, subject := range said.Subject {
		digests = append(digests, "sha256:"+subject.Digest["sha256"])
	}
	if !slices.Contains(digests, c.digest) {
		return "", true, otherDigest(signer, strings.Join(digests, ", "))
	}
	return signer, true, nil
}

// preAuthentication returns what an envelope's signature is of.
// https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
func preAuthentication(kind string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
}

// decode reads a signature in base64.
func decode(text string) ([]byte, error) {
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(signature) == 0 {
		return nil, errors.New("the signature is missing, or no base64")
	}
	return signature, nil
}
