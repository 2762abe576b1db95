//go:build !unix

package gitrepo

// trusted asks for nothing: owners are of another kind here.
func (l *Local) trusted() error { return nil }
