package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// gitProgram is the git program, run in one place. A nil one is that there is none.
type gitProgram struct {
	sys  System
	path string
	dir  string // a working tree; empty outside of any repository
	pwd  string // the same folder, by the name that the user has for it
}

// findGit looks for the git program. It gives nil where there is none.
func findGit(sys System, dir string) *gitProgram {
	path, err := lookPath(sys, "git")
	if err != nil {
		return nil
	}
	return &gitProgram{sys, path, dir, dir}
}

// ofRepository is the variables that say which repository is meant (git rev-parse
// --local-env-vars). The folder says that here.
var ofRepository = []string{
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX",
	"GIT_NAMESPACE", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
}

// environ gives the environment of git: nobody is asked on a terminal, and
// messages are in English, for we read them. An author or a committer that is empty
// is not set, as systems for continuous integration have it.
func (g *gitProgram) environ() []string {
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

// command prepares a run of git.
func (g *gitProgram) command(ctx context.Context, args ...string) *exec.Cmd {
	return g.prepare(exec.CommandContext(ctx, g.path), args)
}

// prepare gives a run of git what every one gets. A file system monitor would be a
// program of the repository's configuration.
func (g *gitProgram) prepare(cmd *exec.Cmd, args []string) *exec.Cmd {
	cmd.Args = append([]string{"git", "-c", "core.fsmonitor=false"}, args...)
	cmd.Dir, cmd.Env = g.dir, g.environ()
	return cmd
}

// ask runs git for an answer that takes no server, and so no time. More is
// variables of the environment.
func (g *gitProgram) ask(in string, more []string, args ...string) (string, error) {
	cmd := g.prepare(exec.Command(g.path), args)
	cmd.Env = append(cmd.Env, more...)
	return runGit(cmd, in)
}

// runGit runs git with what is on standard input, and gives its output. The error
// is a [GitError].
func runGit(cmd *exec.Cmd, in string) (string, error) {
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &said
	err := cmd.Run()
	if err == nil {
		return out.String(), nil
	}
	failed := &GitError{Code: -1, said: said.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		failed.Code = exit.ExitCode()
	}
	if strings.TrimSpace(failed.said) == "" {
		failed.said = err.Error()
	}
	return out.String(), failed
}

// GitError is that the git program failed.
type GitError struct {
	Code int // that it ended with, negative if it did not
	said string
}

// Error gives the line that git died with, fit for a terminal.
func (e *GitError) Error() string {
	said := e.said
	for line := range strings.Lines(e.said) {
		if rest, fatal := strings.CutPrefix(line, "fatal: "); fatal {
			said = rest
			break
		}
	}
	return oneLine(said)
}

// knownAs tells git what the user calls the working tree: a folder seen from it is
// where the user is. Configuration may be included for a link that leads there.
func (g *gitProgram) knownAs(dir, prefix string) {
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

// lookPath finds a program by the PATH of the system.
func lookPath(sys System, name string) (string, error) {
	if sys.Getenv("PATH") == "" {
		return "", exec.ErrNotFound
	}
	for _, dir := range strings.Split(sys.Getenv("PATH"), string(filepath.ListSeparator)) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(dir) {
			return found, nil
		}
	}
	return "", exec.ErrNotFound
}

// listConfig gives the configuration that git reads, in whole or, with arguments,
// a part of it.
func (g *gitProgram) listConfig(args ...string) (configuration, error) {
	out, err := g.ask("", nil, append(append([]string{"config"}, args...), "--list", "-z")...)
	if err != nil {
		return nil, fmt.Errorf("read Git's configuration: %w", err)
	}
	values := configuration{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		key, value, set := strings.Cut(entry, "\n")
		if !set {
			value = "true" // a name alone
		}
		values[key] = append(values[key], value)
	}
	return values, nil
}
