package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Keychain knows the credentials that the docker and podman programs know:
// $DOCKER_CONFIG/config.json or ~/.docker/config.json with its credential
// helpers, or podman's auth.json. Where these have nothing for one of Google's
// registries, the service account key that GOOGLE_APPLICATION_CREDENTIALS
// names is used. Nothing is read before a registry is asked.
//
// The library looks at the environment of the process for all but the last.
func Keychain(getenv func(string) string) authn.Keychain {
	return authn.NewMultiKeychain(authn.DefaultKeychain, googleKey{getenv})
}

const googleVariable = "GOOGLE_APPLICATION_CREDENTIALS"

// googleKey logs in with a service account's key as user _json_key.
// https://cloud.google.com/artifact-registry/docs/docker/authentication#json-key
type googleKey struct{ getenv func(string) string }

// Resolve implements [authn.Keychain]. Other credentials than a key, such as
// those of workload identity, are no password: they count as none.
func (g googleKey) Resolve(target authn.Resource) (authn.Authenticator, error) {
	path := g.getenv(googleVariable)
	if path == "" || !isGoogle(target.RegistryStr()) {
		return authn.Anonymous, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the file that %s names: %w", googleVariable, err)
	}
	var key struct {
		Type       string `json:"type"`
		PrivateKey string `json:"private_key"`
	}
	if err := json.Unmarshal(content, &key); err != nil {
		return nil, fmt.Errorf("the file that %s names is no JSON", googleVariable)
	}
	if key.Type != "service_account" || key.PrivateKey == "" {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(authn.AuthConfig{Username: "_json_key", Password: string(content)}), nil
}

// isGoogle reports whether a host is Artifact Registry or Container Registry.
func isGoogle(host string) bool {
	host = bareHost(host)
	return strings.HasSuffix(host, ".pkg.dev") || host == "gcr.io" || strings.HasSuffix(host, ".gcr.io")
}

// logins is the keychain of a client. It remembers who logged in, so that an
// error can say whether a login was missing or refused, and with what, so that
// no error can repeat it.
type logins struct {
	inner   authn.Keychain
	secrets secrets

	mu    sync.Mutex
	known map[string]bool // hosts that credentials were found for
}

// Resolve implements [authn.Keychain].
func (l *logins) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return l.ResolveContext(context.Background(), target)
}

// ResolveContext implements [authn.ContextKeychain].
func (l *logins) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	auth, err := authn.Resolve(ctx, l.inner, target)
	if err != nil {
		return nil, &Error{Kind: Credentials, sentence: fmt.Sprintf("cannot get the credentials for %s: %s", target.RegistryStr(), credentialsError(err))}
	}
	if auth == authn.Anonymous {
		return auth, nil
	}
	config, err := authn.Authorization(ctx, auth)
	if err != nil {
		return nil, &Error{Kind: Credentials, sentence: fmt.Sprintf("cannot get the credentials for %s: %s", target.RegistryStr(), credentialsError(err))}
	}
	l.secrets.note(config.Password, config.Auth, config.IdentityToken, config.RegistryToken)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[string]bool{}
	}
	l.known[target.RegistryStr()] = true
	return auth, nil
}

// hasFor reports whether credentials were found for a host.
func (l *logins) hasFor(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[host]
}

// credentialsError is what went wrong, without what a credential helper printed
// (which the library adds) and without the values of a broken file.
func credentialsError(err error) string {
	var syntax *json.SyntaxError
	var value *json.UnmarshalTypeError
	if errors.As(err, &syntax) || errors.As(err, &value) {
		return "the Docker configuration ($DOCKER_CONFIG/config.json or ~/.docker/config.json) is not as docker writes it"
	}
	text, _, _ := strings.Cut(err.Error(), ", out: ")
	return oneLine(text)
}

// secrets is everything that must not be in a text.
type secrets struct {
	mu    sync.Mutex
	known []string
}

func (s *secrets) note(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		if text != "" && !slices.Contains(s.known, text) {
			s.known = append(s.known, text)
		}
	}
}

// noteHeader notes what a request proves itself with.
func (s *secrets) noteHeader(header http.Header) {
	_, credential, found := strings.Cut(header.Get("Authorization"), " ")
	if !found {
		return
	}
	s.note(credential)
	if decoded, err := base64.StdEncoding.DecodeString(credential); err == nil {
		if _, password, found := strings.Cut(string(decoded), ":"); found {
			s.note(password)
		}
	}
}

// hide takes them out of a text, the longest first, since one may hold another.
func (s *secrets) hide(text string) string {
	s.mu.Lock()
	known := slices.Clone(s.known)
	s.mu.Unlock()
	slices.SortFunc(known, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range known {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return text
}
