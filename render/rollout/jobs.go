package rollout

import (
	"slices"
	"strings"
	"time"
)

// maxJobs is the most Jobs of a release that are reported: charts that keep
// them leave one behind for every upgrade.
const maxJobs = 5

// Annotations and labels that say whose an object is.
const (
	helmHook       = "helm.sh/hook"
	helmName       = "meta.helm.sh/release-name"
	argoTracking   = "argocd.argoproj.io/tracking-id"
	fluxName       = helmGroup + "/name"
	instanceLabel  = "app.kubernetes.io/instance"
	mainContainer  = "kubectl.kubernetes.io/default-container"
	jobNameLabel   = "batch.kubernetes.io/job-name"
	olderNameLabel = "job-name" // before Kubernetes 1.27
)

// job is what matters of a Job.
type job struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		Suspend bool `json:"suspend"`
	} `json:"spec"`
	Status struct {
		Active         int        `json:"active"`
		Failed         int        `json:"failed"`
		StartTime      time.Time  `json:"startTime"`
		CompletionTime time.Time  `json:"completionTime"`
		Conditions     conditions `json:"conditions"`
	} `json:"status"`
}

// jobs is the Jobs of a release, the newest first.
func (v view) jobs(release *Release) []Job {
	var own []job
	for key, object := range v.live {
		if key.kind != "Job" || key.namespace != release.Namespace {
			continue
		}
		one := decode[job](object)
		byCron := slices.ContainsFunc(one.Metadata.OwnerReferences, func(owner reference) bool { return owner.Kind == "CronJob" })
		if !byCron && (v.owns(release, one.Metadata) || v.migrates(release, one.Metadata)) {
			own = append(own, one)
		}
	}
	slices.SortFunc(own, func(a, b job) int {
		if newer := b.Metadata.CreationTimestamp.Compare(a.Metadata.CreationTimestamp); newer != 0 {
			return newer
		}
		return strings.Compare(a.Metadata.Name, b.Metadata.Name)
	})
	var jobs []Job
	for _, one := range own[:min(len(own), maxJobs)] {
		jobs = append(jobs, v.job(one))
	}
	return jobs
}

// owns reports whether an object says that it belongs to a release. Helm marks
// what a chart makes, but not its hooks; Argo CD tracks both, helm-controller
// labels both from Flux 2.9 on, and charts label what they like.
func (v view) owns(release *Release, m metadata) bool {
	if tracked := m.Annotations[argoTracking]; tracked != "" {
		return strings.HasPrefix(tracked, v.object(release.Name)+":")
	}
	if name := m.Annotations[helmName]; name != "" {
		return name == release.HelmRelease
	}
	if name := m.Labels[fluxName]; name != "" {
		return name == release.Name
	}
	instance := m.Labels[instanceLabel]
	return instance != "" && (instance == release.HelmRelease || instance == v.object(release.Name))
}

// migrates reports whether an object that says of no release that it belongs
// to it is a hook or a migration that the catalog names, where there is only
// one release in the namespace to which it can belong.
func (v view) migrates(release *Release, m metadata) bool {
	alone := true
	for _, other := range v.plan.Releases() {
		if other.Key != release.Name && other.Namespace == release.Namespace {
			alone = false
		}
	}
	marked := m.Annotations[argoTracking] != "" || m.Annotations[helmName] != "" || m.Labels[fluxName] != ""
	return alone && !marked && (m.Annotations[helmHook] != "" || slices.Contains(v.plan.MigrationJobs(), m.Name))
}

// job is a Job as it is reported, with what its newest pod says.
func (v view) job(one job) Job {
	status := one.Status
	j := Job{Name: one.Metadata.Name, Namespace: one.Metadata.Namespace, Failures: status.Failed}
	for _, hook := range strings.Split(one.Metadata.Annotations[helmHook], ",") {
		if hook = strings.TrimSpace(hook); hook != "" {
			j.Hooks = append(j.Hooks, say(hook))
		}
	}
	newest, exists := v.newestPod(one)
	failed, complete := status.Conditions.of("Failed"), status.Conditions.of("Complete")
	switch {
	case failed.Status == "True":
		j.Phase, j.Reason, j.Since = Broken, say(failed.Reason+": "+failed.Message), moment(failed.LastTransitionTime)
	case complete.Status == "True":
		j.Phase, j.Since = Succeeded, moment(status.CompletionTime)
	case one.Spec.Suspend:
		j.Phase, j.Reason, j.Since = Pending, "it is suspended", moment(one.Metadata.CreationTimestamp)
	case exists && newest.Status.Phase == "Running" && newest.trouble() == "":
		j.Phase, j.Since = Running, moment(status.StartTime)
	default:
		j.Phase, j.Since = Pending, moment(one.Metadata.CreationTimestamp)
		if exists {
			j.Reason = newest.trouble()
		}
		j.Reason = or(j.Reason, v.warning("Job", one.Metadata), v.warning("Pod", newest.Metadata))
		if exists && j.Reason == "" {
			j.Reason = say("its pod is " + newest.Status.Phase)
		}
	}
	if exists {
		j.Pod, j.Container = newest.Metadata.Name, newest.telling()
	}
	return j
}

// newestPod is the pod that a Job made last.
func (v view) newestPod(one job) (newest pod, ok bool) {
	for key, object := range v.live {
		labels := object.GetLabels()
		if key.kind != "Pod" || key.namespace != one.Metadata.Namespace || or(labels[jobNameLabel], labels[olderNameLabel]) != one.Metadata.Name {
			continue
		}
		p := decode[pod](object)
		later := p.Metadata.CreationTimestamp.Compare(newest.Metadata.CreationTimestamp)
		if !ok || later > 0 || later == 0 && p.Metadata.Name > newest.Metadata.Name {
			newest, ok = p, true
		}
	}
	return newest, ok
}
