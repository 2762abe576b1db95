package registry

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
)

// auths is a file with one login for each key, whose user is named in it.
func auths(users map[string]string) string {
	var entries []string
	for key, user := range users {
		entries = append(entries, fmt.Sprintf(`%q:{"auth":%q}`, key, base64.StdEncoding.EncodeToString([]byte(user+":"+canaryPassword))))
	}
	return `{"auths":{` + strings.Join(entries, ",") + `}}`
}

// userFor asks the keychain for a repository.
func userFor(t *testing.T, repository string) string {
	t.Helper()
	auth, err := authn.Resolve(t.Context(), Keychain(os.Getenv), resource(t, repository))
	if err != nil {
		t.Fatal(err)
	}
	config, err := auth.Authorization()
	if err != nil {
		t.Fatal(err)
	}
	return config.Username
}

// The rules are those of containers-auth.json(5), "FORMAT": the most specific key of
// host/namespace/repo, host/namespace and host. Docker's files have hosts and
// addresses as keys.
func TestLoginOfTheLongestPath(t *testing.T) {
	tests := map[string]struct {
		users map[string]string // by key
		want  map[string]string // by repository
	}{
		"folders of one registry": {
			map[string]string{"r.test/a/b": "inner", "r.test/a": "outer", "r.test": "all", "r.test/ab": "other"},
			map[string]string{"r.test/a/b": "inner", "r.test/a/b/c": "inner", "r.test/a/bc": "outer", "r.test/a/x": "outer", "r.test/x": "all", "other.test/a/b": ""},
		},
		"another folder's login": {
			map[string]string{"r.test/other": "other", "r.test/another": "another"},
			map[string]string{"r.test/a": "", "r.test/others": "", "r.test/other": "other"},
		},
		"ports": {
			map[string]string{"r.test:5000/a": "port", "r.test": "none"},
			map[string]string{"r.test:5000/a/b": "port", "r.test:5000/b": "", "r.test/a/b": "none"},
		},
		"addresses, as docker wrote them": {
			map[string]string{"https://r.test/v1/": "address", "https://index.docker.io/v1/": "hub"},
			map[string]string{"r.test/a": "address", "docker.io/library/a": "hub"},
		},
		"Docker Hub as podman writes it": {
			map[string]string{"docker.io": "hub", "docker.io/prefect": "team"},
			map[string]string{"docker.io/prefect/server": "team", "index.docker.io/library/a": "hub"},
		},
		"a key and an address of one host": {
			map[string]string{"https://r.test": "address", "r.test": "host"},
			map[string]string{"r.test/a": "host"},
		},
		"two addresses of one host": {
			map[string]string{"https://r.test/v1/": "first", "https://r.test/v2/": "second"},
			map[string]string{"r.test/a": "first"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			home(t, auths(test.users))
			for range 8 { // a map has many orders
				for repository, want := range test.want {
					if got := userFor(t, repository); got != want {
						t.Errorf("the user for %s is %q, want %q", repository, got, want)
					}
				}
			}
		})
	}
}

func TestTheNextFileIsAsked(t *testing.T) {
	dir := home(t, auths(map[string]string{"docker.test": "docker", "both.test": "docker"}))
	write := func(path, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want map[string]string) {
		t.Helper()
		for host, want := range want {
			if got := userFor(t, host+"/charts/app"); got != want {
				t.Errorf("the user at %s is %q, want %q", host, got, want)
			}
		}
	}
	configs := filepath.Join(dir, "configs")
	t.Setenv("XDG_CONFIG_HOME", configs)
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(dir, "run"))
	write(filepath.Join(dir, "run", "containers", "auth.json"), auths(map[string]string{"podman.test": "podman", "both.test": "podman"}))
	write(filepath.Join(configs, "containers", "auth.json"), auths(map[string]string{"podman.test": "later", "lasting.test": "podman"}))
	write(filepath.Join(configs, "helm", "registry", "config.json"), auths(map[string]string{"helm.test": "helm"}))
	check(map[string]string{"docker.test": "docker", "both.test": "docker", "podman.test": "podman", "lasting.test": "podman", "helm.test": "helm", "none.test": ""})

	named := filepath.Join(dir, "named.json")
	write(named, auths(map[string]string{"both.test": "named"}))
	t.Setenv("REGISTRY_AUTH_FILE", named)
	check(map[string]string{"both.test": "named", "docker.test": "docker", "podman.test": "", "helm.test": "helm"})

	t.Setenv("DOCKER_AUTH_CONFIG", auths(map[string]string{"both.test": "variable"}))
	check(map[string]string{"both.test": "variable", "docker.test": "docker"})

	write(filepath.Join(dir, "helm.json"), auths(map[string]string{"helm.test": "named"}))
	t.Setenv("HELM_REGISTRY_CONFIG", filepath.Join(dir, "helm.json"))
	check(map[string]string{"helm.test": "named"})
}

func TestMissingHelperIsSaidWhereALoginIsWanted(t *testing.T) {
	home(t, `{"credsStore":"nowhere"}`)
	f := newFake(t)
	ref, _, _ := f.push(t, "app", "1.0.0")
	ask := func() error {
		c, _ := f.client(t, Options{Keychain: Keychain(os.Getenv)})
		_, err := c.Chart(t.Context(), ref)
		return err
	}
	if err := ask(); err != nil {
		t.Errorf("a registry without logins: %v", err)
	}
	wantsToken(f, canaryUser, canaryPassword)
	checkError(t, ask(), BadLogin, f.host+" wants a login: docker login "+f.host+" (docker-credential-nowhere, which "+filepath.Join(os.Getenv("HOME"), "config.json")+" names, is not installed here)")

	t.Setenv("REGISTRY_AUTH_FILE", filepath.Join(t.TempDir(), "auth.json"))
	if err := os.WriteFile(os.Getenv("REGISTRY_AUTH_FILE"), []byte(`{"credHelpers":{"`+f.host+`":"nothing"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	helper(t, "nothing", "echo credentials not found in native keychain; exit 1")
	checkError(t, ask(), BadLogin, "docker-credential-nowhere")
	helper(t, "nowhere", fmt.Sprintf(`echo '{"ServerURL":"x","Username":%q,"Secret":%q}'`, canaryUser, canaryPassword))
	if err := ask(); err != nil {
		t.Errorf("the helper of the next file: %v", err)
	}
}
