// Package verify is the part of an environment file that says who signs images and
// charts. It reads rules and public keys, and looks at no signature.
package verify

import (
	_ "embed" // the source of this file, whose comments describe fields
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/text"
)

//go:embed policy.go
var source string

// Source returns the source of the types that an environment file has, for the
// descriptions in its schema.
func Source() string { return source }

// Rule says who signs the images and charts of a place.
type Rule struct {
	// The images and charts that the rule is for, by where they come from: a registry, a folder of one, or one repository; "*" means all that no other rule is for. The longest counts.
	Match Place `json:"match"`
	// Public keys by name, one of which must have signed: text in PEM form, or the path of a file with it, relative to this file.
	Keys map[string]KeySource `json:"keys,omitempty"`
	// The identity that must have signed, in place of keys.
	Keyless *Keyless `json:"keyless,omitempty"`
	// Whether there must be a signature; default true. With false, a missing signature is reported, and Flux does not verify.
	Required *bool `json:"required,omitempty"`
}

// Keyless is an identity in a certificate of Sigstore's certificate authority.
type Keyless struct {
	// The OpenID Connect issuer that vouches for the identity, such as https://token.actions.githubusercontent.com.
	Issuer Issuer `json:"issuer"`
	// A regular expression for the whole identity, from ^ to $.
	Subject Subject `json:"subject"`
}

// Place is a place in a registry, or * for all places.
type Place string

// KeySource is a public key in PEM form, or the path of a file that has it.
type KeySource string

// Issuer is the address of an OpenID Connect issuer.
type Issuer string

// Subject is a regular expression that begins with ^ and ends with $.
type Subject string

// The forms of these texts, for the schema. Validate says the rest.
const (
	PlacePattern     = `^\*$|` + ref.FolderPattern
	KeySourcePattern = `\S`
	IssuerPattern    = `^https?://[^@?#]+$`
	SubjectPattern   = `^\^.*\$$`
)

// everywhere is the place that everything is in.
const everywhere = "*"

// Validate refuses schemes, tags, other patterns than *, and other names of Docker Hub.
func (p Place) Validate() error {
	place := string(p)
	switch {
	case place == everywhere:
		return nil
	case !ref.IsFolder(place):
		return errors.New(`want a registry, and a path if only that is meant, such as registry.company.com/prefect, or "*"; without scheme, tag and trailing slash`)
	}
	if image, err := ref.ParseImage(place + "/a/b"); err == nil && !strings.HasPrefix(image.Name(), place+"/") {
		return fmt.Errorf("images of Docker Hub are known by the host %s: want it here", ref.DockerHub)
	}
	return nil
}

// has reports whether a repository is in the place. A host that is written otherwise, in
// capitals or with the port of HTTPS, is the same registry, whose rule must not be missed.
func (p Place) has(repository string) bool {
	rest, is := strings.CutPrefix(sameHost(repository), sameHost(string(p)))
	return p == everywhere || is && (rest == "" || rest[0] == '/')
}

// sameHost writes the host of a repository or a place in the one way that all others mean.
func sameHost(text string) string {
	host, path, deeper := strings.Cut(text, "/")
	host = strings.TrimSuffix(strings.ToLower(host), ":443")
	if deeper {
		return host + "/" + path
	}
	return host
}

// isInline reports whether the text is the key, and not the path of a file.
func (s KeySource) isInline() bool { return strings.Contains(string(s), "-----BEGIN") }

// Validate wants a public key, or a relative path. It does not repeat the text, which
// may be a private key in the wrong place.
func (s KeySource) Validate() error {
	switch path := string(s); {
	case s.isInline():
		_, err := ParseKey("", []byte(s))
		return err
	case strings.Contains(path, "://"):
		return errors.New("want a public key in PEM form or the path of a file: cosign public-key --key prints the key of a KMS")
	case strings.TrimSpace(path) == "" || strings.ContainsAny(path, "\n\r") || path[0] == '/', isEncoded(path):
		return errors.New("want a public key in PEM form (-----BEGIN PUBLIC KEY-----), or the path of a file that has it, relative to this file")
	}
	return nil
}

// isEncoded reports whether a text seems to be the base64 of a key, which begins with a
// sequence in ASN.1, and no path.
func isEncoded(text string) bool {
	return text[0] == 'M' && len(text) >= 40 && !strings.Contains(text, ".")
}

// Validate wants an http or https address.
func (i Issuer) Validate() error {
	parsed, err := url.Parse(string(i))
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" || parsed.User != nil || strings.ContainsAny(string(i), "?#") {
		return errors.New("want the address of an issuer, such as https://token.actions.githubusercontent.com, and no regular expression")
	}
	return nil
}

// Validate wants an expression that the whole identity must match: without both
// anchors, an identity that only contains the right one would match, too.
func (s Subject) Validate() error {
	parsed, err := syntax.Parse(string(s), syntax.Perl)
	var wrong *syntax.Error
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("want a regular expression: %s", wrong.Code)
	case err != nil || !strings.HasPrefix(string(s), "^") || !strings.HasSuffix(string(s), "$") || !isWhole(parsed):
		return errors.New(`want a regular expression from ^ to $, such as ^https://github\.com/company/.*$; alternatives in parentheses, such as ^(a|b)$`)
	}
	return nil
}

// isWhole reports whether an expression matches nothing but whole texts.
func isWhole(e *syntax.Regexp) bool {
	last := len(e.Sub) - 1
	return e.Op == syntax.OpConcat && e.Sub[0].Op == syntax.OpBeginText && e.Sub[last].Op == syntax.OpEndText
}

// IssuerExpression returns the regular expression that only the issuer matches.
func (k Keyless) IssuerExpression() string { return "^" + regexp.QuoteMeta(string(k.Issuer)) + "$" }

// Command returns the command that verifies a reference, with a digest, for a shell.
// https://github.com/sigstore/cosign/blob/main/doc/cosign_verify.md
func (k Keyless) Command(reference string) string {
	return "cosign verify --certificate-identity-regexp " + text.ShellWord(string(k.Subject)) + " --certificate-oidc-issuer " + text.ShellWord(string(k.Issuer)) + " " + text.ShellWord(reference)
}
