package registry

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// uploads are the addresses of those that were begun and did not end, by path.
type uploads struct {
	mu        sync.Mutex
	open      map[string]*url.URL
	elsewhere map[string]bool // addresses, by host and path, that another host gave for an upload
}

// note follows an upload through the answers about it.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
func (u *uploads) note(req *http.Request, resp *http.Response) {
	if !strings.Contains(req.URL.Path, "/uploads/") && !u.has(req.URL.Path) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case resp.StatusCode == http.StatusAccepted && (req.Method == http.MethodPost || req.Method == http.MethodPatch):
		if to, err := resp.Location(); err == nil {
			delete(u.open, req.URL.Path)
			u.open[to.Path] = to
			if to.Host != req.URL.Host {
				u.elsewhere[to.Host+to.Path] = true
			}
		}
	case resp.StatusCode < http.StatusMultipleChoices && (req.Method == http.MethodPut || req.Method == http.MethodDelete):
		delete(u.open, req.URL.Path)
	}
}

func (u *uploads) has(path string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.open[path] != nil
}

// isElsewhere reports whether another host sent an upload to an address.
func (u *uploads) isElsewhere(at *url.URL) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.elsewhere[at.Host+at.Path]
}

// maxCancel bounds how long uploads are cancelled: a program that is interrupted
// has to end soon.
const maxCancel = 2 * time.Second

// CancelUploads tells registries that what was begun to be uploaded will not be
// finished, also where the context has ended. It says nothing of registries that do
// not care: they drop such uploads by themselves.
func (t *Transport) CancelUploads(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxCancel)
	defer cancel()
	t.uploads.mu.Lock()
	var all []*url.URL
	for _, at := range t.uploads.open {
		all = append(all, at)
	}
	t.uploads.mu.Unlock()
	var group sync.WaitGroup
	for _, at := range all {
		group.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodDelete, at.String(), nil)
			if err != nil {
				return
			}
			if resp, err := t.RoundTrip(req); err == nil {
				_ = resp.Body.Close()
			}
		})
	}
	group.Wait()
}
