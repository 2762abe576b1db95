package render

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RequiredSecret is a Secret that must exist in the cluster before a release
// is installed, because nothing that is rendered makes it.
type RequiredSecret struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Type      string   `json:"type"` // Opaque, kubernetes.io/dockerconfigjson …
	Keys      []string `json:"keys"`
	Why       string   `json:"why"`
	// Labels and Data is what it must say besides, and is no secret.
	Labels map[string]string `json:"labels,omitempty"`
	Data   map[string]string `json:"data,omitempty"`
	// Inputs is what the document under values.yaml must say, for a Secret
	// that hands values to a chart.
	Inputs []SecretInput `json:"inputs,omitempty"`
	// InChart: the delivery system does not read it, only what charts make
	// does, if the charts are told to. So a chart may make it, too.
	InChart bool `json:"-"`
}

// WhyCA is why the Secret of a registry's certificate authority must exist.
const WhyCA = "the registry's certificate authority"

// ValuesKey is the key of the document in a values Secret: Flux's default.
const ValuesKey = "values.yaml"

// ValuesSecret is the name of the Secret that holds the secret values of a
// release as one document, in the release's namespace.
func ValuesSecret(release Release) string { return release.Key + "-values" }

// RequiredSecrets is the Secrets that must exist, by namespace and name.
func (p Plan) RequiredSecrets() []RequiredSecret {
	var secrets []RequiredSecret
	for _, release := range p.Releases() {
		if len(release.SecretInputs) > 0 {
			secrets = append(secrets, RequiredSecret{Namespace: release.Namespace, Name: ValuesSecret(release), Type: "Opaque", Keys: []string{ValuesKey}, Why: "secret values of " + release.Key, Inputs: release.SecretInputs})
		}
		if name := release.Chart.PullSecret; name != "" {
			secrets = append(secrets, RequiredSecret{Namespace: release.Namespace, Name: name, Type: "kubernetes.io/dockerconfigjson", Keys: []string{".dockerconfigjson"}, Why: "pulls charts; pods use it where the chart is told to"})
		}
		if name := release.Chart.CASecret; name != "" {
			secrets = append(secrets, RequiredSecret{Namespace: release.Namespace, Name: name, Type: "Opaque", Keys: []string{"ca.crt"}, Why: WhyCA})
		}
		if release.Key == PrefectCloud {
			secrets = append(secrets, p.chartSecrets(release)...)
		}
	}
	slices.SortFunc(secrets, func(a, b RequiredSecret) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return slices.CompactFunc(secrets, func(a, b RequiredSecret) bool { return a.Namespace == b.Namespace && a.Name == b.Name })
}

// ReadsSecrets reports whether the chart of a release reads Secrets itself, so
// that no secret value of the environment's fields goes through it.
func (p Plan) ReadsSecrets(release Release) bool {
	return p.Secrets.Into == IntoChart && release.Key == PrefectCloud
}

// SecretReference is a reference of an environment to a key of a Secret.
// Nothing in the cluster reads that Secret because of it.
type SecretReference struct {
	Field string    `json:"field"` // spec.database.serviceUser.password
	From  SecretRef `json:"from"`
	// Namespace and Secret are the values Secret that the value is filled in to,
	// and Path the chart value there. They are empty where no chart gets the
	// value, as where it reads Secrets itself: then the reference changes nothing.
	Namespace string `json:"namespace,omitempty"`
	Secret    string `json:"secret,omitempty"`
	Path      string `json:"path,omitempty"`
}

// SecretReferences is every reference of the environment to a Secret, by field
// and path.
func (p Plan) SecretReferences() []SecretReference {
	var all []SecretReference
	filled := map[string]bool{}
	releases := p.Releases()
	for i, explained := range p.Explain().Releases { // in the order of the releases
		for _, value := range explained.Values {
			if value.Secret != nil {
				filled[value.Origin.Field] = true
				all = append(all, SecretReference{value.Origin.Field, *value.Secret, releases[i].Namespace, ValuesSecret(releases[i]), value.Path})
			}
		}
	}
	for name, value := range p.env.fields(p.Secrets.Into) {
		if from, isSecret := value.(SecretRef); isSecret && !filled["spec."+name] {
			all = append(all, SecretReference{Field: "spec." + name, From: from})
		}
	}
	slices.SortFunc(all, func(a, b SecretReference) int {
		return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Path, b.Path))
	})
	return all
}

// chartSecrets is the Secrets that the chart itself reads.
func (p Plan) chartSecrets(release Release) []RequiredSecret {
	var secrets []RequiredSecret
	if tls := p.env.Spec.Ingress; tls != nil && tls.TLS != nil {
		secrets = append(secrets, RequiredSecret{Namespace: release.Namespace, Name: string(tls.TLS.Secret), Type: "kubernetes.io/tls", Keys: []string{"tls.crt", "tls.key"}, Why: "the certificate of the Ingress", InChart: true})
	}
	for _, name := range slices.Sorted(maps.Keys(p.chartReads)) {
		secrets = append(secrets, RequiredSecret{Namespace: release.Namespace, Name: name, Type: "Opaque", Keys: p.chartReads[name], Why: "the catalog names it for the chart of " + release.Key, InChart: true})
	}
	return secrets
}

// FillIn stands where a person puts a secret.
const FillIn = "FILL-IN"

// placeholder is what stands for a secret until a person fills it in.
func (i SecretInput) placeholder() string {
	return fmt.Sprintf("%s %s/%s", FillIn, i.From.Secret, i.From.Key)
}

// PlaceholderValues is the release's values with a placeholder for each that
// comes from a Secret: the same that [SecretTemplates] has there.
func (r Release) PlaceholderValues() (map[string]any, error) {
	return r.ValuesWith(SecretInput.placeholder)
}

// ValuesWith is the release's values with a text for each that comes from a
// Secret.
func (r Release) ValuesWith(text func(SecretInput) string) (map[string]any, error) {
	values := map[string]any{}
	if err := convert(r.Values, &values); err != nil {
		return nil, fmt.Errorf("values of %s: %w", r.Key, err)
	}
	if values == nil { // a release without values of its own
		values = map[string]any{}
	}
	for _, input := range r.SecretInputs {
		setPath(values, input.Path, text(input))
	}
	return values, nil
}

// SecretTemplates is the manifests of Secrets to fill in, as a YAML stream.
// The document of a values Secret has every value in its place, and behind
// the placeholder the Secret and key that the environment names for it.
func SecretTemplates(secrets []RequiredSecret) ([]byte, error) {
	var objects []any
	for _, secret := range secrets {
		data := map[string]string{}
		maps.Copy(data, secret.Data)
		for _, key := range secret.Keys {
			data[key] = FillIn
		}
		if secret.Inputs != nil {
			document, err := secret.document()
			if err != nil {
				return nil, err
			}
			data[ValuesKey] = document
		}
		objects = append(objects, corev1.Secret{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
			ObjectMeta: metav1.ObjectMeta{Name: secret.Name, Namespace: secret.Namespace, Labels: secret.Labels},
			Type:       corev1.SecretType(secret.Type),
			StringData: data,
		})
	}
	return marshalAll(objects)
}

// document is the values document with placeholders.
func (s RequiredSecret) document() (string, error) {
	values := map[string]any{}
	for _, input := range s.Inputs {
		setPath(values, input.Path, input.placeholder())
	}
	var out bytes.Buffer
	if err := encode(&out, values); err != nil {
		return "", fmt.Errorf("write the document of Secret %s: %w", s.Name, err)
	}
	return out.String(), nil
}
