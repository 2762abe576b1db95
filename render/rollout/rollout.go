// Package rollout judges how far an environment is in a cluster: what is
// ready, what waits for what and why, and what to do next. It is told what the
// cluster holds, and says before what it wants to know. Like package render it
// never touches disk, network, clock or environment variables.
package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/pm-gitops/pm-gitops/render"
)

// Rollout is an environment that is looked for in a cluster.
type Rollout struct {
	plan   render.Plan
	target render.Target
	wanted objects
}

// Check refuses a target whose environments nothing in a cluster knows.
func Check(target render.Target) error {
	if target.Traits(render.Delivery{}).Controller == render.NoController {
		return fmt.Errorf("the %s target cannot report status: no controller in the cluster knows the environment", target.Name())
	}
	return nil
}

// New looks for a plan as its target's manifests have it in a cluster: what
// is there under the same names is compared with them. The target must pass
// [Check].
func New(plan render.Plan, target render.Target, manifests []render.Manifest) (Rollout, error) {
	if err := Check(target); err != nil {
		return Rollout{}, err
	}
	r := Rollout{plan, target, objects{}}
	for _, manifest := range manifests {
		for _, text := range documents(manifest.YAML) {
			var object unstructured.Unstructured
			data, err := yaml.ToJSON(text)
			if err == nil {
				err = object.UnmarshalJSON(data)
			}
			if err != nil {
				return Rollout{}, fmt.Errorf("read what is rendered for %s: %w", manifest.Source, err)
			}
			r.wanted.add(object)
		}
	}
	return r, nil
}

// Query is objects of one kind that a report is made from.
type Query struct {
	Group, Version, Resource string
	Kind                     string
	Older                    string // the version of it where Version is not served
	Namespace                string
	Fields                   string // that the objects must have, as a field selector
	Workloads                bool   // they are where the releases are installed
	Optional                 bool   // without them the verdict is the same, and says less
}

// String names the objects for a person.
func (q Query) String() string {
	name := q.Resource
	if q.Group != "" {
		name += "." + q.Group
	}
	return fmt.Sprintf("%s in namespace %q", name, q.Namespace)
}

// Unread is objects that could not be read, and why.
type Unread struct {
	Query
	Why string
}

// Seen is what a cluster holds of the queries.
type Seen struct {
	Objects []unstructured.Unstructured
	Unread  []Unread
}

// The API groups of the delivery systems.
const (
	kustomizeGroup = "kustomize.toolkit.fluxcd.io"
	helmGroup      = "helm.toolkit.fluxcd.io"
	sourceGroup    = "source.toolkit.fluxcd.io"
	argoGroup      = "argoproj.io"
)

// Queries is what a report is made from. Secrets and ConfigMaps are never
// among it.
func (r Rollout) Queries() []Query {
	queries := view{Rollout: r}.controller().queries()
	for _, namespace := range r.namespaces() {
		for _, kind := range [...]Query{
			{Group: "apps", Version: "v1", Resource: "deployments", Kind: "Deployment"},
			{Group: "apps", Version: "v1", Resource: "statefulsets", Kind: "StatefulSet"},
			{Group: "apps", Version: "v1", Resource: "daemonsets", Kind: "DaemonSet"},
			{Group: "batch", Version: "v1", Resource: "jobs", Kind: "Job"},
			{Version: "v1", Resource: "pods", Kind: "Pod"},
			{Version: "v1", Resource: "events", Kind: "Event", Fields: "type=Warning"},
		} {
			kind.Namespace, kind.Workloads, kind.Optional = namespace, true, true
			queries = append(queries, kind)
		}
	}
	return queries
}

// namespaces is where releases are installed, sorted.
func (r Rollout) namespaces() []string {
	var names []string
	for _, release := range r.plan.Releases() {
		names = append(names, release.Namespace)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Elsewhere reports whether the releases are installed in another cluster than
// the one that the delivery system is in, and which one that is.
func (r Rollout) Elsewhere() (cluster string, ok bool) {
	return view{Rollout: r}.controller().elsewhere()
}

// Report judges what a cluster was seen to hold.
func (r Rollout) Report(seen Seen) Environment {
	v := view{Rollout: r, live: objects{}}
	for _, object := range seen.Objects {
		v.live.add(object)
	}
	v.warnings = warnings(v.live)
	e := Environment{Name: r.plan.Environment, Target: r.target.Name(), Title: r.target.Traits(r.plan.Delivery).Title}
	v.controller().fill(&e)
	for _, release := range e.Releases() {
		v.details(release)
	}
	e.Notes = notes(seen.Unread)
	e.conclude()
	return e
}

// notes says what was not looked at, a line for each namespace.
func notes(unread []Unread) []string {
	resources, whys := map[string][]string{}, map[string]string{}
	for _, one := range unread {
		resources[one.Namespace] = append(resources[one.Namespace], one.Resource)
		whys[one.Namespace] = or(whys[one.Namespace], one.Why)
	}
	var all []string
	for _, namespace := range slices.Sorted(maps.Keys(resources)) {
		all = append(all, say(fmt.Sprintf("not looked at in namespace %q: %s: %s", namespace, strings.Join(resources[namespace], ", "), whys[namespace])))
	}
	return all
}

// conclude gives the whole its state, and takes what to do next from the first
// part that is not ready and knows: a failed one before all others.
func (e *Environment) conclude() {
	parts := []Part{e.Source, e.Prereqs}
	for _, release := range e.Releases() {
		parts = append(parts, release.Part)
	}
	e.State = Ready
	best := -1
	for _, part := range parts {
		e.State = worse(e.State, part.State)
		if rank := severity[part.State]; part.Next != "" && part.State != Ready && rank > best {
			best, e.Next = rank, part.Next
		}
	}
	if e.State == NotYet && e.Next == "" {
		e.Next = "wait: it goes on by itself"
	}
}

// view is a rollout, and what a cluster holds of it.
type view struct {
	Rollout
	live     objects
	warnings []event // the newest last
}

// controller is what knows, in a cluster, how far an environment is.
type controller interface {
	// queries returns the controller's own objects.
	queries() []Query
	// elsewhere answers [Rollout.Elsewhere].
	elsewhere() (cluster string, ok bool)
	// fill judges source, prerequisites and waves.
	fill(*Environment)
}

// controller chooses the controller that the target writes for; see [Check].
func (v view) controller() controller {
	if v.target.Traits(v.plan.Delivery).Controller == render.ArgoCD {
		return argo{v}
	}
	return flux{v}
}

// release is a release before anything is known of it.
func (v view) release(planned render.Release) Release {
	return Release{
		Part: Part{Name: planned.Key}, HelmRelease: planned.Name, Namespace: planned.Namespace, Wanted: planned.Chart.Version,
	}
}

// object is the name of the delivery system's object for a part of the environment.
func (v view) object(part string) string { return v.plan.Environment + "-" + part }
