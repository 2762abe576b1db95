package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/credentials"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"helm.sh/helm/v3/pkg/helmpath"
)

// authFiles are the files in which docker, podman and helm keep logins. The first
// that has one for a repository answers.
type authFiles struct{ getenv func(string) string }

// source names a place that logins may be kept in, and gives its content.
type source struct {
	name string
	read func() (string, error)
}

// sources lists the places in the order in which they are asked. What a variable
// names comes before what lies in a usual place.
//
// https://docs.docker.com/reference/cli/docker/#environment-variables,
// containers-auth.json(5), https://helm.sh/docs/helm/helm/
func (a authFiles) sources() []source {
	var all []source
	file := func(path string) {
		all = append(all, source{path, func() (string, error) {
			content, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return "", nil
			}
			return string(content), err
		}})
	}
	if content := a.getenv(configfile.DockerEnvConfigKey); content != "" {
		all = append(all, source{"$" + configfile.DockerEnvConfigKey, func() (string, error) { return content, nil }})
	}
	podman := a.getenv("REGISTRY_AUTH_FILE")
	if podman != "" {
		file(podman)
	}
	home, _ := os.UserHomeDir()
	switch dir := a.getenv("DOCKER_CONFIG"); {
	case dir != "":
		file(filepath.Join(dir, "config.json"))
	case home != "":
		file(filepath.Join(home, ".docker", "config.json"))
	}
	if dir := a.getenv("XDG_RUNTIME_DIR"); podman == "" && dir != "" && runtime.GOOS == "linux" {
		file(filepath.Join(dir, "containers", "auth.json"))
	}
	switch dir := a.getenv("XDG_CONFIG_HOME"); {
	case podman != "":
	case dir != "":
		file(filepath.Join(dir, "containers", "auth.json"))
	case home != "":
		file(filepath.Join(home, ".config", "containers", "auth.json"))
	}
	if path := a.getenv("HELM_REGISTRY_CONFIG"); path != "" {
		file(path)
	} else {
		file(helmpath.ConfigPath("registry", "config.json"))
	}
	return all
}

// Resolve implements [authn.Keychain]. A credential helper that is not installed
// is like a file without a login, but the answer says so: see [missingHelper].
func (a authFiles) Resolve(target authn.Resource) (authn.Authenticator, error) {
	var missing authn.Authenticator = authn.Anonymous
	for _, source := range a.sources() {
		content, err := source.read()
		if err != nil {
			return nil, fmt.Errorf("read logins: %w", err)
		}
		if strings.TrimSpace(content) == "" {
			continue
		}
		file, err := config.LoadFromReader(strings.NewReader(content))
		if err != nil {
			return nil, authFileError{source.name, err}
		}
		login, err := loginIn(file, target)
		var absent *exec.Error
		switch {
		case errors.As(err, &absent):
			if missing == authn.Anonymous {
				missing = missingHelper{absent.Name, source.name}
			}
		case err != nil:
			return nil, err
		case login != (types.AuthConfig{}):
			return authn.FromConfig(authn.AuthConfig{
				Username:      login.Username,
				Password:      login.Password,
				Auth:          login.Auth,
				IdentityToken: login.IdentityToken,
				RegistryToken: login.RegistryToken,
			}), nil
		}
	}
	return missing, nil
}

// loginIn finds a file's login for a repository, or gives an empty one. The helper
// for the host comes first, as docker and podman have it, then the login for the
// longest part of the repository's path, then the helper for all hosts, then the
// login for the host. The error is an [exec.Error] where a helper is not installed.
func loginIn(file *configfile.ConfigFile, target authn.Resource) (types.AuthConfig, error) {
	host := target.RegistryStr()
	if suffix := file.CredentialHelpers[plainHost(host)]; suffix != "" {
		return askHelper(file, suffix, host)
	}
	for key := repositoryKey(target.String()); strings.Contains(key, "/"); key = path.Dir(key) {
		if login := withoutAddress(file.AuthConfigs[key]); login != (types.AuthConfig{}) {
			return login, nil
		}
	}
	if file.CredentialsStore != "" {
		login, err := askHelper(file, file.CredentialsStore, host)
		if err != nil || login != (types.AuthConfig{}) {
			return login, err
		}
	}
	if login := withoutAddress(file.AuthConfigs[plainHost(host)]); login != (types.AuthConfig{}) {
		return login, nil
	}
	for _, key := range slices.Sorted(maps.Keys(file.AuthConfigs)) {
		login := withoutAddress(file.AuthConfigs[key])
		if hostOfKey(key) == plainHost(host) && login != (types.AuthConfig{}) {
			return login, nil
		}
	}
	return types.AuthConfig{}, nil
}

// askHelper asks a credential helper for the login at a host.
func askHelper(file *configfile.ConfigFile, suffix, host string) (types.AuthConfig, error) {
	if _, err := exec.LookPath("docker-credential-" + suffix); err != nil {
		return types.AuthConfig{}, err
	}
	if host == name.DefaultRegistry {
		host = authn.DefaultAuthKey
	}
	// The store adds what the file says of the host, which is not asked here.
	login, err := credentials.NewNativeStore(configfile.New(file.Filename), suffix).Get(host)
	return withoutAddress(login), err
}

// withoutAddress leaves out the host that a login repeats, so that one that says
// nothing else counts as none.
func withoutAddress(login types.AuthConfig) types.AuthConfig {
	login.ServerAddress = ""
	return login
}

// hostOfKey gives the host of a key without a path, or of an address, as docker wrote
// them once (https://HOST/v1/), and nothing for HOST/PATH, which is for that path alone.
func hostOfKey(key string) string {
	stripped := strings.TrimPrefix(strings.TrimPrefix(key, "http://"), "https://")
	host, path, _ := strings.Cut(stripped, "/")
	if stripped == key && path != "" {
		return ""
	}
	return plainHost(host)
}

// plainHost gives Docker Hub the name that people write.
func plainHost(host string) string {
	if host == name.DefaultRegistry {
		return "docker.io"
	}
	return host
}

func repositoryKey(repository string) string {
	host, rest, _ := strings.Cut(repository, "/")
	return plainHost(host) + "/" + rest
}

// missingHelper is no login, since the program that keeps it is not installed.
type missingHelper struct{ program, file string }

// Authorization implements [authn.Authenticator].
func (missingHelper) Authorization() (*authn.AuthConfig, error) { return &authn.AuthConfig{}, nil }

func (m missingHelper) String() string {
	return fmt.Sprintf("%s, which %s names, is not installed here", m.program, m.file)
}

// authFileError is a file that does not read as docker writes it. Its text holds
// nothing of the file.
type authFileError struct {
	file  string
	cause error
}

func (e authFileError) Error() string { return e.file + " does not read as docker login writes it" }
func (e authFileError) Unwrap() error { return e.cause }
