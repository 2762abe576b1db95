package settings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Program runs the git program in one folder. It is nil where there is no git.
type Program struct {
	sys  System
	path string
	dir  string // a working tree; empty outside of any repository
	pwd  string // the same folder, by the name that the user has for it
}

// FindGit looks for the git program, to be run in a working tree, or, where dir is
// empty, outside of any repository. It returns nil where there is no git.
func FindGit(sys System, dir string) *Program {
	path, err := sys.lookPath("git")
	if err != nil {
		return nil
	}
	return &Program{sys, path, dir, dir}
}

// ofRepository lists the variables that name a repository (git rev-parse
// --local-env-vars). Here the folder names it.
var ofRepository = []string{
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX",
	"GIT_NAMESPACE", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
}

// environ returns the environment of git: it never prompts, and messages are in
// English, for we read them. An author or a committer that is empty is not set, as
// systems for continuous integration have it.
func (g *Program) environ() []string {
	env := slices.DeleteFunc(slices.Clone(g.sys.Environ), func(variable string) bool {
		name, value, _ := strings.Cut(variable, "=")
		person := strings.HasPrefix(name, "GIT_AUTHOR_") || strings.HasPrefix(name, "GIT_COMMITTER_")
		return slices.Contains(ofRepository, name) || person && value == ""
	})
	env = append(env, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "LANGUAGE=C")
	if g.dir == "" {
		return append(env, "GIT_DIR="+os.DevNull)
	}
	return append(env, "PWD="+g.pwd)
}

// Command prepares a run of git.
func (g *Program) Command(ctx context.Context, args ...string) *exec.Cmd {
	return g.prepare(exec.CommandContext(ctx, g.path), args)
}

// prepare sets what every run of git gets. A file system monitor would be a
// program of the repository's configuration.
func (g *Program) prepare(cmd *exec.Cmd, args []string) *exec.Cmd {
	cmd.Args = append([]string{"git", "-c", "core.fsmonitor=false"}, args...)
	cmd.Dir, cmd.Env = g.dir, g.environ()
	return cmd
}

// Ask runs git for an answer that takes no server, and so no time. More holds
// variables of the environment.
func (g *Program) Ask(in string, more []string, args ...string) (string, error) {
	cmd := g.prepare(exec.Command(g.path), args)
	cmd.Env = append(cmd.Env, more...)
	return RunGit(cmd, in)
}

// RunGit runs git with what is on standard input, and returns its output. The error
// is a [GitError]. A writer for standard error that is set gets the same.
func RunGit(cmd *exec.Cmd, in string) (string, error) {
	var out, said bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stderr = io.Discard
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, io.MultiWriter(&said, cmd.Stderr)
	err := cmd.Run()
	if err == nil {
		return out.String(), nil
	}
	failed := &GitError{Code: -1, Said: said.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		failed.Code = exit.ExitCode()
	}
	if strings.TrimSpace(failed.Said) == "" {
		failed.Said = err.Error()
	}
	return out.String(), failed
}

// GitError says that the git program failed.
type GitError struct {
	Code int    // the exit code, negative where git did not end by itself
	Said string // on standard error
}

// Error returns the line that git died with, fit for a terminal.
func (e *GitError) Error() string {
	said := e.Said
	for line := range strings.Lines(e.Said) {
		if rest, fatal := strings.CutPrefix(line, "fatal: "); fatal {
			said = rest
			break
		}
	}
	return text.FirstLine(said)
}

// KnownAs tells git the user's name of the working tree: dir is the folder where the
// user is, prefix that folder seen from the working tree. Configuration may be
// included for a link that leads there.
func (g *Program) KnownAs(dir, prefix string) {
	if g == nil {
		return
	}
	at := dir
	if prefix != "" {
		at = filepath.Join(dir, strings.Repeat("../", strings.Count(prefix, "/")+1))
	}
	named, err := os.Stat(at)
	if real, realErr := os.Stat(g.dir); err == nil && realErr == nil && os.SameFile(named, real) {
		g.pwd = at
	}
}

// listConfig returns the configuration that git reads, in whole or, with arguments,
// a part of it.
func (g *Program) listConfig(args ...string) (Config, error) {
	out, err := g.Ask("", nil, append(append([]string{"config"}, args...), "--list", "-z")...)
	if err != nil {
		return nil, fmt.Errorf("read Git's configuration: %w", err)
	}
	values := Config{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		key, value, set := strings.Cut(entry, "\n")
		if !set {
			value = "true" // a name alone
		}
		values = append(values, Setting{key, value})
	}
	return values, nil
}
