package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/rollout"
)

// Capabilities reads the cluster's version and what its API serves, sorted.
// Unread names the API versions that are registered and do not answer.
func (c *Client) Capabilities(ctx context.Context) (recorded apis.Recorded, unread []string, err error) {
	config := rest.CopyConfig(c.config)
	config.Timeout = requestTime
	reads, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return apis.Recorded{}, nil, &Error{Kind: BadConfig, sentence: fmt.Sprintf("read the kubeconfig: %s", err)}
	}
	version, err := reads.ServerVersionWithContext(ctx)
	if err != nil {
		return apis.Recorded{}, nil, c.explainDiscovery("the version of Kubernetes", err)
	}
	groups, resources, err := reads.ServerGroupsAndResourcesWithContext(ctx)
	failed, partly := discovery.GroupDiscoveryFailedErrorGroups(err)
	if err != nil && !partly {
		return apis.Recorded{}, nil, c.explainDiscovery("the API versions", err)
	}
	for group := range failed {
		unread = append(unread, group.String())
	}
	slices.Sort(unread)
	return apis.NewRecorded(version.GitVersion, served(groups, resources)), unread, nil
}

// served sorts what discovery says. A kind of several resources is listed if
// one of them can be listed and watched.
func served(groups []*metav1.APIGroup, resources []*metav1.APIResourceList) []apis.API {
	kinds := map[string]map[string]bool{}
	for _, group := range groups {
		for _, version := range group.Versions {
			kinds[version.GroupVersion] = map[string]bool{}
		}
	}
	for _, list := range resources {
		if kinds[list.GroupVersion] == nil {
			kinds[list.GroupVersion] = map[string]bool{}
		}
		for _, r := range list.APIResources {
			if r.Kind != "" {
				kinds[list.GroupVersion][r.Kind] = kinds[list.GroupVersion][r.Kind] || slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "watch")
			}
		}
	}
	var all []apis.API
	for _, version := range slices.Sorted(maps.Keys(kinds)) {
		api := apis.API{Version: version}
		for _, kind := range slices.Sorted(maps.Keys(kinds[version])) {
			if kinds[version][kind] {
				api.Kinds = append(api.Kinds, kind)
			} else {
				api.Unlisted = append(api.Unlisted, kind)
			}
		}
		all = append(all, api)
	}
	return all
}

// explainDiscovery says why discovery failed. Every login may read it, unless
// an administrator took that away.
func (c *Client) explainDiscovery(subject string, err error) error {
	switch {
	case apierrors.IsForbidden(err):
		return &Error{Kind: Forbidden, subject: subject, sentence: "the login may not: the ClusterRole system:discovery allows it"}
	case apierrors.IsNotFound(err), strings.Contains(err.Error(), "unable to parse the server version"):
		return &Error{Kind: NotServed, subject: subject, sentence: c.host + " does not answer as an API server of Kubernetes does"}
	}
	return c.explain(subject, err, rollout.Query{})
}
