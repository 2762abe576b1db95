package registry

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/pm-gitops/pm-gitops/render/ref"
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

// location is a reference that was checked.
type location struct {
	ref        Ref
	repository name.Repository
	tag        string // empty where only the digest counts
}

// chartName gives the name of the chart in the repository: helm push puts each chart
// below the given path under its name.
// https://helm.sh/docs/topics/registries/#the-push-subcommand
func (l location) chartName() string {
	path := l.repository.RepositoryStr()
	return path[strings.LastIndex(path, "/")+1:]
}

// key gives one text for one question.
func (l location) key() string {
	return l.repository.Name() + "\n" + l.tag + "\n" + l.ref.Digest
}

// locate checks a reference.
func (c *Client) locate(of Ref) (location, error) {
	repository, err := c.repository(of.Repository)
	if err != nil {
		return location{}, err
	}
	of.Repository = strings.TrimPrefix(of.Repository, "oci://")
	tag := ref.TagOf(of.Version)
	switch {
	case of.Version == "" && of.Digest == "":
		return location{}, fmt.Errorf("chart %s: want a version or a digest", of.Repository)
	case of.Version != "" && !ref.IsTag(tag):
		return location{}, fmt.Errorf("chart %s: no registry can have version %q: want letters, digits, dots, dashes and one +, at most 128", of.Repository, of.Version)
	case of.Digest != "" && !ref.IsChartDigest(of.Digest):
		return location{}, fmt.Errorf("chart %s: want a digest such as sha256:… with 64 hexadecimal digits, got %q", of.Repository, of.Digest)
	}
	return location{ref: of, repository: repository, tag: tag}, nil
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
	case !ref.IsHost(host):
		return name.Repository{}, fmt.Errorf("repository %q does not start with a registry's host: want host/path/name", text)
	case !ref.IsRepository(path):
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
// no one listens in, or when that was asked for.
func (o Options) allowsPlain(host string) bool {
	if slices.ContainsFunc(o.PlainHTTP, func(asked string) bool { return strings.EqualFold(asked, host) }) {
		return true
	}
	bare := bareHost(host)
	ip := net.ParseIP(bare)
	return bare == "localhost" || strings.HasSuffix(bare, ".localhost") || ip != nil && ip.IsLoopback()
}

// bareHost gives a host in lower case, without port and brackets.
func bareHost(host string) string {
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
