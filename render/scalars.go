package render

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/pm-gitops/pm-gitops/render/text"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/apimachinery/pkg/util/validation"
)

// The types of this file are the texts of an environment file that have a
// form. Each says what it wants in Validate, and its JSON Schema in schema.go.

// Text is any text that is not empty.
type Text string

// Name is a DNS label: it names folders, branches, namespaces and releases.
type Name string

// ObjectName is the name of a Kubernetes object: a DNS subdomain.
type ObjectName string

// ReleaseName is a Helm release name.
type ReleaseName string

// SecretName is the name of a Secret.
type SecretName string

// SecretKey is a key of a Secret.
type SecretKey string

// URL is an http or https address without credentials.
type URL string

// Authority is a URL or, as in the vendor's guide, a bare host.
type Authority string

// GitURL is where a Git repository is cloned from, without credentials.
type GitURL string

// Host is an IP address or a host name, without port.
type Host string

// Email is a bare e-mail address.
type Email string

// Repository is a place in an OCI registry, without scheme and tag.
type Repository string

// ChartURL is a chart in an OCI registry: oci://host/path/chart.
type ChartURL string

// ChartVersion is an exact semver version, with @sha256:… behind it to pin
// the digest.
type ChartVersion string

// Tag is an image tag.
type Tag string

// KubeVersion is a Kubernetes version such as 1.33 or v1.33.4.
type KubeVersion string

// Duration is a positive length of time such as 30m or 1h30m.
type Duration string

// Path is a relative path with slashes that stays below where it starts.
type Path string

// ValuePath is a dotted chart value such as smtp.password.
type ValuePath string

// Window is a weekly span of time such as "Sat 02:00-06:00 UTC".
type Window string

// Reason is a sentence that says why.
type Reason string

// ObjectPattern is Kind/name, in which * stands for any characters.
type ObjectPattern string

// Validate refuses the empty text.
func (t Text) Validate() error {
	if t == "" {
		return errors.New("want a text, got an empty one")
	}
	return nil
}

// Validate refuses what is no DNS label (RFC 1123).
func (n Name) Validate() error {
	if validation.IsDNS1123Label(string(n)) != nil {
		return fmt.Errorf("want at most 63 lower-case letters, digits and -, beginning and ending with a letter or digit, got %s", text.Quoted(string(n)))
	}
	return nil
}

// Validate refuses what is no DNS subdomain (RFC 1123).
func (n ObjectName) Validate() error {
	if validation.IsDNS1123Subdomain(string(n)) != nil {
		return fmt.Errorf("want the name of an object: at most 253 lower-case letters, digits, - and ., got %s", text.Quoted(string(n)))
	}
	return nil
}

// Validate asks Helm.
func (n ReleaseName) Validate() error {
	if chartutil.ValidateReleaseName(string(n)) != nil {
		return fmt.Errorf("want a Helm release name: at most 53 lower-case letters, digits, - and ., got %s", text.Quoted(string(n)))
	}
	return nil
}

// Validate refuses what is no DNS subdomain. It does not repeat the text,
// which may be a secret in the wrong place.
func (n SecretName) Validate() error {
	if validation.IsDNS1123Subdomain(string(n)) != nil {
		return errors.New("want the name of a Secret: at most 253 lower-case letters, digits, . and -")
	}
	return nil
}

// Validate refuses what Kubernetes takes for no key of a Secret. It does not
// repeat the text, which may be a secret in the wrong place.
func (k SecretKey) Validate() error {
	if validation.IsConfigMapKey(string(k)) != nil {
		return errors.New("want a key of a Secret: letters, digits, -, . and _")
	}
	return nil
}

// Validate refuses other schemes, credentials, queries and what has no host.
func (u URL) Validate() error {
	parsed, err := url.Parse(string(u))
	switch {
	case err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || !hostOK(parsed.Hostname()):
		return fmt.Errorf("want an http or https address such as https://prefect.company.com, got %s", quotedURL(string(u)))
	case parsed.User != nil:
		return errSecretAddress
	case parsed.RawQuery != "" || parsed.Fragment != "":
		return errors.New("want an address without ? and #")
	}
	return nil
}

// Validate takes a URL or a host.
func (a Authority) Validate() error {
	if a.bare() {
		return Host(a).Validate()
	}
	return URL(a).Validate()
}

