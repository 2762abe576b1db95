package cluster

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cluster/clustertest"
	"github.com/pm-gitops/pm-gitops/render/rollout"
)

// TestLoginGoesToItsOwnServer: a redirect to another scheme, host or port is refused,
// and both are named.
func TestLoginGoesToItsOwnServer(t *testing.T) {
	var got []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	for _, to := range []string{other.URL, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), "http://ada:" + clustertest.Token + "@" + other.Listener.Addr().String()} {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, to+r.URL.Path, http.StatusTemporaryRedirect)
		}))
		client, err := newClient(&rest.Config{Host: server.URL, BearerToken: clustertest.Token, TLSClientConfig: rest.TLSClientConfig{Insecure: true}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Read(t.Context(), []rollout.Query{listPods})
		shown := "http://" + to[strings.LastIndexAny(to, "@/")+1:]
		if err == nil || !strings.Contains(err.Error(), server.URL+" sends this request on to "+shown+", which") || strings.Contains(err.Error(), clustertest.Token) {
			t.Errorf("Read = %v, want the redirect from %s to %s refused", err, server.URL, shown)
		}
		server.Close()
	}
	if got != nil {
		t.Errorf("another server got the logins %q", got)
	}
}

// TestAddressesShowNoLogin: neither those that can be read nor those that cannot.
func TestAddressesShowNoLogin(t *testing.T) {
	for _, host := range []string{"https://ada:" + clustertest.Token + "@127.0.0.1:1", "https://127.0.0.1:1?token=" + clustertest.Token, "https://ada:%zz" + clustertest.Token + "@host"} {
		client, err := newClient(&rest.Config{Host: host})
		if err == nil {
			_, err = client.Read(t.Context(), []rollout.Query{listPods})
		}
		if err == nil || strings.Contains(err.Error(), clustertest.Token) {
			t.Errorf("the error of %s: %v", host, err)
		}
		t.Log(err)
	}
}
