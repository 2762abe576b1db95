package registry

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A request whose token has ended is sent again with its whole body, by the same call. A
// library that gives a manifest's body only once is no hindrance.
func TestBodyIsSentAgain(t *testing.T) {
	for path, again := range map[string]func(*strings.Reader) func() (io.ReadCloser, error){
		"/v2/a/blobs/uploads/1": func(r *strings.Reader) func() (io.ReadCloser, error) {
			return func() (io.ReadCloser, error) {
				_, err := r.Seek(0, io.SeekStart)
				return io.NopCloser(r), err
			}
		},
		"/v2/a/manifests/1": func(r *strings.Reader) func() (io.ReadCloser, error) {
			return func() (io.ReadCloser, error) { return io.NopCloser(r), nil }
		},
	} {
		var got []string
		tokens := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/token":
				tokens++
				fmt.Fprintf(w, `{"token":"%d"}`, tokens)
				return
			case r.Method == http.MethodPut:
				body, _ := io.ReadAll(r.Body)
				got = append(got, r.Header.Get("Authorization")+" "+string(body))
				if len(got) == 2 {
					w.WriteHeader(http.StatusCreated)
					return
				}
			}
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="x"`, r.Host))
			w.WriteHeader(http.StatusUnauthorized)
		}))
		defer server.Close()
		c, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		repository, err := c.Repository(server.Listener.Addr().String() + "/a")
		if err != nil {
			t.Fatal(err)
		}
		content := strings.NewReader("content")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://"+server.Listener.Addr().String()+path, io.NopCloser(content))
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength, req.GetBody = content.Size(), again(content)
		resp, err := c.Transport(Access{Repository: repository, Push: true}).RoundTrip(req)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		_ = resp.Body.Close()
		if want := "Bearer 1 content, Bearer 2 content"; resp.StatusCode != http.StatusCreated || strings.Join(got, ", ") != want {
			t.Errorf("%s: %d after %q, want %s", path, resp.StatusCode, got, want)
		}
	}
}
