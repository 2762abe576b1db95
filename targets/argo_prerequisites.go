package targets

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/templates"
)

// The keys of the ConfigMap argocd-cm that matter here.
const (
	healthKey   = "resource.customizations.health.argoproj.io_Application"
	trackingKey = "application.resourceTrackingMethod"

	byAnnotation = "annotation"
)

// argoLabels is what Argo CD finds its own ConfigMaps by.
var argoLabels = map[string]string{"app.kubernetes.io/part-of": "argocd"}

// PrerequisiteForms returns the forms that prerequisites come in: the ConfigMap
// argocd-cm, or values of the argo-cd Helm chart.
func (Argo) PrerequisiteForms() []string { return []string{"argocd-cm", "helm-values"} }

// Prerequisites returns what must be set in Argo CD before it is pointed at a plan,
// in one of the forms, and the Secrets to create in its namespace, as a YAML
// stream to fill in.
func (a Argo) Prerequisites(plan render.Plan, form string) ([]byte, error) {
	if err := a.check(plan); err != nil {
		return nil, err
	}
	w := argoWriter{plan: plan, argo: plan.Delivery.Argo}
	var objects []any
	switch form {
	case "argocd-cm":
		objects = append(objects, w.configMap("argocd-cm", w.settings()))
		if certificates := w.certificates(); len(certificates) > 0 {
			objects = append(objects, w.configMap("argocd-tls-certs-cm", certificates))
		}
	case "helm-values":
		objects = append(objects, chartValues{chartConfigs{w.settings(), chartTLS{w.certificates()}}})
	default:
		return nil, fmt.Errorf("unknown form %q: want %s", form, text.OneOf(Argo{}.PrerequisiteForms()))
	}
	settings, err := render.YAML(objects...)
	if err != nil {
		return nil, err
	}
	secrets, err := render.SecretTemplates(w.repositorySecrets())
	if err != nil {
		return nil, err
	}
	return slices.Concat(settings, []byte("---\n"), secrets), nil
}

// chartValues is values of the argo-cd Helm chart
// (https://github.com/argoproj/argo-helm/tree/main/charts/argo-cd).
type chartValues struct {
	Configs chartConfigs `json:"configs"`
}

type chartConfigs struct {
	CM  map[string]string `json:"cm"`
	TLS chartTLS          `json:"tls,omitzero"`
}

type chartTLS struct {
	Certificates map[string]string `json:"certificates,omitempty"`
}

// settings gives what argocd-cm must say: the health check, without which waves
// wait for nothing, and before Argo CD 3.0 its later default for how objects
// are known: by the label it would take over that of the chart's own selectors
// (https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/).
func (w argoWriter) settings() map[string]string {
	settings := map[string]string{healthKey: templates.ArgoHealth}
	if w.argo.Version.TracksByLabel() {
		settings[trackingKey] = byAnnotation
	}
	return settings
}

// certificates gives the registries' own certificate authorities, by host.
func (w argoWriter) certificates() map[string]string {
	hosts := map[string]string{}
	for _, release := range w.plan.Releases() {
		if host, _, _ := strings.Cut(release.Chart.Repository, "/"); release.Chart.CASecret != "" {
			host, _, _ = strings.Cut(host, ":")
			hosts[host] = render.FillIn
		}
	}
	return hosts
}

func (w argoWriter) configMap(name string, data map[string]string) corev1.ConfigMap {
	return corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: string(w.argo.Namespace), Labels: argoLabels},
		Data:       data,
	}
}

