// Package gitrepo puts files into Git repositories, at the level of objects,
// with go-git, the way a careful person would with the git program.
//
// There are two places to put files into, and both take [Changes]:
//
//   - [Local] is a repository with a working tree. [Local.Commit] makes a
//     commit on top of HEAD. Only the paths of the changes are touched, in the
//     commit and in the index: what the user staged or edited elsewhere stays.
//     [Local.Push] has git push it; if others were faster it stays as it is.
//   - [Remote] is a branch of a repository that has no checkout here. What of it
//     is needed is fetched into memory, whatever its history, the commit is
//     pushed, and a lost race is run again on the new base.
//
// In both, blobs and trees are built in memory from those of the base, unchanged
// folders are taken over by their hash, and exactly the new objects are stored,
// or sent, as one pack. No commit reads or hashes the working tree.
//
// In a checkout the git program answers what is Git's: its settings.Config, who
// commits, attributes and ignored files; and it pushes. How often it is run does not
// depend on how many files there are. A Remote, and reading commits of a Local, do
// without: what they need of the configuration is in the usual files.
//
// # What differs from the git program
//
//   - GIT_DIR, GIT_WORK_TREE and GIT_INDEX_FILE are ignored: the folder says
//     which repository is meant.
//   - Hooks of a commit are not run. [Local.Hooks] names those that git would have
//     run. The pre-push hook is git's to run.
//   - Replacement objects (refs/replace) and grafts are not followed.
//   - What Git would store differently from the bytes it is given, because of
//     attributes, is normalised (line ends, $Id$) or refused by the attribute's
//     name (filter, working-tree-encoding).
//   - Without an identity there is no commit: none is made up from the names of
//     user and host.
//
// # Crashes
//
// A commit writes the pack, then moves the branch, then replaces the index;
// each is a rename of a whole file that was synced before. Killed at any point,
// the repository is whole, and running again finishes the job: our lock files
// are held with a lock of the operating system as well, so a lock whose process
// is gone is known for what it is, and taken over.
package gitrepo

import (
	"context"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// ErrUnchanged says that there is nothing to commit.
var ErrUnchanged = errors.New("nothing to commit")

// Changes says what is to become of files. Paths have slashes and are below the
// folder that was opened. Nothing else is touched.
type Changes struct {
	Write  tree.Tree // files by path, with the bytes they are to have
	Remove []string  // files that are to be gone; one that is not there is no error
}

// Signature says who made a commit, and when.
type Signature = settings.Signature

// Message is the text of a commit.
type Message struct {
	Text     string
	Trailers []Trailer // appended as git interpret-trailers does
}

// Result describes a commit that was made.
type Result struct {
	Hash    string   // in hexadecimal
	Branch  string   // its short name; empty where HEAD is detached
	Written []string // the files that differ from the base, sorted
	Removed []string // the files that are gone, sorted
	// Unstaged lists the files of ours whose staged content differed from HEAD's and
	// ours: it is no longer staged.
	Unstaged []string
}

// System holds what the package may reach outside of its arguments.
type System = settings.System

// RemoteError says why a remote repository does not answer, in a sentence without
// credentials.
type RemoteError = transport.Error

// Raced is the kind of a [RemoteError] after other commits were faster, every time.
const Raced = transport.Raced

// NewSystem returns a system with a real wait and real chance.
func NewSystem(getenv func(string) string, environ []string, now func() time.Time) System {
	return System{Getenv: getenv, Environ: environ, Now: now, Sleep: wait, Random: rand.Float64}
}

func wait(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
		return nil
	}
}

// Trailer is a line at the end of a commit's message, "Key: value".
type Trailer struct{ Key, Value string }

var (
	trailerLine = regexp.MustCompile(`^[A-Za-z0-9-]+[ \t]*:`)
	// What git itself writes marks a paragraph as trailers even if a quarter of
	// it only is of their form.
	gitTrailer = regexp.MustCompile(`^(Signed-off-by: |\(cherry picked from commit )`)
)

// String returns the message as Git stores it: lines without white space at their
// ends, one empty line between paragraphs, and the trailers at the end, in the
// way of git interpret-trailers: in the paragraph of trailers that is there, or
// in one of their own; a trailer that repeats the last one is left out.
// https://git-scm.com/docs/git-interpret-trailers
func (m Message) String() string {
	lines := cleanLines(m.Text)
	start := trailerBlock(lines)
	if len(m.Trailers) > 0 && start == len(lines) && len(lines) > 0 {
		lines = append(lines, "")
	}
	for _, trailer := range m.Trailers {
		line := trailer.Key + ": " + strings.Join(strings.Fields(trailer.Value), " ")
		if len(lines) == 0 || lines[len(lines)-1] != line {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// Trailers returns the trailers of a commit's message, in their order, as git
// interpret-trailers --parse does. A value that goes on in other lines has the first alone.
func Trailers(message string) (found []Trailer) {
	lines := cleanLines(message)
	for _, line := range lines[trailerBlock(lines):] {
		if key, value, is := strings.Cut(line, ":"); is && trailerLine.MatchString(line) {
			found = append(found, Trailer{strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	return found
}

// subject returns the message's first paragraph in one line, as reflogs have it.
func (m Message) subject() string {
	first, _, _ := strings.Cut(m.String(), "\n\n")
	return strings.Join(strings.Fields(first), " ")
}

// cleanLines does what git stripspace does.
func cleanLines(text string) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\x00", ""), "\n") {
		line = strings.TrimRight(line, " \t\r\v\f")
		if line == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, line)
	}
	if len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// trailerBlock finds the start of the last paragraph if it is one of trailers, or
// else the end. The first paragraph, the title, never is.
func trailerBlock(lines []string) int {
	start := len(lines)
	for start > 0 && lines[start-1] != "" {
		start--
	}
	if start == 0 {
		return len(lines)
	}
	trailers, others, known := 0, 0, false
	for _, line := range lines[start:] {
		switch {
		case gitTrailer.MatchString(line):
			known = true
			trailers++
		case trailerLine.MatchString(line):
			trailers++
		case strings.HasPrefix(line, " ") && trailers+others > 0: // goes on
		default:
			others++
		}
	}
	if trailers > 0 && others == 0 || known && trailers*3 >= others {
		return start
	}
	return len(lines)
}
