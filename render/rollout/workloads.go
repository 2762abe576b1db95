package rollout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
)

// maxWorkloads is the most workloads of a release that are reported: what is
// wrong with the sixth is wrong with the first.
const maxWorkloads = 5

// details adds to a release what its objects in the cluster say.
func (v view) details(release *Release) {
	release.Jobs = v.jobs(release)
	keys := slices.SortedFunc(maps.Keys(v.live), func(a, b id) int {
		return strings.Compare(a.kind+"/"+a.name, b.kind+"/"+b.name)
	})
	for _, key := range keys {
		if key.namespace != release.Namespace || !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, key.kind) {
			continue
		}
		if w, unready := v.workload(release, key); unready {
			release.NotReadyCount++
			release.NotReady = append(release.NotReady, w)
		}
	}
	release.NotReady = release.NotReady[:min(len(release.NotReady), maxWorkloads)]
	release.advise()
}

// workload reports a workload of a release that is not ready. What ready
// means is kstatus' to say, as it is for Flux; of the kinds that are asked for
// here it reads no clock.
func (v view) workload(release *Release, key id) (Workload, bool) {
	object := v.live[key]
	own := decode[struct {
		Metadata metadata `json:"metadata"`
		Spec     struct {
			Selector struct {
				MatchLabels map[string]string `json:"matchLabels"`
			} `json:"selector"`
		} `json:"spec"`
	}](object)
	if !v.owns(release, own.Metadata) {
		return Workload{}, false
	}
	result, err := status.Compute(&object)
	if err != nil || result.Status == status.CurrentStatus {
		return Workload{}, false
	}
	w := Workload{Kind: key.kind, Name: key.name, Reason: say(result.Message)}
	for _, name := range v.podNames(key.namespace, own.Spec.Selector.MatchLabels) {
		one, _ := get[pod](v.live, "Pod", key.namespace, name)
		if trouble := or(one.trouble(), v.warning("Pod", one.Metadata)); trouble != "" && !one.ready() {
			w.Pod, w.Reason = name, say(w.Reason+": "+trouble)
			return w, true
		}
	}
	if warning := v.warning(key.kind, own.Metadata); warning != "" {
		w.Reason = say(w.Reason + ": " + warning)
	}
	return w, true
}

// podNames is the pods with some labels, sorted.
func (v view) podNames(namespace string, labels map[string]string) []string {
	var names []string
	for key, object := range v.live {
		if key.kind != "Pod" || key.namespace != namespace || len(labels) == 0 {
			continue
		}
		have := object.GetLabels()
		fits := true
		for label, value := range labels {
			fits = fits && have[label] == value
		}
		if fits {
			names = append(names, key.name)
		}
	}
	slices.Sort(names)
	return names
}

// pod is what matters of a Pod.
type pod struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		Containers []struct {
			Name string `json:"name"`
		} `json:"containers"`
	} `json:"spec"`
	Status struct {
		Phase      string      `json:"phase"`
		Conditions conditions  `json:"conditions"`
		Init       []container `json:"initContainerStatuses"`
		Containers []container `json:"containerStatuses"`
		Reason     string      `json:"reason"` // such as Evicted
		Message    string      `json:"message"`
	} `json:"status"`
}

// container is what matters of the status of a container.
type container struct {
	Name         string `json:"name"`
	RestartCount int    `json:"restartCount"`
	State        state  `json:"state"`
	LastState    state  `json:"lastState"`
}

type state struct {
	Waiting    *stopped `json:"waiting"`
	Terminated *stopped `json:"terminated"`
}

type stopped struct {
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	ExitCode int    `json:"exitCode"`
}

func (p pod) ready() bool { return p.Status.Conditions.of("Ready").Status == "True" }

// starting is the reasons of containers that only mean that others come first.
var starting = []string{"ContainerCreating", "PodInitializing"}

// trouble is why a pod does not run, empty where nothing is known.
func (p pod) trouble() string {
	if scheduled := p.Status.Conditions.of("PodScheduled"); scheduled.Status == "False" {
		return say(scheduled.Reason + ": " + scheduled.Message)
	}
	for _, one := range slices.Concat(p.Status.Init, p.Status.Containers) {
		if text := one.trouble(); text != "" {
			return text
		}
	}
	if p.Status.Reason != "" {
		return say(p.Status.Reason + ": " + p.Status.Message)
	}
	return ""
}

func (c container) trouble() string {
	waiting, ended := c.State.Waiting, c.State.Terminated
	switch {
	case waiting != nil && !slices.Contains(starting, waiting.Reason):
		text := fmt.Sprintf("container %s: %s: %s", c.Name, waiting.Reason, waiting.Message)
		if last := c.LastState.Terminated; last != nil {
			text += fmt.Sprintf(" (exit code %d)", last.ExitCode)
		}
		return say(strings.ReplaceAll(text, ": :", ":"))
	case ended != nil && ended.ExitCode != 0:
		return say(fmt.Sprintf("container %s: %s, exit code %d", c.Name, ended.Reason, ended.ExitCode))
	}
	return ""
}

// telling is the container whose log is worth reading: one that failed, or else
// the one that the pod says is its main one. Where a sidecar was injected, the
// first need not be that.
func (p pod) telling() string {
	for _, one := range slices.Concat(p.Status.Init, p.Status.Containers) {
		if one.State.Terminated != nil && one.State.Terminated.ExitCode != 0 || one.LastState.Terminated != nil {
			return one.Name
		}
	}
	main := ""
	for i, one := range p.Spec.Containers {
		if i == 0 || one.Name == p.Metadata.Annotations[mainContainer] {
			main = one.Name
		}
	}
	return main
}

// event is what matters of an Event.
type event struct {
	Type           string    `json:"type"`
	Reason         string    `json:"reason"`
	Message        string    `json:"message"`
	InvolvedObject reference `json:"involvedObject"`
	LastTimestamp  time.Time `json:"lastTimestamp"`
	EventTime      time.Time `json:"eventTime"`
}

// at is when an event was seen last; the newer API has a field of its own.
func (e event) at() time.Time {
	if e.EventTime.After(e.LastTimestamp) {
		return e.EventTime
	}
	return e.LastTimestamp
}

// warnings is the warnings among objects, the newest last.
func warnings(live objects) []event {
	var all []event
	for key, object := range live {
		if one := decode[event](object); key.kind == "Event" && one.Type == "Warning" {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b event) int {
		return cmp.Or(a.at().Compare(b.at()), strings.Compare(a.Reason+a.Message, b.Reason+b.Message))
	})
	return all
}

// warning is the newest warning about an object, empty if there is none. Of a
// Deployment those of its ReplicaSets count too: they make the pods.
func (v view) warning(kind string, of metadata) string {
	for _, one := range slices.Backward(v.warnings) {
		about := one.InvolvedObject
		same := about.Kind == kind && about.Name == of.Name || kind == "Deployment" && about.Kind == "ReplicaSet" && strings.HasPrefix(about.Name, of.Name+"-")
		if same && about.Namespace == of.Namespace && of.Name != "" {
			return say(one.Reason + ": " + one.Message)
		}
	}
	return ""
}
