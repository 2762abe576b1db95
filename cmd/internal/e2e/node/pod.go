//go:build e2e

package node

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Migration is a pod that migrates databases.
type Migration struct {
	Namespace, Pod, Image string
	Databases             []string
}

// Outcome is how a migration goes.
type Outcome struct {
	Takes    time.Duration
	Hangs    bool // for ever, whatever Takes says
	ExitCode int32
	Log      []string // before its last line, which says how it ended
}

// run is a pod that ends by itself.
type run struct {
	since    time.Time
	log      []string
	ended    bool
	migrates Migration
}

// migration is what a pod migrates: the stand-in charts' containers say it in
// their arguments, "migrate" and the databases.
func migration(pod *corev1.Pod) (Migration, bool) {
	for _, c := range pod.Spec.Containers {
		if len(c.Args) > 1 && c.Args[0] == "migrate" {
			return Migration{pod.Namespace, pod.Name, c.Image, c.Args[1:]}, true
		}
	}
	return Migration{}, false
}

// service reports whether a container is one of the product's services, which
// crash until the migrations of their version are complete.
func service(c corev1.Container) bool {
	name, _, _ := strings.Cut(path.Base(c.Image), ":")
	return name == "server" && (len(c.Args) == 0 || c.Args[0] != "migrate")
}

// status is what a kubelet would report of a pod now; false where nothing
// will change any more.
func (a *Agent) status(pod *corev1.Pod) (corev1.PodStatus, bool) {
	status := *pod.Status.DeepCopy()
	if status.Phase == corev1.PodSucceeded || status.Phase == corev1.PodFailed {
		return status, false
	}
	if status.StartTime == nil {
		now := metav1.Now().Rfc3339Copy()
		status.StartTime = &now
		a.mu.Lock()
		a.address++
		status.PodIP = fmt.Sprintf("10.64.%d.%d", a.address/250, a.address%250+1)
		a.mu.Unlock()
		status.PodIPs = []corev1.PodIP{{IP: status.PodIP}}
		status.HostIP, status.HostIPs = "127.0.0.1", []corev1.HostIP{{IP: "127.0.0.1"}}
	}
	states := a.states(pod)
	status.Phase = phase(pod, states)
	status.ContainerStatuses = nil
	ready := status.Phase == corev1.PodRunning
	for i, container := range pod.Spec.Containers {
		one := corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, ImageID: container.Image,
			State: states[i].ContainerState, Ready: states[i].ready, Started: &states[i].ready,
		}
		keepTimes(&one, pod.Status.ContainerStatuses)
		ready = ready && one.Ready
		status.ContainerStatuses = append(status.ContainerStatuses, one)
	}
	status.Conditions = conditions(pod.Status.Conditions, status.Phase, ready)
	return status, true
}

// state is that of a container.
type state struct {
	corev1.ContainerState
	ready bool
}

func waiting(reason, message string) state {
	return state{ContainerState: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

func running(ready bool) state {
	return state{ContainerState: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now().Rfc3339Copy()}}, ready: ready}
}

// states is the state of each container of a pod.
func (a *Agent) states(pod *corev1.Pod) []state {
	states := make([]state, len(pod.Spec.Containers))
	volumes := a.volumes(pod)
	lacksSidecar := a.lacksSidecar(pod)
	for i, container := range pod.Spec.Containers {
		reason, message := a.blocked(pod, container)
		missing := []string(nil)
		if service(container) {
			missing = a.unmigrated(pod.Namespace, container.Image)
		}
		switch {
		case volumes != nil:
			states[i] = waiting("ContainerCreating", volumes.Error())
		case reason != "":
			states[i] = waiting(reason, message)
		case pod.Spec.RestartPolicy != corev1.RestartPolicyAlways:
			states[i] = a.work(pod)
		case len(missing) > 0:
			states[i] = waiting("CrashLoopBackOff", "no schema for this version yet in "+strings.Join(missing, ", "))
		default:
			states[i] = running(!lacksSidecar)
		}
	}
	return states
}

