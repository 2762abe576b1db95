package rollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// flux judges what Flux's objects say of themselves.
type flux struct{ view }

// fluxObject is what matters of Flux's kinds
// (https://fluxcd.io/flux/components/).
type fluxObject struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		Suspend   bool      `json:"suspend"`
		URL       string    `json:"url"`
		SecretRef reference `json:"secretRef"`
	} `json:"spec"`
	Status struct {
		ObservedGeneration  int64      `json:"observedGeneration"`
		Conditions          conditions `json:"conditions"`
		Failures            int        `json:"failures"`
		LastAppliedRevision string     `json:"lastAppliedRevision"`
		Artifact            struct {
			Revision string `json:"revision"`
		} `json:"artifact"`
		History []struct {
			ChartVersion string `json:"chartVersion"`
			Status       string `json:"status"`
		} `json:"history"`
	} `json:"status"`
}

// home returns the namespace of Flux.
func (f flux) home() string { return string(f.plan.Delivery.Flux.Namespace) }

func (f flux) queries() []Query {
	queries := []Query{
		{Group: kustomizeGroup, Version: "v1", Resource: "kustomizations", Kind: "Kustomization", Namespace: f.home()},
		{Group: sourceGroup, Version: "v1", Resource: "gitrepositories", Kind: "GitRepository", Namespace: f.home(), Fields: "metadata.name=" + string(f.plan.Delivery.Flux.Source)},
	}
	for _, namespace := range f.namespaces() {
		queries = append(queries,
			Query{Group: helmGroup, Version: "v2", Resource: "helmreleases", Kind: "HelmRelease", Namespace: namespace},
			Query{Group: sourceGroup, Version: "v1", Older: "v1beta2", Resource: "ocirepositories", Kind: "OCIRepository", Namespace: namespace})
	}
	return queries
}

// elsewhere is never: Flux installs in its own cluster.
func (f flux) elsewhere() (string, bool) { return "", false }

func (f flux) fill(e *Environment) {
	e.Source = f.source()
	e.Prereqs = f.prereqs()
	ready := map[string]bool{render.Prereqs: e.Prereqs.State == Ready}
	for i, wave := range f.plan.Waves {
		w := Wave{Wave: i + 1}
		for _, planned := range wave {
			release := f.release(planned)
			needs := append([]string{render.Prereqs}, planned.Needs...)
			release.await(slices.DeleteFunc(needs, func(need string) bool { return ready[need] }))
			ready[planned.Key] = release.State == Ready
			w.Releases = append(w.Releases, release)
		}
		e.Waves = append(e.Waves, w)
	}
	if e.Source.State == Ready && f.absent() {
		e.Prereqs.Next = fmt.Sprintf("commit and push what render writes, and point Flux at ./%s of that repository", f.clusterFolder())
	}
}

// await says what something waits for. What is not there yet, because of
// that, needs no further reason.
func (p *Part) await(unready []string) {
	if p.State == Waiting && len(unready) > 0 {
		p.WaitsFor, p.Next = unready, ""
	}
}

// absent reports whether nothing of the environment is in the cluster.
func (f flux) absent() bool {
	for key := range f.live {
		if key.kind == "Kustomization" && strings.HasPrefix(key.name, f.plan.Environment+"-") {
			return false
		}
	}
	return true
}

// clusterFolder is the folder that Flux is pointed at.
func (f flux) clusterFolder() string {
	folder, _, _ := strings.Cut(f.plan.ClusterFile()[len("clusters/"):], "/")
	return "clusters/" + folder
}

// source is the repository that the manifests come from.
func (f flux) source() Part {
	name, namespace := string(f.plan.Delivery.Flux.Source), f.home()
	p := Part{Name: "GitRepository " + name}
	live, ok := get[fluxObject](f.live, "GitRepository", namespace, name)
	if !ok {
		p.State, p.Reason = Waiting, fmt.Sprintf("there is no GitRepository %q in namespace %q", name, namespace)
		p.Next = "point Flux at your repository with `flux bootstrap`, or say in delivery.flux.source what its GitRepository is called"
		return p
	}
	if p = live.judge(p); p.State == Suspended {
		p.Next = fmt.Sprintf("flux resume source git %s -n %s", name, namespace)
	} else if p.State == Retrying || p.State == Failed {
		p.Next = fmt.Sprintf("let Flux read the repository: kubectl -n %s describe gitrepository %s", namespace, name)
	}
	return p
}

