// Package ref is the grammar of references to images and charts in OCI
// registries. Whatever reads or checks a reference asks this package.
//
// The grammar is that of the OCI distribution specification and, for hosts, of
// the container runtimes
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests,
// https://github.com/distribution/reference/blob/main/reference.go).
package ref

import (
	"errors"
	"fmt"
	"strings"
)

// DockerHub is the host of image references that name none
// (https://github.com/distribution/reference/blob/main/normalize.go).
const DockerHub = "docker.io"

// Reference is a reference taken apart. An image without a tag and a digest
// means the tag latest.
type Reference struct {
	Host       string `json:"host"`       // as written, with its port, if there is one
	Repository string `json:"repository"` // below the host: library/postgres
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest,omitempty"` // sha256:… or sha512:…
}

// Name returns host and repository.
func (r Reference) Name() string { return r.Host + "/" + r.Repository }

// String writes the reference in full: postgres:17 is docker.io/library/postgres:17.
func (r Reference) String() string {
	text := r.Name()
	if r.Tag != "" {
		text += ":" + r.Tag
	}
	if r.Digest != "" {
		text += "@" + r.Digest
	}
	return text
}

// Pinned reports whether the reference names one image for ever.
func (r Reference) Pinned() bool { return r.Digest != "" }

// maxLength limits the text of a reference: a repository of 255 letters with a
// host, a tag and a digest.
const maxLength = 1024

// The parts of a reference that an error of [Parse] or [ParseImage] may be about.
var (
	ErrHost       = errors.New("want a registry's host, such as registry.company.com or localhost:5000")
	ErrRepository = errors.New("want lower-case letters, digits, single dots and underscores, and dashes, between slashes")
	ErrTag        = errors.New("want a tag of at most 128 letters, digits, ., _ and -")
	ErrDigest     = errors.New("want sha256: and 64 or sha512: and 128 hexadecimal digits")
	ErrLength     = fmt.Errorf("no registry takes more than %d letters", maxLength)
)

// Parse takes HOST/REPOSITORY[:TAG][@DIGEST] apart. The error wraps that of the
// part that is wrong, and does not repeat the text, which may have a login in it.
func Parse(text string) (Reference, error) {
	if len(text) > maxLength {
		return Reference{}, ErrLength
	}
	name, tag, digest := Split(text)
	host, repository, _ := strings.Cut(name, "/")
	return checked(Reference{host, repository, tag, digest})
}

// ParseImage takes the reference of an image apart, as container runtimes do:
// without a host it is Docker Hub's, and there a name alone lies in library.
// Errors are those of [Parse].
func ParseImage(text string) (Reference, error) {
	if len(text) > maxLength {
		return Reference{}, ErrLength
	}
	name, tag, digest := Split(text)
	host, repository := DockerHub, name
	if HasHost(name) {
		host, repository, _ = strings.Cut(name, "/")
	}
	if strings.EqualFold(host, DockerHub) || strings.EqualFold(host, "index."+DockerHub) {
		host = DockerHub
		if repository != "" && !strings.Contains(repository, "/") {
			repository = "library/" + repository
		}
	}
	return checked(Reference{host, repository, tag, digest})
}

// checked returns the reference if all of its parts are right.
func checked(r Reference) (Reference, error) {
	switch {
	case !IsHost(r.Host):
		return Reference{}, ErrHost
	case !IsRepository(r.Repository):
		return Reference{}, ErrRepository
	case r.Tag != "" && !IsTag(r.Tag):
		return Reference{}, ErrTag
	case r.Digest != "" && !IsDigest(r.Digest):
		return Reference{}, ErrDigest
	}
	return r, nil
}

// Split cuts NAME[:TAG][@DIGEST] into its parts and checks none of them. The
// colon before a port begins no tag, and a colon or an @ at the end stays with
// the name, which is wrong then.
func Split(text string) (name, tag, digest string) {
	name = text
	if before, after, found := strings.Cut(text, "@"); found && after != "" {
		name, digest = before, after
	}
	if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') && at < len(name)-1 {
		name, tag = name[:at], name[at+1:]
	}
	return name, tag, digest
}

// HasHost reports whether a name begins with a host and not with a part of a
// path, as container runtimes tell them apart: a host has a dot or a port, or
// is localhost (https://github.com/distribution/reference/blob/main/normalize.go).
func HasHost(name string) bool {
	host, path, _ := strings.Cut(name, "/")
	return path != "" && (strings.ContainsAny(host, ".:") || strings.EqualFold(host, "localhost"))
}

// TagOf writes a chart's version as a tag, which can have no plus sign
// (https://helm.sh/docs/topics/registries/#oci-feature-deprecation-and-behavior-changes-with-v380).
func TagOf(version string) string { return strings.ReplaceAll(version, "+", "_") }

// VersionOf undoes [TagOf].
func VersionOf(tag string) string { return strings.ReplaceAll(tag, "_", "+") }
