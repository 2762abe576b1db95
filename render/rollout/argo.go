package rollout

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// argo judges what Argo CD's Applications say of themselves.
type argo struct{ view }

// application is what matters of an Application
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml).
type application struct {
	Metadata  metadata       `json:"metadata"`
	Operation map[string]any `json:"operation"` // that is about to start
	Spec      struct {
		Source     map[string]any `json:"source"`
		SyncPolicy struct {
			Automated map[string]any `json:"automated"`
		} `json:"syncPolicy"`
	} `json:"spec"`
	Status struct {
		Sync struct {
			Status     string `json:"status"`
			Revision   string `json:"revision"`
			ComparedTo struct {
				Source map[string]any `json:"source"`
			} `json:"comparedTo"`
		} `json:"sync"`
		Health struct {
			Status             string    `json:"status"`
			Message            string    `json:"message"`
			LastTransitionTime time.Time `json:"lastTransitionTime"`
		} `json:"health"`
		OperationState operation   `json:"operationState"`
		Conditions     []condition `json:"conditions"`
		History        []struct {
			Revision string `json:"revision"`
		} `json:"history"`
	} `json:"status"`
}

// operation is a sync that runs or ran.
type operation struct {
	Phase      string    `json:"phase"`
	Message    string    `json:"message"`
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt"`
	SyncResult struct {
		Resources []struct {
			Kind      string `json:"kind"`
			Name      string `json:"name"`
			HookType  string `json:"hookType"`
			HookPhase string `json:"hookPhase"`
		} `json:"resources"`
	} `json:"syncResult"`
}

// home returns the namespace of Argo CD.
func (a argo) home() string { return string(a.plan.Delivery.Argo.Namespace) }

func (a argo) queries() []Query {
	return []Query{{Group: argoGroup, Version: "v1alpha1", Resource: "applications", Kind: "Application", Namespace: a.home()}}
}

func (a argo) elsewhere() (cluster string, ok bool) {
	switch to := a.plan.Delivery.Argo.Destination; {
	case to.Name == "in-cluster", to.Name == "" && to.Server == "https://kubernetes.default.svc":
		return "", false
	case to.Name != "":
		return string(to.Name), true
	default:
		return string(to.Server), true
	}
}

func (a argo) fill(e *Environment) {
	e.Source = a.root()
	e.Prereqs = a.child(render.Prereqs)
	var before []string // what is not ready of the waves before
	if e.Prereqs.State != Ready {
		before = append(before, render.Prereqs)
	}
	for i, wave := range a.plan.Waves {
		w, unready := Wave{Wave: i + 1}, []string(nil)
		for _, planned := range wave {
			release := a.view.release(planned)
			release.Part, release.Installed = a.child(planned.Key), a.installed(planned)
			release.await(before)
			if strings.HasPrefix(release.Reason, "ComparisonError") && has(release.Reason, "helm", "oci", "chart") {
				release.Next = or(registryAdvice(planned, release.Reason), release.Next)
			}
			if release.State != Ready {
				unready = append(unready, planned.Key)
			}
			w.Releases = append(w.Releases, release)
		}
		before = append(before, unready...)
		e.Waves = append(e.Waves, w)
	}
}

// installed is the version of the chart that was synced last.
func (a argo) installed(planned render.Release) string {
	live, _ := get[application](a.live, "Application", a.home(), a.object(planned.Key))
	if n := len(live.Status.History); n > 0 {
		return chartVersion(live.Status.History[n-1].Revision, planned.Chart.Version)
	}
	return ""
}

// root is the Application over the others, as far as it is what holds them up.
func (a argo) root() Part {
	name := a.plan.Environment
	p := Part{Name: "Application " + name}
	live, ok := get[application](a.live, "Application", a.home(), name)
	if !ok {
		p.State, p.Reason = Waiting, fmt.Sprintf("there is no Application %q in namespace %q", name, a.home())
		p.Next = fmt.Sprintf("give it to Argo CD: kubectl apply -f %s", a.plan.ClusterFile())
		return p
	}
	if where := a.differs("Application", a.home(), name, "spec.source", "spec.destination"); where != "" {
		p.State, p.Reason = Waiting, fmt.Sprintf("%s of Application %s differs from what is rendered today", where, name)
		p.Next = fmt.Sprintf("give it to Argo CD: kubectl apply -f %s", a.plan.ClusterFile())
		return p
	}
	operation := live.Status.OperationState
	if running(operation) && has(operation.Message, "pruning confirmation", "deletion confirmation") {
		p.State, p.Reason, p.Since = Waiting, say(operation.Message), moment(operation.StartedAt)
		p.Next = fmt.Sprintf("agree that it goes: kubectl -n %s annotate application %s argocd.argoproj.io/deletion-approved=$(date -u +%%FT%%TZ)", a.home(), name)
		return p
	}
	if problem, ok := a.problem(live, p); ok {
		return problem
	}
	if p.State = Ready; live.Status.Sync.Status != "Synced" || running(operation) {
		p.State, p.Reason, p.Since = Progressing, say(or(operation.runningMessage(), "it is "+or(live.Status.Sync.Status, "new"))), moment(operation.StartedAt)
	}
	return p
}

