package registry

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
)

// restarting is the body of a request that starts again when the request is sent once
// more: where a token has expired, the library gets another and repeats the request,
// whose body is spent by then.
type restarting struct {
	io.ReadCloser
	again func() (io.ReadCloser, error) // nil where it cannot start again
	sent  bool
}

// restartable gives a request a body that may be sent again. A manifest is kept in
// memory for that; the library's own way gives the spent body once more.
func restartable(req *http.Request) error {
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	again := req.GetBody
	if strings.Contains(req.URL.Path, "/manifests/") {
		content, err := io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return err
		}
		again = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
		req.Body, _ = again()
	}
	req.Body = &restarting{ReadCloser: req.Body, again: again}
	return nil
}

// errSpent is a body that was sent, and cannot be sent again.
var errSpent = errors.New("the body of the request is spent")

// restart makes the body of a request ready to be sent, and gives it.
func restart(req *http.Request) (io.ReadCloser, error) {
	body, ok := req.Body.(*restarting)
	if !ok {
		return req.Body, nil
	}
	if body.sent {
		if body.again == nil {
			return nil, errSpent
		}
		fresh, err := body.again()
		if err != nil {
			return nil, err
		}
		body.ReadCloser = fresh
	}
	body.sent = true
	return body.ReadCloser, nil
}