func (a Authority) bare() bool { return !strings.Contains(string(a), "://") }

// scpLike is the short form of an SSH address: git@host:path.
var scpLike = regexp.MustCompile(`^[\w.-]+@[\w.-]+:[^\s:]+$`)

// tokenForm is how the tokens of forges begin.
var tokenForm = regexp.MustCompile(`^(gh[a-z]_|github_pat_|glpat-|x-token-|gldt-)`)

var errSecretAddress = errors.New("want an address without user and password: it would be in Git for all to read")

// Validate takes https, http, ssh and file addresses and git@host:path.
func (u GitURL) Validate() error {
	if scpLike.MatchString(string(u)) {
		if tokenForm.MatchString(string(u)) {
			return errSecretAddress
		}
		return nil
	}
	parsed, err := url.Parse(string(u))
	if err != nil || parsed.Path == "" || !slices.Contains([]string{"https", "http", "ssh", "file"}, parsed.Scheme) {
		return fmt.Errorf("want a Git address such as https://git.company.com/platform/fleet.git, got %s", quotedURL(string(u)))
	}
	_, hasPassword := parsed.User.Password()
	if hasPassword || parsed.User != nil && parsed.Scheme != "ssh" || tokenForm.MatchString(parsed.User.Username()) {
		return errSecretAddress
	}
	if parsed.RawQuery != "" || parsed.Fragment != "" {
		return errors.New("want an address without ? and #")
	}
	return nil
}

// Validate takes IP addresses and host names.
func (h Host) Validate() error {
	if !hostOK(string(h)) {
		return fmt.Errorf("want a host name or an IP address, without scheme and port, got %s", quotedURL(string(h)))
	}
	return nil
}

func hostOK(host string) bool {
	return net.ParseIP(host) != nil || validation.IsDNS1123Subdomain(strings.ToLower(host)) == nil
}

// Validate takes one address without a display name.
func (e Email) Validate() error {
	address, err := mail.ParseAddress(string(e))
	if err != nil || address.Address != string(e) {
		return fmt.Errorf("want an e-mail address such as owner@company.com, got %s", text.Quoted(string(e)))
	}
	return nil
}

// repositoryForm is the grammar of an image name with a host before it
// (https://github.com/distribution/reference).
var repositoryForm = regexp.MustCompile(`^([a-zA-Z0-9.-]+)(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)

// Validate refuses schemes, tags, digests and trailing slashes.
func (r Repository) Validate() error {
	host, _, _ := strings.Cut(string(r), "/")
	name, _, _ := strings.Cut(host, ":")
	if !repositoryForm.MatchString(string(r)) || !hostOK(name) {
		return fmt.Errorf("want a registry and a path such as registry.company.com/prefect, without scheme, tag and trailing slash, got %s", quotedURL(string(r)))
	}
	return nil
}

// Validate wants oci:// and a repository with a path.
func (u ChartURL) Validate() error {
	repository, isOCI := strings.CutPrefix(string(u), "oci://")
	if !isOCI || !strings.Contains(repository, "/") || Repository(repository).Validate() != nil {
		return fmt.Errorf("want a chart such as oci://registry.company.com/charts/prefect-worker, without version, got %s", quotedURL(string(u)))
	}
	return nil
}

// digestForm is an OCI digest as registries give it.
var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// Validate wants semver, as Helm with a v before it if the chart has one, and
// a whole digest behind an @.
func (v ChartVersion) Validate() error {
	version, digest, pinned := strings.Cut(string(v), "@")
	if _, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v")); err != nil {
		return fmt.Errorf("want an exact chart version such as 1.2.3, got %s", text.Quoted(version))
	}
	if pinned && !digestForm.MatchString(digest) {
		return fmt.Errorf("want sha256: and 64 hexadecimal digits behind the @, got %s", text.Quoted(digest))
	}
	return nil
}

// Version is the part before the digest.
func (v ChartVersion) Version() string {
	version, _, _ := strings.Cut(string(v), "@")
	return version
}

// Digest is sha256:…, or empty where the version pins none.
func (v ChartVersion) Digest() string {
	_, digest, _ := strings.Cut(string(v), "@")
	return digest
}

// tagForm is the grammar of a tag (https://github.com/opencontainers/distribution-spec).
var tagForm = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

// Validate refuses what no registry takes as a tag, and latest, which says
// nothing about what runs.
func (t Tag) Validate() error {
	switch {
	case t == "latest":
		return errors.New("want the tag of one build: latest may change at any time")
	case !tagForm.MatchString(string(t)):
		return fmt.Errorf("want an image tag of letters, digits, ., _ and -, got %s", text.Quoted(string(t)))
	}
	return nil
}

// Validate asks Helm.
func (v KubeVersion) Validate() error {
	if _, err := chartutil.ParseKubeVersion(string(v)); err != nil {
		return fmt.Errorf("want a Kubernetes version such as 1.33, got %s", text.Quoted(string(v)))
	}
	return nil
}

// durationForm is what the CRDs of Flux accept.
var durationForm = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`)

