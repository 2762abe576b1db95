// Package cluster reads what is in a Kubernetes cluster, and nothing but reads:
// no request that changes anything, and none for a Secret or a ConfigMap, leaves
// the program, whatever else is wrong with it.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc" // kubectl takes such kubeconfigs
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/pm-gitops/pm-gitops/render/rollout"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Options says which cluster is meant, the way kubectl does.
type Options struct {
	Kubeconfig string // a file; else those of $KUBECONFIG, ~/.kube/config, or the pod's own account
	Context    string // else the current one
}

// Client reads from one cluster.
type Client struct {
	objects dynamic.Interface
	raw     rest.Interface // for logs, which are no objects
	config  *rest.Config
	host    string
}

const (
	requestTime = 30 * time.Second // of one request
	atOnce      = 8                // requests side by side
	pageSize    = 500              // objects of one answer
	maxPages    = 20               // of one kind in one namespace
	maxLog      = 64 << 10         // bytes of one log
)

// Open finds the cluster that is meant. It sends no request yet.
func Open(o Options) (*Client, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath, rules.WarnIfAllMissing = o.Kubeconfig, false
	overrides := &clientcmd.ConfigOverrides{CurrentContext: o.Context}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, &Error{Kind: NoConfig, sentence: "there is no kubeconfig: nothing says which cluster is meant"}
	}
	if err != nil {
		return nil, badConfig(err)
	}
	return newClient(config)
}

// badConfig says what is wrong with a kubeconfig. The library repeats addresses that
// it cannot parse, such as those of proxies with their passwords.
func badConfig(err error) *Error {
	return &Error{Kind: BadConfig, sentence: "read the kubeconfig: " + text.Address(strings.TrimPrefix(err.Error(), "invalid configuration: "))}
}

func newClient(config *rest.Config) (*Client, error) {
	config.UserAgent = "pm-gitops"
	config.QPS, config.Burst = 50, 100
	config.WarningHandler = rest.NoWarnings{}
	server, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, badConfig(err)
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return reader{next, originOf(server)} })
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, badConfig(err)
	}
	raw, err := rest.UnversionedRESTClientFor(dynamic.ConfigFor(config))
	if err != nil {
		return nil, badConfig(err)
	}
	return &Client{objects, raw, config, text.Address(config.Host)}, nil
}

// originOf gives the scheme, host and port of an address.
func originOf(at *url.URL) string { return at.Scheme + "://" + at.Host }

// reader lets requests through that only read, none for what may be secret, and none
// to another server than the kubeconfig names: the library adds the login to every
// request, those that follow a redirect too.
type reader struct {
	next   http.RoundTripper
	origin string
}

// errRefused is a request that this program must never send.
var errRefused = errors.New("refused to send")

// redirectError is an answer that sends a request elsewhere.
type redirectError struct{ from, to string }

func (e redirectError) Error() string {
	return fmt.Sprintf("%s sends this request on to %s, which the login is not for: name the right server in the kubeconfig", e.from, e.to)
}

func (r reader) RoundTrip(request *http.Request) (*http.Response, error) {
	if to := originOf(request.URL); to != r.origin {
		return nil, redirectError{r.origin, to}
	}
	path := request.URL.Path
	if request.Method != http.MethodGet || hasSegment(path, "secrets") || hasSegment(path, "configmaps") || hasSegment(path, "exec") || hasSegment(path, "proxy") {
		return nil, fmt.Errorf("%w %s %s", errRefused, request.Method, path)
	}
	return r.next.RoundTrip(request)
}

// hasSegment reports whether a path has a name in it. An object of that name,
// which no query asks for by path, is refused as well.
func hasSegment(path, name string) bool { return strings.Contains(path+"/", "/"+name+"/") }

// Read reads the objects of queries. What an optional one cannot have is noted
// with the result; where any other fails, the error is an [Error].
func (c *Client) Read(ctx context.Context, queries []rollout.Query) (rollout.Seen, error) {
	answers, failures := make([][]unstructured.Unstructured, len(queries)), make([]error, len(queries))
	sideBySide(len(queries), func(i int) { answers[i], failures[i] = c.list(ctx, queries[i]) })
	var seen rollout.Seen
	for i, query := range queries {
		err := failures[i]
		if ctx.Err() != nil {
			return seen, fmt.Errorf("read %s: %w", query, ctx.Err())
		}
		if err != nil && !query.Optional {
			return seen, c.explain(query.String(), err, query)
		}
		if err != nil {
			seen.Unread = append(seen.Unread, rollout.Unread{Query: query, Why: c.explain("", err, query).Error()})
		}
		seen.Objects = append(seen.Objects, answers[i]...)
	}
	return seen, nil
}

// list reads all objects of a query, in the older version of their kind where
// the newer one is not served.
func (c *Client) list(ctx context.Context, query rollout.Query) ([]unstructured.Unstructured, error) {
	found, err := c.listAs(ctx, query, query.Version)
	if apierrors.IsNotFound(err) && query.Older != "" {
		return c.listAs(ctx, query, query.Older)
	}
	return found, err
}

func (c *Client) listAs(ctx context.Context, query rollout.Query, version string) ([]unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	kind := c.objects.Resource(schema.GroupVersionResource{Group: query.Group, Version: version, Resource: query.Resource}).Namespace(query.Namespace)
	options := metav1.ListOptions{Limit: pageSize, FieldSelector: query.Fields}
	var all []unstructured.Unstructured
	for range maxPages {
		page, err := kind.List(ctx, options)
		if err != nil {
			return nil, err
		}
		for _, object := range page.Items {
			if object.GetKind() == "" { // items of a list need not say what they are
				object.SetKind(query.Kind)
			}
			all = append(all, object)
		}
		if options.Continue = page.GetContinue(); options.Continue == "" {
			return all, nil
		}
	}
	return all, nil
}

// Log is the last lines of a container's log.
func (c *Client) Log(ctx context.Context, namespace, pod, container string, lines int) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	request := c.raw.Get().AbsPath("api", "v1", "namespaces", namespace, "pods", pod, "log").
		Param("tailLines", fmt.Sprint(lines)).Param("limitBytes", fmt.Sprint(maxLog))
	if container != "" {
		request = request.Param("container", container)
	}
	data, err := request.DoRaw(ctx)
	if err != nil {
		return "", c.explain(fmt.Sprintf("log of pod %s in namespace %q", pod, namespace), err, rollout.Query{Resource: "pods/log", Namespace: namespace})
	}
	return string(data), nil
}

// Contexts is the contexts of a kubeconfig, as far as it can be read.
func Contexts(kubeconfig string) []string {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath, rules.WarnIfAllMissing = kubeconfig, false
	config, err := rules.Load()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(config.Contexts))
}
