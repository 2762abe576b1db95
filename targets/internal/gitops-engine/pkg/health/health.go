// Package health has the health of a resource, as Argo CD reports it.
//
// It exists for the status of argo-cd's Application, which has a field of this
// type. The real package also finds the health of any object out, for which it
// needs the Go types of most of Kubernetes.
package health

// HealthStatusCode is how well a resource is.
type HealthStatusCode string

// The codes, each spelled as Argo CD writes it into a status.
const (
	HealthStatusUnknown     HealthStatusCode = "Unknown"     // could not be found out
	HealthStatusProgressing HealthStatusCode = "Progressing" // not healthy, but may become so
	HealthStatusHealthy     HealthStatusCode = "Healthy"
	HealthStatusSuspended   HealthStatusCode = "Suspended" // paused on purpose
	HealthStatusDegraded    HealthStatusCode = "Degraded"  // did not become healthy
	HealthStatusMissing     HealthStatusCode = "Missing"   // not in the cluster
)
