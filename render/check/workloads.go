package check

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

func workloadChecks() []Check {
	return []Check{{
		ID: "singleton-replicas", Severity: finding.Error,
		Title:  "A service that must run once runs more than once",
		Why:    "Services of the kind loop each do their work for the whole installation: two of them do it twice, or fight. Which services are loops the catalog says (loops), or a label of the chart's.",
		Fix:    "Set one replica, and no autoscaler.",
		Source: "https://docs-self-managed.prefect.io/overview/prefect-services",
		each:   singletonReplicas, asks: asksField,
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
		Why:    "An embedded database has one node and no backup, and its major version changes with the chart. It is never for production. If spec.database is set too, the finding is an error: the services may use the embedded one, which begins empty.",
		Fix:    "Set spec.database, or switch the chart's own off in its values.",
		Source: "https://docs-customer-managed.prefect.io/overview/deploying-customer-managed",
		all:    embeddedDatabase,
	}, {
		ID: "embedded-redis", Severity: finding.Warning,
		Title:  "The chart runs its own Redis",
		Why:    "An embedded Redis has one node and forgets what it holds when it restarts. It is never for production. If spec.redis is set too, the finding is an error.",
		Fix:    "Set spec.redis, or switch the chart's own off in its values.",
		Source: "https://docs-customer-managed.prefect.io/overview/deploying-customer-managed",
		all:    embeddedRedis,
	}, {
		ID: "deleted-by-upgrade", Severity: finding.Error,
		Title:  "An upgrade deletes an object that keeps data",
		Why:    "Helm deletes what the last revision made and the next one does not. A Secret, a PersistentVolumeClaim or a StatefulSet that a template makes on a first install alone, as with .Release.IsInstall, is gone after the next upgrade: passwords, keys and volumes with it. Objects with the annotation helm.sh/resource-policy: keep stay.",
		Fix:    "Let the chart make the object on every upgrade, or annotate it with helm.sh/resource-policy: keep.",
		Source: "https://helm.sh/docs/howto/charts_tips_and_tricks/#tell-helm-not-to-uninstall-a-resource",
		each:   deletedByUpgrade,
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
	if set.Field != "" {
		propose(&f, set, int64(1), f.Fix)
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

// database finds a database that the release runs itself, nil without one.
func (r *release) database() *object { return r.running(reads.Databases()) }

// running finds the first workload that runs a program.
func (r *release) running(program reads.Program) *object {
	i := slices.IndexFunc(r.objects, func(o *object) bool { return program.RunBy(o.tree) })
	if i < 0 {
		return nil
	}
	return r.objects[i]
}

func embeddedDatabase(s *scope) {
	s.embedded("spec.database", "database", s.Environment.Spec.Database != nil, reads.Databases())
}

func embeddedRedis(s *scope) {
	s.embedded("spec.redis", "Redis", s.Environment.Spec.Redis != nil, reads.Caches())
}

// embedded tells of a program that prefect-cloud runs itself, though a field
// would name another, or does.
func (s *scope) embedded(field, program string, external bool, images reads.Program) {
	i := slices.IndexFunc(s.releases, func(r *release) bool { return r.Key == render.PrefectCloud })
	if i < 0 {
		return
	}
	r := s.releases[i]
	o := r.running(images)
	f := r.finding("there is no %s: the chart starts its embedded %s, which is not for production", field, program)
	switch {
	case o == nil && external:
		return
	case o != nil && external:
		f = o.finding("", "the chart starts its embedded %s although %s is set", program, field)
		f.Severity = finding.Error
	case o != nil:
		f = o.finding("", "%s", f.Message)
	}
	f.Fix = endEmbedded(field, program, external)
	s.put(&f, field)
	s.add(f)
}

// endEmbedded says what to do about a program that the chart runs itself, by
// whether the environment has the field that names another.
func endEmbedded(field, program string, external bool) string {
	if external {
		return fmt.Sprintf("switch the chart's own %s off in its values", program)
	}
	return "set " + field
}

// deletedByUpgrade finds objects that keep data, that an install makes and an upgrade
// with the same values does not: Helm deletes them. A Secret that the upgrade makes
// with another name and the same content loses nothing.
func deletedByUpgrade(s *scope, r *release) {
	if !s.byHelm() {
		return
	}
	for _, o := range r.objects {
		keeps := strings.EqualFold(strings.TrimSpace(o.annotation("helm.sh/resource-policy")), "keep")
		if !reads.KeepsData(o.Group(), o.Kind) || o.Hook != nil || !o.onInstall || keeps || r.makesAgain(o) || r.renames(o) {
			continue
		}
		f := o.finding("", "a first install makes the %s, and an upgrade with the same values does not: Helm deletes it then", o.Kind)
		f.Fix = "let the chart make it on every upgrade, or annotate it with helm.sh/resource-policy: keep"
		s.add(f)
	}
}

// renames reports whether an upgrade makes a Secret of another name with the same data.
func (r *release) renames(o *object) bool {
	return o.is("Secret") && slices.ContainsFunc(r.objects, func(other *object) bool {
		return other.is("Secret") && other.onUpgrade && other.namespace == o.namespace &&
			reflect.DeepEqual(other.tree["data"], o.tree["data"]) && reflect.DeepEqual(other.tree["stringData"], o.tree["stringData"])
	})
}