// work is the state of a pod that ends: a migration as the script has it,
// everything else at once.
func (a *Agent) work(pod *corev1.Pod) state {
	a.mu.Lock()
	defer a.mu.Unlock()
	own := a.runs[pod.UID]
	if own == nil {
		own = &run{since: time.Now()}
		a.runs[pod.UID] = own
	}
	m, migrates := migration(pod)
	outcome := Outcome{Takes: 200 * time.Millisecond}
	if migrates {
		own.migrates = m
		outcome = a.script(m)
		own.log = append([]string{"migrating " + strings.Join(m.Databases, ", ") + " to " + m.Image}, outcome.Log...)
	}
	if outcome.Hangs || time.Since(own.since) < outcome.Takes {
		return running(true)
	}
	own.ended = true
	last, reason := "done", "Completed"
	if outcome.ExitCode != 0 {
		last, reason = fmt.Sprintf("exit code %d", outcome.ExitCode), "Error"
	}
	own.log = append(own.log, last)
	return state{ContainerState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: outcome.ExitCode, Reason: reason, StartedAt: metav1.NewTime(own.since).Rfc3339Copy(), FinishedAt: metav1.Now().Rfc3339Copy(),
	}}}
}

// note remembers what a migration that succeeded has migrated.
func (a *Agent) note(pod *corev1.Pod) {
	m, migrates := migration(pod)
	if !migrates {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, database := range m.Databases {
		a.migrated[schema{m.Namespace, m.Image, database}] = true
	}
}

// phase is that of a pod whose containers have these states.
func phase(pod *corev1.Pod, states []state) corev1.PodPhase {
	ended, failed, started := true, false, false
	for _, one := range states {
		ended = ended && one.Terminated != nil
		failed = failed || one.Terminated != nil && one.Terminated.ExitCode != 0
		started = started || one.Waiting == nil || one.Waiting.Reason == "CrashLoopBackOff"
	}
	switch {
	case ended && failed:
		return corev1.PodFailed
	case ended:
		return corev1.PodSucceeded
	case started || pod.Status.Phase == corev1.PodRunning:
		return corev1.PodRunning
	}
	return corev1.PodPending
}

// keepTimes takes over when a container started, if it is still in that state.
func keepTimes(status *corev1.ContainerStatus, before []corev1.ContainerStatus) {
	i := slices.IndexFunc(before, func(b corev1.ContainerStatus) bool { return b.Name == status.Name })
	if i < 0 {
		return
	}
	if status.State.Running != nil && before[i].State.Running != nil {
		status.State.Running.StartedAt = before[i].State.Running.StartedAt
	}
	status.RestartCount = before[i].RestartCount
}

// conditions is a pod's, with the times of those that did not change. What
// others wrote, such as the scheduler, stays.
func conditions(before []corev1.PodCondition, phase corev1.PodPhase, ready bool) []corev1.PodCondition {
	after := slices.Clone(before)
	set := func(kind corev1.PodConditionType, is bool) {
		value, reason := corev1.ConditionFalse, "ContainersNotReady"
		if is {
			value, reason = corev1.ConditionTrue, ""
		} else if phase == corev1.PodSucceeded {
			reason = "PodCompleted"
		}
		i := slices.IndexFunc(after, func(c corev1.PodCondition) bool { return c.Type == kind })
		if i < 0 {
			after = append(after, corev1.PodCondition{Type: kind})
			i = len(after) - 1
		}
		if after[i].Status != value || after[i].Reason != reason {
			after[i].Status, after[i].Reason, after[i].LastTransitionTime = value, reason, metav1.Now().Rfc3339Copy()
		}
	}
	set(corev1.PodInitialized, true)
	set(corev1.ContainersReady, ready)
	set(corev1.PodReady, ready)
	return after
}