// RequiredSecrets returns the Secrets that must exist: those of the releases, and
// in Argo CD's own namespace the credentials of what it pulls and clones.
func (a Argo) RequiredSecrets(plan render.Plan) ([]render.RequiredSecret, error) {
	if err := a.check(plan); err != nil {
		return nil, err
	}
	w := argoWriter{plan: plan, argo: plan.Delivery.Argo}
	secrets := w.repositorySecrets()
	for _, secret := range plan.RequiredSecrets() {
		// Argo CD does not pull with a release's Secrets: certificates are in
		// its own ConfigMap.
		if secret.Why == render.WhyCA {
			continue
		}
		if secret.Type == string(corev1.SecretTypeDockerConfigJson) {
			secret.Why, secret.InChart = "pods use it where the chart is told to", true
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

// repositorySecrets gives the credentials of charts and manifests. The address is
// compared as a text, so it is the one that Applications have; the name follows
// from it, so environments share the Secret
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#repositories).
func (w argoWriter) repositorySecrets() []render.RequiredSecret {
	kind := map[string]string{"type": "helm", "enableOCI": "true"}
	if w.argo.Charts == render.ChartsOCI {
		kind = map[string]string{"type": "oci"}
	}
	var secrets []render.RequiredSecret
	for _, repository := range w.repositories() {
		data := map[string]string{"username": render.FillIn, "password": render.FillIn}
		if googleHost(strings.TrimPrefix(repository, "oci://")) {
			data["username"] = "_json_key_base64"
		}
		for key, value := range kind {
			data[key] = value
		}
		secrets = append(secrets, w.repositorySecret(repository, data, "Argo CD pulls charts with it"))
	}
	git := map[string]string{"type": "git", "username": render.FillIn, "password": render.FillIn}
	if url := string(w.plan.Delivery.Git.URL); !strings.HasPrefix(url, "http") {
		git = map[string]string{"type": "git", "sshPrivateKey": render.FillIn}
	}
	return append(secrets, w.repositorySecret(string(w.plan.Delivery.Git.URL), git, "Argo CD reads the manifests with it"))
}

func (w argoWriter) repositorySecret(url string, data map[string]string, why string) render.RequiredSecret {
	sum := sha256.Sum256([]byte(url))
	data["url"] = url
	secret := render.RequiredSecret{
		Namespace: string(w.argo.Namespace),
		Name:      "repository-" + hex.EncodeToString(sum[:4]),
		Type:      string(corev1.SecretTypeOpaque),
		Labels:    map[string]string{"argocd.argoproj.io/secret-type": "repository"},
		Data:      map[string]string{},
		Why:       why,
	}
	for key, value := range data {
		if value == render.FillIn {
			secret.Keys = append(secret.Keys, key)
		} else {
			secret.Data[key] = value
		}
	}
	slices.Sort(secret.Keys)
	return secret
}

// CheckPrerequisites returns what is missing in the ConfigMap argocd-cm, a sentence
// each.
func (a Argo) CheckPrerequisites(plan render.Plan, configMap []byte) ([]string, error) {
	var found struct {
		Kind     string
		Metadata struct {
			Name   string
			Labels map[string]string
		}
		Data map[string]string
	}
	if err := yaml.Unmarshal(configMap, &found); err != nil {
		return nil, fmt.Errorf("read the ConfigMap: %w", err)
	}
	if found.Kind != "ConfigMap" || found.Metadata.Name != "argocd-cm" {
		return nil, errors.New("want the ConfigMap argocd-cm, as kubectl get configmap argocd-cm -o yaml prints it")
	}
	var missing []string
	for label, value := range argoLabels {
		if found.Metadata.Labels[label] != value {
			missing = append(missing, fmt.Sprintf("the label %s=%s is missing: Argo CD does not read the ConfigMap", label, value))
		}
	}
	switch check := strings.TrimSpace(found.Data[healthKey]); {
	case check == "":
		missing = append(missing, healthKey+" is missing: waves would wait for nothing")
	case check != strings.TrimSpace(templates.ArgoHealth):
		missing = append(missing, healthKey+" is another health check than ours: waves may begin too early, or hang")
	}
	byLabel := plan.Delivery.Argo.Version.TracksByLabel()
	switch method := found.Data[trackingKey]; {
	case method == "label", method == "" && byLabel:
		missing = append(missing, trackingKey+" must be annotation: labels would get in the way of the charts' selectors")
	}
	return missing, nil
}

// repository gives what an Application, its project and the credentials of a
// chart call the place it is in: Argo CD compares the texts.
func (w argoWriter) repository(chart render.Chart) string {
	if w.argo.Charts == render.ChartsOCI {
		return "oci://" + chart.Repository
	}
	return path.Dir(chart.Repository)
}
