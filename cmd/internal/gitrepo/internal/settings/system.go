// Package settings answers what Git's settings say of a repository or a user: the
// configuration, who commits, and what attributes and ignore rules make of a file.
// Where there is a checkout it asks the git program.
package settings

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// System holds what the package may reach outside of its arguments.
type System struct {
	// Getenv is the environment: Git's own variables, HOME and the like.
	Getenv func(string) string
	// Environ is the environment that programs get: ssh-keygen, gpg, git credential.
	Environ []string
	// Now is the clock.
	Now func() time.Time
	// Sleep waits, or returns the context's error as soon as it has one.
	Sleep func(context.Context, time.Duration) error
	// Random is a number from 0 up to 1, so that those who wait do not do so in step.
	Random func() float64
	// Login, where it is set, returns a login for a repository by its URL of https. It is
	// asked before variables and Git's own ways; nil leaves the URL to these.
	Login func(ctx context.Context, url string) (*Login, error)
}

// Login holds a user and a password, or token, for one origin.
type Login struct {
	User, Password string
	From           string // where it was found, for messages
}

// Home returns the user's home folder, or "".
func (s System) Home() string {
	if home := s.Getenv("HOME"); home != "" || runtime.GOOS != "windows" {
		return home
	}
	return s.Getenv("USERPROFILE")
}

// Expand makes ~/ the home folder, and a relative path one below a folder.
func (s System) Expand(name, dir string) string {
	if rest, found := strings.CutPrefix(name, "~/"); found {
		return filepath.Join(s.Home(), rest)
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// lookPath finds a program by the PATH of the system, and in no folder that PATH
// names relative to the working directory.
func (s System) lookPath(name string) (string, error) {
	for _, dir := range filepath.SplitList(s.Getenv("PATH")) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(dir) {
			return found, nil
		}
	}
	return "", exec.ErrNotFound
}

// Reason returns an error of the operating system without operation and path, which
// our own message has.
func Reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}
