package proposal

// Version is a version that changes.
type Version struct {
	What     string // chart, istiod, server or ui
	From, To string
	// Digest is that of To at its source, sha256:…, or empty if it is not known.
	Digest    string
	Mirror    Mirror
	Signature Signature
}

// Mirror says whether the mirror has a version.
type Mirror struct {
	State MirrorState
	// Digest is the mirror's, if it is [OtherDigest].
	Digest string
	// Why says why that is not known, if it is [MirrorUnknown].
	Why string
}

// MirrorState says whether a mirror has a version with the digest of its source.
type MirrorState int

// The states. All but [NoMirror] and [Mirrored] block the pull request.
const (
	MirrorUnknown MirrorState = iota
	NoMirror                  // the environment has none
	Mirrored                  // with the same digest
	NotMirrored
	OtherDigest // the mirror's tag means something else
)

// Signature says whether a version is signed.
type Signature struct {
	State SignatureState
	By    string // the name of the key, if it is [Signed]
	Why   string // why that is not known, if it is [SignatureUnknown]
}

// SignatureState says whether a version is signed.
type SignatureState int

// The states. [NotSigned] blocks the pull request: a rule asks for a signature.
const (
	NoRule SignatureState = iota // the environment has no rule for it
	Signed
	NotSigned
	SignatureUnknown
)
