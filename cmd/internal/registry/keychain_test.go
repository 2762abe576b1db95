package registry

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// resource is a repository as the library asks keychains for it.
func resource(t *testing.T, text string) authn.Resource {
	t.Helper()
	repository, err := name.NewRepository(text)
	if err != nil {
		t.Fatal(err)
	}
	return repository
}

// home makes a home folder with a Docker configuration.
func home(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("REGISTRY_AUTH_FILE", "")
	t.Setenv("DOCKER_AUTH_CONFIG", "")
	t.Setenv("HELM_REGISTRY_CONFIG", "")
	t.Setenv("HELM_CONFIG_HOME", "")
	if config != "" {
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// helper puts a credential helper into the search path.
func helper(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-"+name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

func TestKeychainReadsWhatDockerAndPodmanWrote(t *testing.T) {
	auths := fmt.Sprintf(`{"auths":{"r.company.test":{"username":%q,"password":%q}}}`, canaryUser, canaryPassword)
	answer := fmt.Sprintf(`echo '{"ServerURL":"x","Username":%q,"Secret":%q}'`, canaryUser, canaryPassword)
	tests := map[string]func(t *testing.T){
		"Docker": func(t *testing.T) { home(t, auths) },
		"Podman": func(t *testing.T) {
			dir := home(t, "")
			if err := os.MkdirAll(filepath.Join(dir, "containers"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "containers", "auth.json"), []byte(auths), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"a helper for the host": func(t *testing.T) {
			home(t, `{"credHelpers":{"r.company.test":"test"}}`)
			helper(t, "test", answer)
		},
		"a helper for all": func(t *testing.T) {
			home(t, `{"credsStore":"test"}`)
			helper(t, "test", answer)
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			prepare(t)
			auth, err := authn.Resolve(t.Context(), Keychain(os.Getenv), resource(t, "r.company.test/charts/app"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := auth.Authorization()
			if err != nil || got.Username != canaryUser || got.Password != canaryPassword {
				t.Errorf("Resolve = user %q, %v", got.Username, err)
			}
		})
	}
	home(t, "")
	if auth, err := authn.Resolve(t.Context(), Keychain(os.Getenv), resource(t, "r.company.test/charts/app")); err != nil || auth != authn.Anonymous {
		t.Errorf("Resolve without any configuration = %v, %v; want nobody", auth, err)
	}
}

func TestBrokenCredentialsAreNoSecretInAnError(t *testing.T) {
	tests := map[string]struct {
		prepare func(t *testing.T)
		want    string
	}{
		"no JSON":      {func(t *testing.T) { home(t, `{"auths":{"r":`+canaryPassword) }, "config.json does not read as docker login writes it"},
		"wrong type":   {func(t *testing.T) { home(t, `{"auths":{"r":{"identitytoken":42`+`}},"x":"`+canaryPassword+`"}`) }, "config.json does not read as docker login writes it"},
		"wrong base64": {func(t *testing.T) { home(t, `{"auths":{"r":{"auth":"`+canaryPassword+`!"}}}`) }, "cannot get the credentials for r.company.test: "},
		"helper fails": {func(t *testing.T) {
			home(t, `{"credsStore":"test"}`)
			helper(t, "test", "echo the token is "+canaryToken+"; exit 1")
		}, "cannot get the credentials for r.company.test: error getting credentials - err: exit status 1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.prepare(t)
			f := newFake(t)
			c, _ := f.client(t, Options{Keychain: Keychain(os.Getenv)})
			_, err := c.Chart(t.Context(), Ref{Repository: "r.company.test/charts/app", Version: "1.0.0"})
			checkError(t, err, Credentials, test.want)
		})
	}
}

// docker login keeps a service account's key as it is or in base64; each character of it
// gets to the registry.
// https://cloud.google.com/artifact-registry/docs/docker/authentication#json-key
func TestServiceAccountKeyInDockersFile(t *testing.T) {
	key, err := json.MarshalIndent(map[string]string{"type": "service_account", "private_key": canaryKey + "\n:\\", "client_email": "a@b.c"}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for user, password := range map[string]string{"_json_key": string(key), "_json_key_base64": base64.StdEncoding.EncodeToString(key)} {
		f := newFake(t)
		ref, _, _ := f.push(t, "app", "1.0.0")
		home(t, fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, f.host, base64.StdEncoding.EncodeToString([]byte(user+":"+password))))
		wantsToken(f, user, password)
		c, _ := f.client(t, Options{Keychain: Keychain(os.Getenv)})
		if _, err := c.Chart(t.Context(), ref); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
}

func TestServiceAccountKeyIsThePasswordAtGoogle(t *testing.T) {
	home(t, `{"auths":{"eu-docker.pkg.dev":{"username":"docker","password":"x"}}}`)
	key, err := json.MarshalIndent(map[string]string{"type": "service_account", "private_key": canaryKey}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.json")
	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(string(key))
	getenv := func(name string) string {
		if name == googleVariable {
			return path
		}
		return os.Getenv(name)
	}
	for host, want := range map[string]string{
		"us-docker.pkg.dev": "_json_key", "gcr.io": "_json_key", "eu.gcr.io": "_json_key",
		"eu-docker.pkg.dev": "docker", // Docker's configuration comes first
		"evilpkg.dev":       "", "pkg.dev.evil.test": "", "notgcr.io": "", "ghcr.io": "",
	} {
		auth, err := authn.Resolve(t.Context(), Keychain(getenv), resource(t, host+"/p/charts/app"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := auth.Authorization()
		if err != nil || got.Username != want || want == "_json_key" && got.Password != string(key) {
			t.Errorf("user at %s is %q, %v; want %q", host, got.Username, err, want)
		}
	}

	const google = "us-docker.pkg.dev"
	caFile, certificate := authority(t, google)
	f := newFake(t, certificate)
	cache := t.TempDir()
	ask := func() error {
		c, _ := f.client(t, Options{CAFile: caFile, Keychain: Keychain(getenv), Cache: cache})
		f.dials(c)
		_, err := c.Chart(t.Context(), Ref{Repository: google + "/p/charts/app", Version: "1.0.0"})
		return err
	}
	wantsToken(f, "_json_key", string(key))
	checkError(t, ask(), NoRepository, google+" has no repository p/charts/app")
	wantsToken(f, "somebody", "else") // which repeats what it was given
	checkError(t, ask(), BadLogin, google+" refuses the login that it was given, which may have expired: docker login "+google+", or GOOGLE_APPLICATION_CREDENTIALS with the file of a service account's key")
	write(`{"type":"authorized_user","refresh_token":"` + canaryToken + `"}`) // no password
	checkError(t, ask(), BadLogin, google+" wants a login: docker login "+google+", or GOOGLE_APPLICATION_CREDENTIALS with the file of a service account's key")
	write(canaryKey)
	checkError(t, ask(), Credentials, "the file that GOOGLE_APPLICATION_CREDENTIALS names is no JSON")
	path += "x"
	checkError(t, ask(), Credentials, "read the file that GOOGLE_APPLICATION_CREDENTIALS names: open "+path)
	checkFolder(t, cache)
}
