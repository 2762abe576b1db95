package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/pm-gitops/pm-gitops/render/rollout"
)

// Kind is what went wrong, for a command that can say what to do about it.
type Kind int

// The kinds of [Error].
const (
	Other       Kind = iota
	NoConfig         // no kubeconfig
	BadConfig        // a kubeconfig that cannot be used
	Unreachable      // nobody answers there
	Unavailable      // the API server is out of order, or has too much to do
	BadLogin         // the login is refused (401)
	Forbidden        // it does not suffice (403)
	NotServed        // the cluster does not know the kind
)

// Error is why a cluster has no answer: one sentence, with what was asked for
// before it.
type Error struct {
	Kind     Kind
	Query    rollout.Query // what was asked for, if anything was
	subject  string
	sentence string
}

func (e *Error) Error() string {
	if e.subject == "" {
		return e.sentence
	}
	return "read " + e.subject + ": " + e.sentence
}

// Passing reports whether a cluster may answer later without anybody doing anything.
func Passing(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Kind == Unreachable || e.Kind == Unavailable)
}

// explain says why a request failed.
func (c *Client) explain(subject string, err error, query rollout.Query) error {
	e := &Error{Other, query, subject, clip(err.Error())}
	var network *url.Error
	var redirect redirectError
	switch {
	case errors.As(err, &redirect):
		e.Kind, e.sentence = BadConfig, redirect.Error()
	case apierrors.IsUnauthorized(err):
		e.Kind, e.sentence = BadLogin, c.host+" refuses the login of the kubeconfig"
	case apierrors.IsForbidden(err):
		e.Kind, e.sentence = Forbidden, fmt.Sprintf("the login may not %s %s in namespace %q", verb(query), resource(query), query.Namespace)
	case apierrors.IsNotFound(err) && query.Resource != "pods/log":
		e.Kind, e.sentence = NotServed, "the cluster does not know the kind "+query.Kind
	case apierrors.IsTooManyRequests(err), apierrors.IsServiceUnavailable(err), apierrors.IsInternalError(err), apierrors.IsServerTimeout(err), apierrors.IsTimeout(err):
		e.Kind, e.sentence = Unavailable, fmt.Sprintf("%s is out of order: %s", c.host, clip(err.Error()))
	case errors.Is(err, context.DeadlineExceeded):
		e.Kind, e.sentence = Unreachable, fmt.Sprintf("%s does not answer within %s", c.host, requestTime)
	case errors.Is(err, errRefused):
	case errors.As(err, &network):
		e.Kind, e.sentence = Unreachable, fmt.Sprintf("%s is not reached: %s", c.host, clip(innermost(network).Error()))
	}
	return e
}

// verb is what a role must allow for a query.
func verb(query rollout.Query) string {
	if query.Resource == "pods/log" {
		return "get"
	}
	return "list"
}

// resource is what a role calls the objects of a query.
func resource(query rollout.Query) string {
	if query.Group == "" {
		return query.Resource
	}
	return query.Resource + "." + query.Group
}

// innermost is the error of the network itself, without the address asked.
func innermost(err *url.Error) error {
	var operation *net.OpError
	if errors.As(err.Err, &operation) {
		return operation.Err
	}
	return err.Err
}

// clip is the first line of a text, of bounded length.
func clip(text string) string {
	const most = 300
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return line
}
