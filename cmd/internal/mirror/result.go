package mirror

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// Result says what became of an artifact.
type Result struct {
	Kind         Kind     `json:"kind"`
	Source       string   `json:"source"`
	Target       string   `json:"target"`
	Digest       string   `json:"digest,omitempty"` // of the source; it is the target's, unless Lacks or Error says otherwise
	Environments []string `json:"environments"`     // that need it

	State      string   `json:"state"`              // present, copied, missing, differs or failed
	Replaced   string   `json:"replaced,omitempty"` // the digest that the target's tag had, or has
	Manifests  int      `json:"manifests"`          // the artifact's, with those of its platforms
	Signatures int      `json:"signatures"`         // and attestations and SBOMs, under cosign's tags
	Referrers  int      `json:"referrers"`          // by the OCI API, or its fallback tag
	Lacks      []string `json:"lacks,omitempty"`    // tags and digests that the target had not, or not so

	BytesMissing int64 `json:"bytesMissing"` // of the blobs of the manifests in Lacks
	BytesCopied  int64 `json:"bytesCopied"`  // sent to the target
	BytesMounted int64 `json:"bytesMounted"` // taken from another repository of the target
	BytesSkipped int64 `json:"bytesSkipped"` // that were there

	// Signature says what came of verifying it: "verified: " and the name of a key, "none",
	// or [NotChecked] and a command; with several policies, all of these after commas.
	// It is empty where no policy is for the artifact.
	Signature string `json:"signature,omitempty"`

	Conflict string `json:"conflict,omitempty"` // why the copy must not replace what the target has
	Error    string `json:"error,omitempty"`
}

// The states of a [Result].
const (
	Present = "present" // nothing had to be copied
	Copied  = "copied"
	Missing = "missing" // as yet: it was only looked for
	Differs = "differs" // likewise, and the target's tag names another manifest
	Failed  = "failed"
)

// fail notes an error, if it is one.
func (r *Result) fail(err error) bool {
	if err != nil {
		r.State, r.Error = Failed, err.Error()
	}
	return err != nil
}

// describe says what there is to copy.
func (r *Result) describe(t *tree) {
	r.State = Present
	for _, p := range t.pieces {
		switch p.role {
		case signature:
			r.Signatures++
		case referrer:
			r.Referrers++
		default:
			r.Manifests++
		}
		if p.state == there {
			continue
		}
		r.Lacks = append(r.Lacks, p.name())
		if r.State == Present {
			r.State = Missing
		}
		if p.state == differs {
			r.State = Differs
		}
		r.Conflict = cmp.Or(r.Conflict, p.conflict)
	}
	for _, d := range t.lost {
		r.Lacks = append(r.Lacks, d.Digest)
		if r.State == Present {
			r.State = Missing
		}
	}
	for _, d := range t.blobs() {
		r.BytesMissing += d.Size
	}
	if root := t.pieces[len(t.pieces)-1]; root.state == differs {
		r.Replaced = root.replaces
	}
}

// blobs gives the blobs of the manifests that the target lacks, and those that it lost,
// each once.
func (t *tree) blobs() []descriptor {
	all := slices.Clone(t.lost)
	seen := map[string]bool{}
	for _, d := range t.lost {
		seen[d.Digest] = true
	}
	for _, p := range t.pieces {
		for _, d := range p.blobs {
			if p.state != there && !seen[d.Digest] {
				seen[d.Digest] = true
				all = append(all, d)
			}
		}
	}
	return all
}

// moved counts the bytes of an artifact.
type moved struct{ copied, mounted, skipped atomic.Int64 }

// SourceWithTag names the source of a copy as a lock has it: by the tag of its target
// where that has one.
func SourceWithTag(source, target string) string {
	name, _, _ := ref.Split(source)
	if _, tag, _ := ref.Split(target); tag != "" {
		return name + ":" + tag
	}
	return source
}
