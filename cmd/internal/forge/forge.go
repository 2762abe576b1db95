// Package forge opens and keeps pull requests at GitHub, GitLab and Gitea (or Forgejo),
// with one set of words: what GitLab calls a merge request is a pull request here.
//
// Every request has a time limit, and is repeated after 429, a secondary rate limit and,
// where that cannot do a thing twice, after 5xx. Tokens go to the forge's own origin
// alone, and are in no error.
package forge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Forge is a repository at a forge. Errors of its methods are an [Error].
type Forge interface {
	// Limits says what the forge cannot do.
	Limits() Limits

	// Account gives the name of the account whose token is used. Comments and pull
	// requests of others are nothing that we said.
	Account(ctx context.Context) (string, error)

	// Find gives the pull requests from a branch of this repository, in whatever
	// state, the newest first.
	Find(ctx context.Context, head string) ([]PullRequest, error)

	// Open opens a pull request. Where there is an open one of that branch already
	// the error's kind is [Exists].
	Open(ctx context.Context, draft Draft) (PullRequest, error)

	// Edit changes what a change names, and gives the pull request as it is then.
	Edit(ctx context.Context, pr PullRequest, change Change) (PullRequest, error)

	// Close closes a pull request, and leaves its branch.
	Close(ctx context.Context, pr PullRequest) error

	// Comments gives the comments of a pull request, the oldest first.
	Comments(ctx context.Context, pr PullRequest) ([]Comment, error)

	// Comment adds a comment.
	Comment(ctx context.Context, pr PullRequest, body string) error

	// Merge has the forge merge a pull request by itself when all that the
	// repository asks for is there.
	Merge(ctx context.Context, pr PullRequest) error

	// CancelMerge takes that back. Where it was not asked for, nothing happens.
	CancelMerge(ctx context.Context, pr PullRequest) error
}

// Limits says what a forge takes.
type Limits struct {
	Body int // characters of a body
	// DraftPrefix makes a pull request a draft at the beginning of its title; empty
	// where the forge has a field for it. Titles are given and taken without it.
	DraftPrefix string
}

// State says whether a pull request is open.
type State string

// The states. Who closed a pull request no forge tells in all cases: where it was us,
// a comment of ours says so.
const (
	Opened State = "open"
	Closed State = "closed"
	Merged State = "merged"
)

// PullRequest is a pull request as the forge has it.
type PullRequest struct {
	Number int    `json:"number"`
	URL    string `json:"url"` // for people
	State  State  `json:"state"`
	Title  string `json:"title"`
	Body   string `json:"body"`
	Draft  bool   `json:"draft"`
	// Labels are in the order of their names.
	Labels     []string `json:"labels"`
	Head, Base string   `json:"-"` // branches
	Commit     string   `json:"-"` // the head's, in hexadecimal
	Author     string   `json:"-"`
	// MergedAt is when it was merged, zero if it was not.
	MergedAt time.Time `json:"-"`
	// Merges says that the forge merges it by itself. Gitea does not tell: false.
	Merges bool `json:"-"`

	node string // GitHub's name for it in GraphQL
}

// Draft describes a pull request that is to be opened.
type Draft struct {
	Head, Base  string // branches of this repository
	Title, Body string
	Labels      []string
	Draft       bool
}

// Change says what becomes of a pull request. What is nil or empty stays.
type Change struct {
	Title, Body *string
	Draft       *bool
	Add, Remove []string // labels; those that are there, or are not, already, do no harm
}

// Comment holds the words of an account about a pull request.
type Comment struct {
	Author string
	Body   string
}

// Kind says what kind of error a forge gave.
type Kind int

// The kinds of errors.
const (
	Other       Kind = iota
	NoLogin          // there is no token, or the forge does not take it
	Forbidden        // the token may not do that
	NotFound         // there is no such repository or pull request, or the token may not see it
	Exists           // there is a pull request of that branch already
	Refused          // the forge does not take what was sent
	Limited          // too many requests, and it would take too long to wait
	Unavailable      // the forge does not answer, or answers 5xx
	Changed          // it was changed by another request at the same moment
)

// Error is an error of a forge: a sentence without the token.
type Error struct {
	Kind     Kind
	sentence string
}

func (e *Error) Error() string { return e.sentence }

func errorf(kind Kind, format string, args ...any) error {
	return &Error{kind, fmt.Sprintf(format, args...)}
}

// sortLabels gives labels in their order, each once.
func sortLabels(labels []string) []string {
	slices.Sort(labels)
	return slices.Compact(labels)
}

// relabel applies a change to labels.
func relabel(labels []string, change Change) []string {
	kept := slices.DeleteFunc(slices.Clone(labels), func(name string) bool { return slices.Contains(change.Remove, name) })
	return sortLabels(append(kept, change.Add...))
}

// isKind reports whether an error is one of a kind.
func isKind(err error, kind Kind) bool {
	var known *Error
	return errors.As(err, &known) && known.Kind == kind
}
