package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/verify"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// signatures verifies an artifact in one of its repositories with its policies, and gives
// what [Result] says of that. A keyless policy needs Sigstore's services: how to verify
// it is all that is said.
func (a *artifact) signatures(ctx context.Context, at side, reference string, root *document) (string, error) {
	var checked, commands []string
	for _, policy := range a.Policies {
		if policy.Keyless != nil {
			name, _, _ := ref.Split(reference)
			commands = append(commands, NotChecked+policy.Keyless.Command(name+"@"+root.digest))
			continue
		}
		said, err := verify.Check(ctx, repository{at}, root.raw, policy)
		if err != nil {
			return "", fmt.Errorf("verify %s in %s: %w", root.digest, at.repository.Name(), err)
		}
		if !slices.Contains(checked, said) {
			checked = append(checked, said)
		}
	}
	return strings.Join(append(checked, commands...), ", "), nil
}

// NotChecked stands before each command in the signature of a [Result]. These are last.
const NotChecked = "not checked: keyless; "

// repository is a side, as signatures are looked for.
type repository struct{ side }

func (r repository) Manifest(ctx context.Context, name string) ([]byte, bool, error) {
	d, err := r.find(ctx, name)
	if errors.Is(err, errAbsent) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("look for %s: %w", name, err)
	}
	return d.raw, true, nil
}

func (r repository) Referrers(ctx context.Context, digest string) ([]string, error) {
	list, err := r.referrers(ctx, digest)
	var digests []string
	for _, one := range list {
		if err := one.check(); err != nil {
			return nil, fmt.Errorf("what refers to %s: %w", digest, err)
		}
		digests = append(digests, one.Digest)
	}
	return digests, err
}

func (r repository) Blob(ctx context.Context, digest string, size int64) ([]byte, error) {
	return r.blob(ctx, descriptor{Digest: digest, Size: size})
}
