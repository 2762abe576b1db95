package mirror

import (
	"errors"
	"io"

	"github.com/regclient/regclient/types/blob"
	"github.com/regclient/regclient/types/errs"
)

// counted is a blob that is read, again from its start where it is sent again.
type counted struct {
	reader   *blob.BReader
	progress func(int64)
	read     int64
	wrong    string // what the last read found: not the bytes of the digest, or not all
	failed   bool   // whether the last read did
}

func (c *counted) Read(part []byte) (int, error) {
	n, err := c.reader.Read(part)
	c.read += int64(n)
	c.progress(int64(n))
	c.failed = err != nil && err != io.EOF
	switch {
	case err == nil || err == io.EOF:
		c.wrong = ""
		return n, err
	case errors.Is(err, errs.ErrShortRead), errors.Is(err, io.ErrUnexpectedEOF):
		c.wrong = "stopped in the middle"
	case errors.Is(err, errs.ErrDigestMismatch), errors.Is(err, errs.ErrSizeLimitExceeded):
		c.wrong = "sent other bytes"
	default:
		return n, err
	}
	return n, errors.New(c.wrong) // the library's error holds io.EOF, which would look like the end
}

func (c *counted) Seek(offset int64, whence int) (int64, error) {
	at, err := c.reader.Seek(offset, whence)
	if err == nil && whence == io.SeekStart {
		c.progress(-c.read)
		c.read = 0
	}
	return at, err
}
