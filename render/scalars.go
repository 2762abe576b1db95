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

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
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

// KubeVersion is a Kubernetes version such as 1.33 or v1.33.4.
type KubeVersion string

// Duration is a positive length of time such as 30m or 1h30m.
type Duration string

// Path is a relative path with slashes that stays below where it starts.
type Path string

// ValuePath is a dotted chart value such as smtp.password.
type ValuePath string

// Reason is a sentence that says why.
type Reason string

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
		return fmt.Errorf("want at most 63 lower-case letters, digits and -, beginning and ending with a letter or digit, got %s", quoted(string(n)))
	}
	return nil
}

// Validate refuses what is no DNS subdomain (RFC 1123).
func (n ObjectName) Validate() error {
	if validation.IsDNS1123Subdomain(string(n)) != nil {
		return fmt.Errorf("want the name of an object: at most 253 lower-case letters, digits, - and ., got %s", quoted(string(n)))
	}
	return nil
}

// Validate asks Helm.
func (n ReleaseName) Validate() error {
	if chartutil.ValidateReleaseName(string(n)) != nil {
		return fmt.Errorf("want a Helm release name: at most 53 lower-case letters, digits, - and ., got %s", quoted(string(n)))
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
		return fmt.Errorf("want an e-mail address such as owner@company.com, got %s", quoted(string(e)))
	}
	return nil
}

// Validate asks Helm.
func (v KubeVersion) Validate() error {
	if _, err := chartutil.ParseKubeVersion(string(v)); err != nil {
		return fmt.Errorf("want a Kubernetes version such as 1.33, got %s", quoted(string(v)))
	}
	return nil
}

// durationForm is what the CRDs of Flux accept.
var durationForm = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`)

// maxDuration keeps sums of lengths of time in range.
const maxDuration = 10_000 * time.Hour

// Validate wants what Flux takes as a duration.
func (d Duration) Validate() error {
	if !durationForm.MatchString(string(d)) || d.Duration() <= 0 || d.Duration() > maxDuration {
		return fmt.Errorf("want a length of time such as 30m or 72h, got %s", quoted(string(d)))
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
		return fmt.Errorf("want a relative path with slashes that stays below the folder, got %s", quoted(name))
	}
	return nil
}

// Validate wants dotted keys without list indexes.
func (p ValuePath) Validate() error {
	for _, key := range strings.Split(string(p), ".") {
		if key == "" || strings.ContainsAny(key, "[]$ \t\"'") {
			return fmt.Errorf("want dotted keys such as smtp.password, got %s", quoted(string(p)))
		}
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

// quoted quotes a text for a message, unless it looks like a secret in the
// wrong place.
func quoted(s string) string {
	if plaintext.Text(s) != nil {
		return "what looks like a secret"
	}
	return text.Quoted(s)
}

// quotedURL quotes a text as quoted does, for a text that may hold credentials: in an address
// behind @ or ?, or in a list of settings such as host=db password=….
func quotedURL(s string) string {
	if i := strings.IndexAny(s, "@?=; "); i >= 0 {
		return fmt.Sprintf("one with %q in it", s[i:i+1])
	}
	return quoted(s)
}
