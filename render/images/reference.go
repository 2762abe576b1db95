package images

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
)

// DockerHub is the host of references that name none
// (https://github.com/distribution/reference/blob/main/normalize.go).
const DockerHub = "docker.io"

// Reference is an image reference taken apart. Without a tag and a digest it
// means the tag latest.
type Reference struct {
	Host       string `json:"host"`       // with its port, if there is one
	Repository string `json:"repository"` // below the host: library/postgres
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest,omitempty"` // sha256:…
}

// Name is host and repository.
func (r Reference) Name() string { return r.Host + "/" + r.Repository }

// String is the reference in full: postgres:17 is docker.io/library/postgres:17.
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

// Expressions are compiled when they are first needed: most commands look at
// no image. The grammar is that of the OCI distribution specification
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests),
// which is stricter than the library: no empty and no relative parts of a path.
var (
	hostForm = lazily(`^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?$`)
	pathForm = lazily(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagForm  = lazily(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
)

func lazily(form string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(form) })
}

// longest is the length of the longest text that can be a reference: a path
// of 255 letters with a host, a tag and a digest.
const longest = 1024

// Parse takes an image reference apart, as container runtimes do it: without
// a host it is Docker Hub's, and there a name alone lies in library. The error
// says what is wrong and has the text in it, as it was written.
func Parse(text string) (Reference, error) {
	if len(text) > longest {
		return Reference{}, fmt.Errorf("image reference of %d letters: no registry takes more than %d", len(text), longest)
	}
	base, digest, pinned := strings.Cut(text, "@")
	if pinned && !isDigest(digest) {
		return Reference{}, fmt.Errorf("image reference %q: behind the @ want sha256: and 64 hexadecimal digits", text)
	}
	parsed, err := name.NewTag(base, name.WithDefaultTag(""))
	if err == nil {
		err = check(parsed)
	}
	if err != nil {
		return Reference{}, fmt.Errorf("image reference %q: want host/path/name:tag", text)
	}
	host := parsed.RegistryStr()
	if host == name.DefaultRegistry {
		host = DockerHub
	}
	return Reference{Host: host, Repository: parsed.RepositoryStr(), Tag: parsed.TagStr(), Digest: digest}, nil
}

func check(tag name.Tag) error {
	if !hostForm().MatchString(tag.RegistryStr()) || !pathForm().MatchString(tag.RepositoryStr()) {
		return errors.New("no reference")
	}
	if tag.TagStr() != "" && !tagForm().MatchString(tag.TagStr()) {
		return errors.New("no tag")
	}
	return nil
}

// isDigest reports whether a text is a digest as registries name images. The
// lengths are those of sha256 and sha512
// (https://github.com/opencontainers/image-spec/blob/main/descriptor.md#registered-algorithms).
func isDigest(text string) bool {
	algorithm, digits, _ := strings.Cut(text, ":")
	lengths := map[string]int{"sha256": 64, "sha512": 128}
	return len(digits) == lengths[algorithm] && digits != "" && strings.Trim(digits, "0123456789abcdef") == ""
}