// kustomization is the Flux Kustomization of the prerequisites or a release.
func (f flux) kustomization(part string) Part {
	name, namespace := f.object(part), f.home()
	p := Part{Name: part}
	live, ok := get[fluxObject](f.live, "Kustomization", namespace, name)
	if !ok {
		p.State, p.Reason = Waiting, fmt.Sprintf("Flux has no Kustomization %s: it has not applied %s", name, f.plan.ClusterFile())
		p.Next = f.push()
		return p
	}
	if live.Spec.Suspend {
		p.State, p.Reason, p.Next = Suspended, "its Kustomization is suspended", fmt.Sprintf("flux resume kustomization %s -n %s", name, namespace)
		return p
	}
	if where := f.differs("Kustomization", namespace, name, "spec.path", "spec.dependsOn", "spec.sourceRef", "spec.wait"); where != "" {
		p.State, p.Reason, p.Next = Waiting, fmt.Sprintf("Flux has not applied %s as it is rendered today: %s of Kustomization %s differs", f.plan.ClusterFile(), where, name), f.push()
		return p
	}
	if p = live.judge(p); p.State == Retrying || p.State == Failed {
		p.Next = fmt.Sprintf(forMore+"kubectl -n %s describe kustomization.%s %s", namespace, kustomizeGroup, name)
	}
	return p
}

// prereqs is the Flux Kustomization of the prerequisites. What is below it says
// nothing of its own, so it must be ready with the newest commit.
func (f flux) prereqs() Part {
	p := f.kustomization(render.Prereqs)
	live, _ := get[fluxObject](f.live, "Kustomization", f.home(), f.object(render.Prereqs))
	if newest := f.newest(); p.State == Ready && newest != live.Status.LastAppliedRevision {
		p.State, p.Since, p.Reason = Progressing, nil, say("Flux has not applied commit "+newest+" yet")
	}
	return p
}

// newest is the revision that Flux has fetched last.
func (f flux) newest() string {
	source, _ := get[fluxObject](f.live, "GitRepository", f.home(), string(f.plan.Delivery.Flux.Source))
	return source.Status.Artifact.Revision
}

// push is what to do where the cluster has less than the environment file says.
func (f flux) push() string {
	return fmt.Sprintf("commit and push what render writes; Flux takes it sooner with: flux reconcile kustomization flux-system --with-source -n %s", f.home())
}

// apply is what to do when a wave has not what the environment says. While a
// Flux Kustomization waits for what it applied, it applies no newer commit
// (https://github.com/fluxcd/kustomize-controller/issues/701). Begun again before
// the newer one is fetched, it would wait for the same commit once more.
func (f flux) apply(wave Part) string {
	rest, waits := strings.CutPrefix(wave.Reason, "Running health checks for revision ")
	if !waits {
		return f.push()
	}
	end := fmt.Sprintf("is ready or out of time, or end that: kubectl -n %s rollout restart deployment kustomize-controller", f.home())
	if awaited, _, _ := strings.Cut(rest, " "); f.newest() == "" || f.newest() == awaited {
		return "commit and push what render writes; once Flux has fetched it, wait until what was applied before " + end
	}
	return fmt.Sprintf("wait until what Flux applied before %s %s", f.newest(), end)
}

// waitingReasons is the reasons of Flux for something that has not begun. A
// source that has nothing yet is the message of a failure.
var waitingReasons = []string{"DependencyNotReady", "SourceNotReady"}

// judge says what an object's conditions do. While a HelmRelease is worked on,
// and when it could not even begin, its status keeps the old generation: what
// a condition belongs to, it says itself.
func (o fluxObject) judge(p Part) Part {
	ready, stalled, reconciling := o.Status.Conditions.of("Ready"), o.Status.Conditions.of("Stalled"), o.Status.Conditions.of("Reconciling")
	p.Since = moment(ready.LastTransitionTime)
	current := o.Status.ObservedGeneration == o.Metadata.Generation
	about := current || ready.ObservedGeneration == o.Metadata.Generation
	switch {
	case o.Spec.Suspend:
		p.State, p.Reason = Suspended, "it is suspended"
	case !about:
		p.State, p.Reason, p.Since = Progressing, "Flux has not looked at the new specification yet", nil
		if reconciling.Status == "True" && reconciling.ObservedGeneration == o.Metadata.Generation {
			p.Reason = say(reconciling.Message)
		}
	case ready.Status == "True" && current:
		p.State = Ready
	case stalled.Status == "True":
		p.State, p.Reason = Failed, say(or(ready.Message, stalled.Message))
	case ready.Status == "False" && (slices.Contains(waitingReasons, ready.Reason) || has(ready.Message, "artifact not found")):
		p.State, p.Reason = Waiting, say(ready.Message)
	case ready.Status == "False":
		p.State, p.Reason = Retrying, say(ready.Reason+": "+ready.Message)
	default:
		p.State, p.Reason = Progressing, say(or(reconciling.Message, ready.Message, "Flux has only begun"))
	}
	return p
}

// or is the first text that is not empty.
func or(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