// mostDuration keeps sums of lengths of time in range.
const mostDuration = 10_000 * time.Hour

// Validate wants what Flux takes as a duration.
func (d Duration) Validate() error {
	if !durationForm.MatchString(string(d)) || d.Duration() <= 0 || d.Duration() > mostDuration {
		return fmt.Errorf("want a length of time such as 30m or 72h, got %s", text.Quoted(string(d)))
	}
	return nil
}

// Duration is the length of time; zero for the empty text.
func (d Duration) Duration() time.Duration {
	parsed, _ := time.ParseDuration(string(d))
	return parsed
}

// pathForm keeps to what needs no quoting anywhere.
var pathForm = regexp.MustCompile(`^[A-Za-z0-9._/@+-]+$`)

// Validate refuses absolute paths, backslashes and what leads out of the folder.
func (p Path) Validate() error {
	name := string(p)
	if !pathForm.MatchString(name) || path.IsAbs(name) || path.Clean(name) != name || name == ".." ||
		strings.HasPrefix(name, "../") || slices.Contains(strings.Split(strings.ToLower(name), "/"), ".git") {
		return fmt.Errorf("want a relative path with slashes that stays below the folder, got %s", text.Quoted(name))
	}
	return nil
}

// Validate wants dotted keys without list indexes.
func (p ValuePath) Validate() error {
	for _, key := range strings.Split(string(p), ".") {
		if key == "" || strings.ContainsAny(key, "[]$ \t\"'") {
			return fmt.Errorf("want dotted keys such as smtp.password, got %s", text.Quoted(string(p)))
		}
	}
	return nil
}

var windowForm = regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))? ([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d (UTC|[A-Z]\w+(/[\w+-]+)+)$`)

// Validate wants days, hours and a time zone.
func (w Window) Validate() error {
	if !windowForm.MatchString(string(w)) {
		return fmt.Errorf("want days, hours and a time zone such as %q, got %s", "Sat 02:00-06:00 UTC", text.Quoted(string(w)))
	}
	return nil
}

// Validate refuses a reason that says nothing.
func (r Reason) Validate() error {
	if strings.TrimSpace(string(r)) == "" {
		return errors.New("want a sentence that says why")
	}
	return nil
}

var objectPatternForm = regexp.MustCompile(`^[A-Za-z0-9*]+/[A-Za-z0-9*.:_-]+$`)

// Validate wants a kind and a name.
func (p ObjectPattern) Validate() error {
	if !objectPatternForm.MatchString(string(p)) {
		return fmt.Errorf("want Kind/name such as Deployment/scheduler, where * stands for any characters, got %s", text.Quoted(string(p)))
	}
	return nil
}

// Matches reports whether the pattern fits an object.
func (p ObjectPattern) Matches(kind, name string) bool {
	wantKind, wantName, _ := strings.Cut(string(p), "/")
	return wildcard(wantKind, kind) && wildcard(wantName, name)
}

// wildcard reports whether a text is what a pattern says. The parts between
// the stars are taken as early as they come, so that no pattern takes long.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return true
}

// quotedURL quotes a text as [text.Quoted] does, for a text that may hold credentials: in an address
// behind @ or ?, or in a list of settings such as host=db password=….
func quotedURL(s string) string {
	if i := strings.IndexAny(s, "@?=; "); i >= 0 {
		return fmt.Sprintf("one with %q in it", s[i:i+1])
	}
	return text.Quoted(s)
}
