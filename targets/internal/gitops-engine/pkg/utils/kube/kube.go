// Package kube has the key of an object in a cluster.
//
// It exists for a method of argo-cd's ApplicationStatus that looks a resource
// up. The real package also runs kubectl's commands as a library, and is thus
// what brings k8s.io/kubectl along.
package kube

// ResourceKey tells an object from all others in a cluster, whatever version of
// its group it is read in.
type ResourceKey struct {
	Group     string
	Kind      string
	Namespace string // empty for what belongs to no namespace
	Name      string
}

// NewResourceKey is the key of the four parts.
func NewResourceKey(group, kind, namespace, name string) ResourceKey {
	return ResourceKey{Group: group, Kind: kind, Namespace: namespace, Name: name}
}
