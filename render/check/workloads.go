package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

func workloadChecks() []Check {
	return []Check{{
		ID: "singleton-replicas", Severity: finding.Error,
		Title:  "A service that must run once runs more than once",
		Why:    "Services of the kind loop each do their work for the whole installation: two of them do it twice, or fight. Which services are loops the catalog says (loops), or a label of the chart's.",
		Fix:    "Set one replica, and no autoscaler.",
		Source: "https://docs-self-managed.prefect.io/overview/prefect-services",
		each:   singletonReplicas,
	}, {
		ID: "load-balancer", Severity: finding.Warning,
		Title:  "A load balancer may hold the next wave",
		Why:    "A Service of type LoadBalancer is ready only once it has an address. Where nothing gives it one, its release never is, and what needs the release waits for ever.",
		Fix:    "Use ClusterIP or NodePort where the cluster has no load balancers, or move the Service into the last wave.",
		Source: "https://argo-cd.readthedocs.io/en/stable/operator-manual/health/#service",
		each:   loadBalancer,
	}, {
		ID: "embedded-database", Severity: finding.Warning,
		Title:  "The chart runs its own database",
		Why:    "An embedded database has one node and no backup, and its major version changes with the chart. It is never for production.",
		Fix:    "Set spec.database.",
		Source: "https://docs-customer-managed.prefect.io/overview/deploying-customer-managed",
		all:    embeddedDatabase,
	}, {
		ID: "embedded-redis", Severity: finding.Warning,
		Title:  "The chart runs its own Redis",
		Why:    "An embedded Redis has one node and forgets what it holds when it restarts. It is never for production.",
		Fix:    "Set spec.redis.",
		Source: "https://docs-customer-managed.prefect.io/overview/deploying-customer-managed",
		all:    embeddedRedis,
	}}
}

// loop reports whether a workload must run once: the catalog or a label says so.
func (s *scope) loop(o *object) bool {
	if o.release.Key == render.PrefectCloud && slices.Contains(s.Plan.Loops(), o.Name) {
		return true
	}
	for _, labels := range []any{at(o.tree, "metadata", "labels"), at(o.tree, "spec", "template", "metadata", "labels")} {
		for _, value := range mapping(labels) {
			if scalar(value) == "loop" {
				return true
			}
		}
	}
	return false
}

func singletonReplicas(s *scope, r *release) {
	for _, o := range r.objects {
		if !o.is("Deployment", "StatefulSet", "ReplicaSet", "DaemonSet") || !s.loop(o) {
			continue
		}
		if replicas, ok := number(at(o.tree, "spec", "replicas")); ok && replicas > 1 {
			s.tooMany(o, "spec.replicas", replicas)
		}
		if o.is("DaemonSet") {
			f := o.finding("kind", "the service is a loop, of which there must be one, and a DaemonSet runs one on each node")
			s.add(f)
		}
		if strategy := scalar(at(o.tree, "spec", "strategy", "type")); o.is("Deployment") && strategy != "Recreate" {
			f := o.finding("spec.strategy.type", "the service is a loop, of which there must be one, and a rolling update runs the old and the new one side by side")
			f.Severity, f.Fix = finding.Info, "let the chart use the strategy Recreate, if it can"
			s.add(f)
		}
		for _, scaler := range r.objects {
			target := at(scaler.tree, "spec", "scaleTargetRef")
			most, _ := number(at(scaler.tree, "spec", "maxReplicas"))
			if scaler.is("HorizontalPodAutoscaler") && scalar(at(target, "kind")) == o.Kind && scalar(at(target, "name")) == o.Name && most != 1 {
				s.tooMany(scaler, "spec.maxReplicas", most)
			}
		}
	}
}

// tooMany tells of a loop that runs, or may run, more than once.
func (s *scope) tooMany(o *object, field string, replicas int64) {
	f := o.finding(field, "the service is a loop, of which there must be one: %d of them do its work more than once", replicas)
	f.Fix = "set 1"
	set := s.putValue(&f, o.release, func(path string, value any) bool {
		n, ok := number(value)
		return ok && n == replicas && lastKey(path) == lastKey(field) && strings.Contains(path, o.Name)
	})
	if set != "" {
		f.Set = []finding.Proposal{{Field: set, Value: 1}}
		f.Fix = fmt.Sprintf("set %s: 1", set)
	}
	s.add(f)
}

// awaited is the releases that wait until a release is ready.
func (s *scope) awaited(r *release) []string {
	var waiting []string
	for i, wave := range s.Plan.Waves {
		for _, other := range wave {
			if slices.Contains(other.Needs, r.Key) || s.Traits.WholeWaves && i > r.wave {
				waiting = append(waiting, other.Key)
			}
		}
	}
	return waiting
}

func loadBalancer(s *scope, r *release) {
	waiting := s.awaited(r)
	for _, o := range r.objects {
		if !o.is("Service") || scalar(at(o.tree, "spec", "type")) != "LoadBalancer" || waiting == nil {
			continue
		}
		f := o.finding("spec.type", "the Service is ready only once a load balancer gave it an address, and %s waits for that", strings.Join(waiting, ", "))
		f.Fix = "use ClusterIP or NodePort where the cluster has no load balancers"
		s.putValue(&f, r, func(_ string, value any) bool { return scalar(value) == "LoadBalancer" })
		s.add(f)
	}
}

// databases and caches are what images of such programs are called.
var (
	databases = []string{"postgres", "postgresql", "postgis", "mysql", "mariadb", "mongo", "mongodb", "cockroach"}
	caches    = []string{"redis", "redis-stack-server", "valkey", "keydb", "dragonfly"}
)

// database is a database that the release runs itself, nil without one.
func (r *release) database() *object { return r.running(databases) }

// running is the first workload that runs one of some images.
func (r *release) running(programs []string) *object {
	for _, o := range r.objects {
		if !o.is("StatefulSet", "Deployment") {
			continue
		}
		for _, p := range o.pods() {
			for _, c := range p.Containers() {
				ref, err := ref.ParseImage(scalar(c.Spec["image"]))
				if err == nil && slices.Contains(programs, ref.Repository[strings.LastIndex(ref.Repository, "/")+1:]) {
					return o
				}
			}
		}
	}
	return nil
}

func embeddedDatabase(s *scope) {
	s.embedded("spec.database", "database", s.Environment.Spec.Database != nil, databases)
}

func embeddedRedis(s *scope) {
	s.embedded("spec.redis", "Redis", s.Environment.Spec.Redis != nil, caches)
}

// embedded tells of a program that prefect-cloud runs itself, though a field
// would name another, or does.
func (s *scope) embedded(field, program string, external bool, programs []string) {
	i := slices.IndexFunc(s.releases, func(r *release) bool { return r.Key == render.PrefectCloud })
	if i < 0 {
		return
	}
	r := s.releases[i]
	o := r.running(programs)
	f := r.finding("there is no %s: the chart starts its embedded %s, which is not for production", field, program)
	switch {
	case o == nil && external:
		return
	case o != nil && external:
		f = o.finding("", "the chart starts its embedded %s although %s is set", program, field)
	case o != nil:
		f = o.finding("", "%s", f.Message)
	}
	f.Fix = "set " + field
	s.put(&f, field)
	s.add(f)
}