// child is the Application of the prerequisites or a release.
func (a argo) child(part string) Part {
	name, p := a.object(part), Part{Name: part}
	live, ok := get[application](a.live, "Application", a.home(), name)
	if !ok {
		p.State, p.Reason, p.Next = Waiting, fmt.Sprintf("there is no Application %s: Application %s has not made it", name, a.plan.Environment), a.push()
		return p
	}
	if where := a.differs("Application", a.home(), name, "spec.source", "spec.destination"); where != "" {
		p.State, p.Next = Waiting, a.push()
		p.Reason = fmt.Sprintf("Argo CD has not taken over the new commit: %s of Application %s differs from what the environment says", say(where), name)
		return p
	}
	if problem, ok := a.problem(live, p); ok {
		return problem
	}
	return a.progress(live, p)
}

// problem is what keeps an Application from being synced: ours all are synced
// by themselves. A failed sync is
// tried again, until Argo CD says that it will not be: it leaves a SyncError
// behind when a commit has used up its retries
// (https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automated-sync-semantics).
func (a argo) problem(live application, p Part) (problem Part, ok bool) {
	name, operation := live.Metadata.Name, live.Status.OperationState
	if automated := live.Spec.SyncPolicy.Automated; automated == nil || automated["enabled"] == false {
		p.State, p.Reason = Suspended, "its automatic sync is switched off"
		p.Next = fmt.Sprintf("argocd app set %s --sync-policy automated --self-heal --auto-prune", name)
		return p, true
	}
	describe := fmt.Sprintf(forMore+"kubectl -n %s describe application %s", a.home(), name)
	for _, one := range live.Status.Conditions {
		switch one.Type {
		case "ComparisonError", "InvalidSpecError", "UnknownError":
			p.State, p.Reason, p.Since, p.Next = Retrying, say(one.Type+": "+one.Message), moment(one.LastTransitionTime), describe
			if forbidden.MatchString(one.Message) {
				p.Next = fmt.Sprintf("give Argo CD the project as it is now: kubectl apply -f %s", a.plan.ClusterFile())
			}
			return p, true
		case "SyncError":
			if live.Operation == nil && !running(operation) {
				p.State, p.Reason, p.Since = Failed, say(one.Message), moment(one.LastTransitionTime)
				p.Next = fmt.Sprintf("end the cause, then: argocd app sync %s", name)
				return p, true
			}
		}
	}
	retried := running(operation) && !operation.FinishedAt.IsZero()
	if retried || live.Operation == nil && (operation.Phase == "Failed" || operation.Phase == "Error") && live.Status.Sync.Status != "Synced" {
		p.State, p.Reason, p.Since, p.Next = Retrying, say("the sync failed: "+operation.Message), moment(operation.FinishedAt), describe
		return p, true
	}
	return p, false
}

// forbidden is what Argo CD says when a project does not allow a namespace or a
// repository: mostly one that is new, in a project that nobody applied again.
var forbidden = regexp.MustCompile(`do not match any of the allowed destinations|is not permitted in project`)

// progress is how far an Application is without a problem: it must have been
// compared with its own specification of now, be Synced and Healthy, with no
// sync under way (see the health check in the templates).
func (a argo) progress(live application, p Part) Part {
	sync, health, operation := live.Status.Sync, live.Status.Health, live.Status.OperationState
	p.Since = moment(health.LastTransitionTime)
	_, same := contains(sync.ComparedTo.Source, live.Spec.Source, "")
	switch {
	case sync.Status == "" || !same:
		p.State, p.Reason = Progressing, "Argo CD has not looked at the new specification yet"
	case running(operation):
		p.State, p.Reason, p.Since = Progressing, say(operation.runningMessage()), moment(operation.StartedAt)
	case live.Operation != nil:
		p.State, p.Reason = Progressing, "a sync is about to start"
	case sync.Status != "Synced":
		p.State, p.Reason = Progressing, say("it is "+sync.Status)
	case health.Status == "Healthy":
		p.State = Ready
	case health.Status == "Degraded":
		p.State, p.Reason = Retrying, say("Degraded: "+or(health.Message, "see what is not ready"))
		p.Next = fmt.Sprintf(forMore+"kubectl -n %s describe application %s", a.home(), text.Argument(live.Metadata.Name))
	case health.Status == "Suspended":
		p.State, p.Reason = Suspended, say("something in it is suspended: "+health.Message)
	default:
		p.State, p.Reason = Progressing, say(strings.TrimSuffix("its health is "+or(health.Status, "not known")+": "+health.Message, ": "))
	}
	return p
}

// running reports whether a sync is under way, or waits to be tried again.
func running(o operation) bool { return o.Phase == "Running" || o.Phase == "Terminating" }

// runningMessage is what a sync waits for: a hook, if there is one.
func (o operation) runningMessage() string {
	if !running(o) {
		return ""
	}
	for _, resource := range o.SyncResult.Resources {
		if resource.HookPhase == "Running" && resource.HookType != "" {
			return fmt.Sprintf("hook %s %s (%s) is running", resource.Kind, resource.Name, resource.HookType)
		}
	}
	return or(o.Message, "a sync is running")
}

// push is what to do where the cluster has less than the environment file says.
func (a argo) push() string {
	return fmt.Sprintf("commit and push what render writes; Argo CD takes it sooner with: argocd app get %s --refresh", a.plan.Environment)
}
