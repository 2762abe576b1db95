package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/verify"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// signatures verifies an artifact in one of its repositories with its policies, and gives
// what [Result] says of that. A keyless policy needs Sigstore's services: for it the
// result has the command that verifies.
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
			where := at.name
			if at.held != nil {
				where = at.place()
			}
			return "", fmt.Errorf("verify %s in %s: %w", root.digest, where, err)
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
	return r.small(ctx, descriptor{Digest: digest, Size: size})
}

// small gets a small blob whole. An answer that breaks off or is wrong is asked for again.
func (s side) small(ctx context.Context, d descriptor) ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		content, err := s.smallOnce(ctx, d)
		if err == nil && (digestOf(content) != d.Digest || int64(len(content)) != d.Size) {
			err = brokenError{fmt.Sprintf("%s sent other bytes than those of %s", s.place(), d.Digest)}
		}
		if !errors.As(err, new(brokenError)) || attempt == attempts || ctx.Err() != nil {
			return content, err
		}
	}
}

func (s side) smallOnce(ctx context.Context, d descriptor) ([]byte, error) {
	if s.held != nil {
		content, err := s.held.Blob(d.Digest)
		if err != nil {
			return nil, err
		}
		defer content.Close()
		return io.ReadAll(io.LimitReader(content, maxManifest))
	}
	resp, err := s.ask(ctx, http.MethodGet, "blobs/"+d.Digest)
	if errors.Is(err, errAbsent) {
		return nil, fmt.Errorf("%s has no %s in %s", s.place(), d.Digest, s.repository.RepositoryStr())
	}
	if err != nil {
		return nil, err
	}
	return s.body(resp, "the blob "+d.Digest)
}
