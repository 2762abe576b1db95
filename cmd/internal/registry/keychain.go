package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Keychain knows the logins that docker, podman and helm keep: in DOCKER_AUTH_CONFIG,
// in the file that REGISTRY_AUTH_FILE names, in Docker's config.json with its
// credential helpers, in podman's auth.json and in Helm's registry/config.json, in
// this order; a place without a login for a repository leaves it to the next. A login
// for HOST/PATH is for that path and below it alone. Where all have nothing for one
// of Google's registries, the service account key that GOOGLE_APPLICATION_CREDENTIALS
// names is used. Nothing is read before a registry is asked. Its errors are those of
// files that cannot be read and of helpers that fail, without what they hold or print.
func Keychain(getenv func(string) string) authn.Keychain {
	return keychain{authFiles{getenv}, googleKey{getenv}}
}

type keychain struct {
	files  authFiles
	google googleKey
}

// Resolve implements [authn.Keychain].
func (k keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	fromFile, err := k.files.Resolve(target)
	if _, missing := fromFile.(missingHelper); err != nil || fromFile != authn.Anonymous && !missing {
		return fromFile, err
	}
	fromKey, err := k.google.Resolve(target)
	if err == nil && fromKey == authn.Anonymous {
		return fromFile, nil
	}
	return fromKey, err
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

	mu      sync.Mutex
	known   map[string]bool          // hosts that credentials were found for
	missing map[string]missingHelper // by host
	owners  map[string][]string      // the hosts that a secret is for
	held    map[string]string        // by the host of a login, the host that did not get it
}

func newLogins(inner authn.Keychain) *logins {
	return &logins{inner: inner, known: map[string]bool{}, missing: map[string]missingHelper{}, owners: map[string][]string{}, held: map[string]string{}}
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
	if missing, ok := auth.(missingHelper); ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.missing[target.RegistryStr()] = missing
		return authn.Anonymous, nil
	}
	config, err := authn.Authorization(ctx, auth)
	if err != nil {
		return nil, &Error{Kind: Credentials, sentence: fmt.Sprintf("cannot get the credentials for %s: %s", target.RegistryStr(), credentialsError(err))}
	}
	l.secrets.note(config.Password, config.Auth, config.IdentityToken, config.RegistryToken)
	l.own(target.RegistryStr(), config)
	return auth, nil
}

// hasFor reports whether credentials were found for a host.
func (l *logins) hasFor(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[host]
}

// helperFor tells which helper would have known the login at a host, and is not
// installed; empty where none is missing.
func (l *logins) helperFor(host string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if missing, ok := l.missing[host]; ok {
		return " (" + missing.String() + ")"
	}
	return ""
}

// credentialsError tells what went wrong, without what a credential helper printed,
// which the library adds.
func credentialsError(err error) string {
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
