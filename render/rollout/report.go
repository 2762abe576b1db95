package rollout

import (
	"reflect"
	"time"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// State is how far something is.
type State string

const (
	// Ready is what the environment file says, up and running.
	Ready State = "ready"
	// Progressing is under way.
	Progressing State = "progressing"
	// Waiting has not begun: something else has to be ready or there before.
	Waiting State = "waiting"
	// Suspended goes on when a person says so.
	Suspended State = "suspended"
	// Retrying failed and is tried again by itself.
	Retrying State = "retrying"
	// Failed stays as it is until a person does something.
	Failed State = "failed"
	// NotYet is a whole of which some parts are not ready and none failed.
	NotYet State = "notYet"
)

// Report is what was seen of environments in a cluster. Its JSON is an
// interface: fields are only ever added.
type Report struct {
	State        State         `json:"state"` // ready, notYet, retrying or failed
	Environments []Environment `json:"environments"`
}

// Environment is what was seen of one environment.
type Environment struct {
	Name   string `json:"environment"`
	Target string `json:"target"`
	Title  string `json:"-"`     // of the delivery system
	State  State  `json:"state"` // ready, notYet, retrying or failed
	// Source is where the delivery system gets the manifests: Flux's
	// GitRepository or Argo CD's root Application.
	Source  Part   `json:"source"`
	Prereqs Part   `json:"prereqs"`
	Waves   []Wave `json:"waves"`
	// Next is what to do about it, in one line.
	Next string `json:"next,omitempty"`
	// Notes is what could not be looked at.
	Notes []string `json:"notes,omitempty"`
}

// Part is a thing that must be ready.
type Part struct {
	Name     string     `json:"name"`
	State    State      `json:"state"`
	Reason   string     `json:"reason,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	WaitsFor []string   `json:"waitsFor,omitempty"` // releases, or prereqs
	Next     string     `json:"next,omitempty"`
}

// Wave is releases that may be installed side by side.
type Wave struct {
	Wave     int       `json:"wave"` // from 1
	Releases []Release `json:"releases"`
}

// Release is what was seen of a release. Its name is its key in the
// environment file.
type Release struct {
	Part
	HelmRelease string `json:"helmRelease"`
	Namespace   string `json:"namespace"`
	// Installed is the version of the chart that runs, empty if none does.
	Installed string `json:"installed,omitempty"`
	Wanted    string `json:"wanted"`
	// Jobs is its hooks and migrations, the newest first.
	Jobs []Job `json:"jobs,omitempty"`
	// NotReady is the first workloads that are not ready, NotReadyCount says
	// how many are not.
	NotReady      []Workload `json:"notReady,omitempty"`
	NotReadyCount int        `json:"notReadyCount,omitempty"`
}

// Job is a Job of a release, such as a migration.
type Job struct {
	Name  string     `json:"name"`
	Hooks []string   `json:"hooks,omitempty"` // such as pre-upgrade
	Phase Phase      `json:"phase"`
	Since *time.Time `json:"since,omitempty"` // when it began or, once it ended, when that was
	// Failures is how many of its pods failed.
	Failures int    `json:"failures,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Log is the last lines of its newest pod.
	Log []string `json:"log,omitempty"`

	// Pod and Container are where its log is; empty if it has no pod.
	Namespace string `json:"namespace"`
	Pod       string `json:"pod,omitempty"`
	Container string `json:"container,omitempty"`
}

// Phase is how far a Job is.
type Phase string

// The phases of a Job.
const (
	Pending   Phase = "pending" // no pod of it runs
	Running   Phase = "running"
	Succeeded Phase = "succeeded"
	Broken    Phase = "failed"
)

// Workload is a Deployment, StatefulSet or DaemonSet that is not ready.
type Workload struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
	Pod    string `json:"pod,omitempty"` // the pod that the reason is of
}

// NewReport puts environments together. Texts in them that could steer a terminal, or
// look like other lines, are written out: this is the one way to people and machines.
func NewReport(environments []Environment) Report {
	for i := range environments {
		makeVisible(reflect.ValueOf(&environments[i]).Elem())
	}
	r := Report{State: Ready, Environments: environments}
	for _, environment := range environments {
		r.State = worse(r.State, environment.State)
	}
	return r
}

// makeVisible writes out the control characters of every text in a value.
func makeVisible(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text.Visible(v.String()))
	case reflect.Slice:
		for i := range v.Len() {
			makeVisible(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			makeVisible(v.Field(i))
		}
	}
}

// severity orders states for a whole.
var severity = map[State]int{Ready: 0, NotYet: 1, Progressing: 1, Waiting: 1, Suspended: 1, Retrying: 2, Failed: 3}

// worse is the state of a whole that was in one state, and has a part in another.
func worse(whole, part State) State {
	if severity[part] == 1 {
		part = NotYet
	}
	if severity[part] > severity[whole] {
		return part
	}
	return whole
}

// Releases is the releases of all waves in order.
func (e Environment) Releases() []*Release {
	var all []*Release
	for i := range e.Waves {
		for j := range e.Waves[i].Releases {
			all = append(all, &e.Waves[i].Releases[j])
		}
	}
	return all
}

// Logs is the Jobs whose log says how a release is getting on that is not
// ready: those that have not succeeded.
func (e Environment) Logs() []*Job {
	var jobs []*Job
	for _, release := range e.Releases() {
		for i := range release.Jobs {
			if job := &release.Jobs[i]; job.Pod != "" && job.Phase != Succeeded && release.State != Ready {
				jobs = append(jobs, job)
			}
		}
	}
	return jobs
}
