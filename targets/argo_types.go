package targets

import (
	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// application is the Application of argo-cd/v2, the last whose types come
// without Kubernetes itself, with the field that later releases added: the
// types below it shadow those that it stands in.
type application struct {
	argov1.Application `json:",inline"`
	Spec               argoSpec `json:"spec"`
}

type argoSpec struct {
	argov1.ApplicationSpec `json:",inline"`
	SyncPolicy             *argoSyncPolicy `json:"syncPolicy,omitempty"`
}

type argoSyncPolicy struct {
	argov1.SyncPolicy `json:",inline"`
	Retry             *argoRetry `json:"retry,omitempty"`
}

type argoRetry struct {
	argov1.RetryStrategy `json:",inline"`
	// Refresh tries again with the newest revision, from Argo CD 3.2.
	Refresh bool `json:"refresh,omitempty"`
}

func newApplication(name string) application {
	return application{Application: argov1.Application{
		TypeMeta:   metav1.TypeMeta{APIVersion: argov1.SchemeGroupVersion.String(), Kind: "Application"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}}
}

// automated syncs by itself, with server-side apply: Istio's CRDs are too
// large for the annotation of a client-side one.
func automated(options ...string) *argoSyncPolicy {
	return &argoSyncPolicy{SyncPolicy: argov1.SyncPolicy{
		Automated:   &argov1.SyncPolicyAutomated{Prune: true, SelfHeal: true},
		SyncOptions: append([]string{"ServerSideApply=true", "RespectIgnoreDifferences=true", "FailOnSharedResource=true"}, options...),
	}}
}

// retry tries again, because Argo CD does not sync by itself what failed once
// (https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/): for ever
// where a retry takes the newest commit. Before, it takes the one that failed,
// and nothing else is synced until it gives up: it must, or a fix would never
// arrive. Five times are some eight minutes.
func (w argoWriter) retry() *argoRetry {
	factor := int64(2)
	retry := &argoRetry{RetryStrategy: argov1.RetryStrategy{
		Limit:   5,
		Backoff: &argov1.Backoff{Duration: "15s", Factor: &factor, MaxDuration: "2m"},
	}}
	if w.argo.Version.RetriesNewest() {
		retry.Limit, retry.Refresh = -1, true
	}
	return retry
}
