package rollout_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/rollout"
	"github.com/pm-gitops/pm-gitops/render/rollout/rollouttest"
	"github.com/pm-gitops/pm-gitops/targets"
)

// deployment is one of prefect-cloud of which nothing is available.
func deployment(name string) string {
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: %[1]s, namespace: customer-managed, generation: 1, annotations: {meta.helm.sh/release-name: customer-managed}}, spec: {replicas: 1, selector: {matchLabels: {app: %[1]s}}}, status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1}}`, name)
}

func podOf(app, status string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: Pod, metadata: {name: %[1]s-1, namespace: customer-managed, labels: {app: %[1]s}}, status: %[2]s}", app, status)
}

func eventOf(kind, name, reason, message, at string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: Event, metadata: {name: %s, namespace: customer-managed}, type: Warning, reason: %s, message: %q, lastTimestamp: %s, involvedObject: {kind: %s, name: %s, namespace: customer-managed}}", strings.ToLower(name+reason), reason, message, at, kind, name)
}

// cloudIn is what is reported of prefect-cloud in a cluster in which all is
// well but for what the documents add.
func cloudIn(t *testing.T, documents ...string) rollout.Release {
	t.Helper()
	r, cluster := healthy(t, targets.Flux{})
	objects, err := rollouttest.Objects(append(cluster, []byte(strings.Join(documents, "\n---\n")))...)
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range r.Report(rollout.Seen{Objects: objects}).Releases() {
		if release.Name == "prefect-cloud" {
			return *release
		}
	}
	t.Fatal("no prefect-cloud")
	return rollout.Release{}
}

// A workload that is not ready says what its pods say, or else what was warned of.
func TestWorkloads(t *testing.T) {
	const unscheduled = "{phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/3 nodes are available: 3 Insufficient memory.'}]}"
	for _, c := range []struct {
		name      string
		documents []string
		want      string
	}{
		{"nothing known", nil, "Available: 0/1"},
		{"unschedulable", []string{podOf("api", unscheduled)}, "pod api-1: Available: 0/1: Unschedulable: 0/3 nodes are available: 3 Insufficient memory."},
		{"no Secret", []string{podOf("api", `{containerStatuses: [{name: main, state: {waiting: {reason: CreateContainerConfigError, message: 'secret "prefect-auth" not found'}}}]}`)}, `pod api-1: Available: 0/1: container main: CreateContainerConfigError: secret "prefect-auth" not found`},
		{"crashes", []string{podOf("api", "{containerStatuses: [{name: main, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff, message: back-off 40s}}, lastState: {terminated: {reason: Error, exitCode: 2}}}]}")}, "pod api-1: Available: 0/1: container main: CrashLoopBackOff: back-off 40s (exit code 2)"},
		{"init container", []string{podOf("api", "{initContainerStatuses: [{name: wait, state: {terminated: {reason: Error, exitCode: 1}}}], containerStatuses: [{name: main, state: {waiting: {reason: PodInitializing}}}]}")}, "pod api-1: Available: 0/1: container wait: Error, exit code 1"},
		{"volume", []string{podOf("api", "{containerStatuses: [{name: main, state: {waiting: {reason: ContainerCreating}}}]}"), eventOf("Pod", "api-1", "FailedMount", `MountVolume.SetUp failed: secret "tls" not found`, "2026-03-14T02:00:00Z")}, `pod api-1: Available: 0/1: FailedMount: MountVolume.SetUp failed: secret "tls" not found`},
		{"newest warning", []string{eventOf("ReplicaSet", "api-7d9c", "FailedCreate", `failed calling webhook "namespace.sidecar-injector.istio.io"`, "2026-03-14T02:30:00Z"), eventOf("Deployment", "api", "Old", "old", "2026-03-14T02:00:00Z")}, `Available: 0/1: FailedCreate: failed calling webhook "namespace.sidecar-injector.istio.io"`},
		{"evicted", []string{podOf("api", "{phase: Failed, reason: Evicted, message: The node was low on resource}")}, "pod api-1: Available: 0/1: Evicted: The node was low on resource"},
	} {
		release := cloudIn(t, append([]string{deployment("api")}, c.documents...)...)
		if len(release.NotReady) != 1 {
			t.Errorf("%s: not ready: %v", c.name, release.NotReady)
			continue
		}
		got := release.NotReady[0].Reason
		if release.NotReady[0].Pod != "" {
			got = "pod " + release.NotReady[0].Pod + ": " + got
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Of many workloads the first five are reported, and how many there are. What
// belongs to another release, or to none, is not among them.
func TestManyWorkloads(t *testing.T) {
	var documents []string
	for _, name := range []string{"g", "f", "e", "d", "c", "b", "a"} {
		documents = append(documents, deployment(name))
	}
	documents = append(documents, strings.ReplaceAll(deployment("foreign"), "release-name: customer-managed", "release-name: somebody"),
		strings.ReplaceAll(deployment("unmarked"), "annotations: {meta.helm.sh/release-name: customer-managed}", "annotations: {}"))
	release := cloudIn(t, documents...)
	var names []string
	for _, workload := range release.NotReady {
		names = append(names, workload.Name)
	}
	if got := strings.Join(names, " "); got != "a b c d e" || release.NotReadyCount != 7 {
		t.Errorf("not ready: %s of %d, want a b c d e of 7", got, release.NotReadyCount)
	}
}

// Jobs are found by what marks them, and hooks without a mark where there is
// only one release that they can be of.
func TestJobs(t *testing.T) {
	job := func(name, metadata, status string) string {
		return fmt.Sprintf("{apiVersion: batch/v1, kind: Job, metadata: {name: %s, namespace: customer-managed, creationTimestamp: 2026-03-14T02:00:00Z, %s}, status: %s}", name, metadata, status)
	}
	for _, c := range []struct{ name, job, want string }{
		{"hook", job("any", "annotations: {helm.sh/hook: pre-install}", "{}"), "any pending pre-install"},
		{"named by the catalog", job("orion-db-migrations", "", "{active: 1}"), "orion-db-migrations pending "},
		{"of Helm", job("any", "annotations: {meta.helm.sh/release-name: customer-managed}", "{conditions: [{type: Complete, status: 'True'}]}"), "any succeeded "},
		{"of Flux", job("any", "labels: {helm.toolkit.fluxcd.io/name: prefect-cloud}", "{failed: 7, conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded, message: Job has reached the specified backoff limit}]}"), "any failed  BackoffLimitExceeded: Job has reached the specified backoff limit 7"},
		{"of Argo CD", job("any", "annotations: {argocd.argoproj.io/tracking-id: 'prod-prefect-cloud:batch/Job:customer-managed/any'}", "{}"), "any pending "},
		{"of the instance", job("any", "labels: {app.kubernetes.io/instance: customer-managed}", "{}"), "any pending "},
		{"of another release", job("any", "annotations: {meta.helm.sh/release-name: other, helm.sh/hook: pre-install}", "{}"), ""},
		{"of another Application", job("any", "annotations: {argocd.argoproj.io/tracking-id: 'prod-prefect-cloud-2:batch/Job:customer-managed/any'}", "{}"), ""},
		{"of nobody", job("any", "", "{}"), ""},
	} {
		var got []string
		for _, job := range cloudIn(t, c.job).Jobs {
			text := fmt.Sprintf("%s %s %s", job.Name, job.Phase, strings.Join(job.Hooks, " "))
			if job.Reason != "" {
				text += fmt.Sprintf(" %s %d", job.Reason, job.Failures)
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// Of a log come the last lines, of no line what could steer a terminal.
func TestLogLines(t *testing.T) {
	got := rollout.LogLines("first\nsecond\r\n10%\r20%\r30%\n\x1b[2Jcleared\n", 3)
	want := []string{"second", "30%", `\x1b[2Jcleared`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("LogLines (-want +got):\n%s", diff)
	}
	if got := rollout.LogLines("", 5); len(got) != 0 {
		t.Errorf("LogLines of nothing = %q", got)
	}
	if long := rollout.LogLines(strings.Repeat("x", 100_000), 1)[0]; len([]rune(long)) != 400 {
		t.Errorf("a long line has %d characters", len([]rune(long)))
	}
}

// A change is what is another than before; time that passes and logs are none.
func TestChanges(t *testing.T) {
	report := func(documents ...string) rollout.Report {
		r, cluster := healthy(t, targets.Flux{})
		objects, err := rollouttest.Objects(append(cluster, []byte(strings.Join(documents, "\n---\n")))...)
		if err != nil {
			t.Fatal(err)
		}
		return rollout.NewReport([]rollout.Environment{r.Report(rollout.Seen{Objects: objects})})
	}
	well, ill := report(), report(condition("HelmRelease", "prefect-cloud", "False", "UpgradeFailed", "it broke"), deployment("api"))
	if got := rollout.Changes(well, well); got != nil {
		t.Errorf("of nothing = %q", got)
	}
	if got := rollout.Changes(rollout.Report{}, well); len(got) != 5 {
		t.Errorf("at first = %q", got)
	}
	want := []string{"prod: prefect-cloud: failed, is tried again: UpgradeFailed: it broke (1.3.900)", "prod: prefect-cloud: not ready: Deployment api"}
	if diff := cmp.Diff(want, rollout.Changes(well, ill)); diff != "" {
		t.Errorf("of a failure (-want +got):\n%s", diff)
	}
	later := report(condition("HelmRelease", "prefect-cloud", "False", "UpgradeFailed", "it broke"), deployment("api"))
	later.Environments[0].Waves[1].Releases[0].Since = nil
	later.Environments[0].Waves[1].Releases[0].Jobs = nil
	if got := rollout.Changes(ill, later); got != nil {
		t.Errorf("of time that passed = %q", got)
	}
	healed := []string{"prod: prefect-cloud: ready (1.3.900)"}
	if diff := cmp.Diff(healed, rollout.Changes(ill, well)); diff != "" {
		t.Errorf("of what healed (-want +got):\n%s", diff)
	}
}
