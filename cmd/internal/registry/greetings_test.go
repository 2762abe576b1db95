package registry

import (
	"net/http"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
)

// A host is asked once how to log in, whatever the number of its repositories, and again
// after an answer that says nothing about that.
func TestTransportGreetsAHostOnce(t *testing.T) {
	f := newFake(t)
	c, _ := f.client(t, Options{})
	var access []Access
	for _, path := range []string{"a", "b", "c"} {
		repository, err := name.NewRepository(f.host + "/" + path)
		if err != nil {
			t.Fatal(err)
		}
		access = append(access, Access{Repository: repository})
	}
	transport := c.Transport(access...)
	get := func(path string) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+f.host+"/v2/"+path+"/manifests/1", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	f.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusNotImplemented)
		return true
	})
	if err := get("a"); err == nil {
		t.Error("no error from a host that does not answer to /v2/")
	}
	f.interfere(nil)
	f.asked("/v2/")
	for _, path := range []string{"a", "b", "c"} {
		if err := get(path); err != nil {
			t.Error(err)
		}
	}
	f.mu.Lock()
	requests := f.requests
	f.mu.Unlock()
	if len(requests) != 4 || requests[0] != "GET /v2/" {
		t.Errorf("requests: %q, want one for /v2/, and one for each repository", requests)
	}
}
