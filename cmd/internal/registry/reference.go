package registry

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
)

// Ref names a chart: the repository and a version, a digest or both.
type Ref struct {
	Repository string // host, path and the chart's name; oci:// before it is ignored
	Version    string // the chart's version, or empty where only the digest counts
	Digest     string // sha256:… of the manifest, or empty where only the version counts
}

// String is the reference as people write it; it is no input of any program.
func (r Ref) String() string {
	text := strings.TrimPrefix(r.Repository, "oci://")
	if r.Version != "" {
		text += " " + r.Version
	}
	if r.Digest != "" {
		text += "@" + r.Digest
	}
	return text
}

// The grammar of the OCI distribution specification, which is stricter than
// the library: no empty and no relative parts of a path.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
//
// Expressions are compiled when they are first needed: most commands never ask
// a registry.
var (
	hostForm = lazily(`^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:[0-9]{1,5})?$`)
	pathForm = lazily(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagForm  = lazily(`^[a-zA-Z0-9_][a-zA-Z0-9._-]*$`)
)

const longestTag = 128

func lazily(form string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(form) })
}

func isTag(text string) bool { return len(text) <= longestTag && tagForm().MatchString(text) }

// isDigest reports whether a text is sha256: and 64 digits in lower case.
func isDigest(text string) bool {
	digits, found := strings.CutPrefix(text, "sha256:")
	return found && len(digits) == 64 && strings.Trim(digits, "0123456789abcdef") == ""
}

// location is a reference that was checked.
type location struct {
	ref        Ref
	repository name.Repository
	tag        string // empty where only the digest counts
}

// chartName is what a chart in the repository is called: helm push puts each
// chart below the given path under its name.
// https://helm.sh/docs/topics/registries/#the-push-subcommand
func (l location) chartName() string {
	path := l.repository.RepositoryStr()
	return path[strings.LastIndex(path, "/")+1:]
}

// key is one text for one question.
func (l location) key() string {
	return l.repository.Name() + "\n" + l.tag + "\n" + l.ref.Digest
}

// locate checks a reference.
func (c *Client) locate(ref Ref) (location, error) {
	repository, err := c.repository(ref.Repository)
	if err != nil {
		return location{}, err
	}
	ref.Repository = strings.TrimPrefix(ref.Repository, "oci://")
	tag := tagOf(ref.Version)
	switch {
	case ref.Version == "" && ref.Digest == "":
		return location{}, fmt.Errorf("chart %s: want a version or a digest", ref.Repository)
	case ref.Version != "" && !isTag(tag):
		return location{}, fmt.Errorf("chart %s: no registry can have version %q: want letters, digits, dots, dashes and one +, at most 128", ref.Repository, ref.Version)
	case ref.Digest != "" && !isDigest(ref.Digest):
		return location{}, fmt.Errorf("chart %s: want a digest such as sha256:… with 64 hexadecimal digits, got %q", ref.Repository, ref.Digest)
	}
	return location{ref: ref, repository: repository, tag: tag}, nil
}

// repository checks where something lies. What has a user name or a password
// in it is not repeated.
func (c *Client) repository(text string) (name.Repository, error) {
	text = strings.TrimPrefix(text, "oci://")
	if strings.Contains(text, "@") {
		return name.Repository{}, errors.New("a repository has a user name, password or digest in it: want host/path/name, and docker login for the credentials")
	}
	if scheme, _, found := strings.Cut(text, "://"); found {
		return name.Repository{}, fmt.Errorf("repository %q is a %s address: want host/path/name, or oci://host/path/name", text, scheme)
	}
	host, path, _ := strings.Cut(text, "/")
	host = strings.ToLower(host)
	switch {
	case !hostForm().MatchString(host) || !strings.ContainsAny(host, ".:") && host != "localhost":
		return name.Repository{}, fmt.Errorf("repository %q does not start with a registry's host: want host/path/name", text)
	case !pathForm().MatchString(path):
		return name.Repository{}, fmt.Errorf("repository %q: want host/path/name, with the path in lower case and without a tag", text)
	}
	repository, err := name.NewRepository(host+"/"+path, c.options.nameOptions(host)...)
	if err != nil {
		return name.Repository{}, fmt.Errorf("repository %q: want host/path/name", text)
	}
	return repository, nil
}

// nameOptions lets the library try plain HTTP where that is allowed.
func (o Options) nameOptions(host string) []name.Option {
	if o.allowsPlain(host) {
		return []name.Option{name.Insecure}
	}
	return nil
}

// allowsPlain reports whether a host may answer without TLS: on loopback, where
// nobody listens in, or when that was asked for.
func (o Options) allowsPlain(host string) bool {
	if slices.ContainsFunc(o.PlainHTTP, func(asked string) bool { return strings.EqualFold(asked, host) }) {
		return true
	}
	bare := bareHost(host)
	ip := net.ParseIP(bare)
	return bare == "localhost" || strings.HasSuffix(bare, ".localhost") || ip != nil && ip.IsLoopback()
}

// bareHost is a host in lower case, without port and brackets.
func bareHost(host string) string {
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// tagOf is the tag of a chart version: registries know no plus sign in tags.
// https://helm.sh/docs/topics/registries/#oci-feature-deprecation-and-behavior-changes-with-v380
func tagOf(version string) string { return strings.ReplaceAll(version, "+", "_") }

// versionOf is the version of a chart's tag.
func versionOf(tag string) string { return strings.ReplaceAll(tag, "_", "+") }
