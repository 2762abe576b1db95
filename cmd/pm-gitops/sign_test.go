package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pm-gitops/pm-gitops/cmd/internal/verify/verifytest"
)

// signers are the keys of a script, by name.
type signers map[string]verifytest.Signer

type signersKey struct{}

// sign makes the key NAME, with its public part in NAME.pub, and signs artifacts with it:
// sign [-bundle] NAME [REFERENCE …].
func sign(ts *testscript.TestScript, neg bool, args []string) {
	asBundle := len(args) > 0 && args[0] == "-bundle"
	if asBundle {
		args = args[1:]
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: sign [-bundle] NAME [REFERENCE …]")
	}
	keys := ts.Value(signersKey{}).(signers)
	signer, found := keys[args[0]]
	if !found {
		signer = verifytest.New("ECDSA P-256")
		keys[args[0]] = signer
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), []byte(signer.PublicKey()), 0o666))
	}
	for _, reference := range args[1:] {
		digest, err := crane.Digest(reference)
		ts.Check(err)
		tag, err := name.ParseReference(reference)
		ts.Check(err)
		of := tag.Context().Digest(digest)
		if asBundle {
			ts.Check(verifytest.Refer(of, signer.Bundle(digest, verifytest.SignPredicate)))
			continue
		}
		payload, signed := signer.Payload(digest)
		ts.Check(verifytest.Tag(of, [2]string{string(payload), signed}))
	}
}

// TestDocsVerify holds what docs/verify.md shows to the sample environment with rules,
// and to what is written for it.
func TestDocsVerify(t *testing.T) {
	shown := blocks(read(t, "docs/verify.md"), "yaml")
	if len(shown) != 2 || !strings.Contains(read(t, "testdata/env/signed.yaml"), shown[0]) {
		t.Error("docs/verify.md does not show the rules of testdata/env/signed.yaml")
	}
	if len(shown) == 2 && !strings.Contains(read(t, "testdata/golden/flux-2.7/signed.txtar"), shown[1]) {
		t.Error("docs/verify.md does not show what is written for testdata/env/signed.yaml")
	}
}
