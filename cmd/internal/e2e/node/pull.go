//go:build e2e

package node

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
)

// Login opens a registry that gives images only with one.
type Login struct{ Username, Password string }

// locked is a registry whose images come only with a login, and must be there.
type locked struct {
	login     Login
	transport http.RoundTripper
}

// Lock says that images of a registry, HOST:PORT, come only with a login, and that they
// are looked for there, by way of a transport.
func (a *Agent) Lock(host string, login Login, transport http.RoundTripper) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.locked[host] = locked{login, transport}
}

// pull says why an image of a locked registry does not come. An image that came once
// stays on the node.
func (a *Agent) pull(pod *corev1.Pod, image string) error {
	host, _, _ := strings.Cut(image, "/")
	a.mu.Lock()
	registry, isLocked := a.locked[host]
	pulled := a.pulled[image]
	a.mu.Unlock()
	if !isLocked {
		return nil
	}
	if !a.hasLogin(pod, host, registry.login) {
		return fmt.Errorf("failed to pull image %q: 401 Unauthorized", image)
	}
	if pulled {
		return nil
	}
	ref, err := name.ParseReference(image)
	if err != nil {
		return fmt.Errorf("failed to pull image %q: %w", image, err)
	}
	login := authn.FromConfig(authn.AuthConfig{Username: registry.login.Username, Password: registry.login.Password})
	if _, err := remote.Head(ref, remote.WithAuth(login), remote.WithTransport(registry.transport)); err != nil {
		return fmt.Errorf("failed to pull image %q: %w", image, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pulled[image] = true
	return nil
}

// hasLogin reports whether a pull secret of a pod has a login for a registry.
func (a *Agent) hasLogin(pod *corev1.Pod, host string, want Login) bool {
	for _, ref := range pod.Spec.ImagePullSecrets {
		secret, err := a.secrets.Secrets(pod.Namespace).Get(ref.Name)
		if err != nil {
			continue // as a kubelet, which then pulls without
		}
		var config struct {
			Auths map[string]struct {
				Username, Password string
				Auth               []byte
			}
		}
		if json.Unmarshal(secret.Data[corev1.DockerConfigJsonKey], &config) != nil {
			continue
		}
		has := config.Auths[host]
		if has.Username == want.Username && has.Password == want.Password || string(has.Auth) == want.Username+":"+want.Password {
			return true
		}
	}
	return false
}
