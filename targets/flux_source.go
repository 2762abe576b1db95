package targets

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/verify"
)

// chartLayer is the layer of a chart's archive. Without it Flux takes the
// first layer, whatever that is, and with any other operation than copy it
// packs the archive anew
// (https://fluxcd.io/flux/components/source/ocirepositories/#layer-selector).
const chartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

// source gives the OCIRepository of a release and, where it verifies signatures with
// public keys, the Secret that has them. Flux reads them from nothing but a Secret;
// there is nothing secret in it.
func (w fluxWriter) source(release render.Release) []any {
	repository := w.ociRepository(release)
	policy, found := w.plan.Policy(release.Chart.Repository)
	if !found || !policy.Required { // Flux takes no chart without a signature
		return []any{repository}
	}
	repository.Spec.Verify = &sourcev1.OCIRepositoryVerification{Provider: "cosign"}
	if identity := policy.Keyless; identity != nil {
		repository.Spec.Verify.MatchOIDCIdentity = []sourcev1.OIDCIdentityMatch{{Issuer: identity.IssuerExpression(), Subject: string(identity.Subject)}}
		return []any{repository}
	}
	keys := publicKeys(release, policy.Keys)
	repository.Spec.Verify.SecretRef = &meta.LocalObjectReference{Name: keys.Name}
	return []any{repository, keys}
}

// publicKeys gives the Secret with the public keys of a release: each key that ends in
// .pub is one. Its name carries a hash of the keys: Flux verifies a chart that it has once
// more only if the OCIRepository's specification changes
// (https://fluxcd.io/flux/components/source/ocirepositories/#verification).
func publicKeys(release render.Release, keys []verify.Key) corev1.Secret {
	secret := corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, StringData: map[string]string{}}
	hash := sha256.New()
	for _, key := range keys {
		secret.StringData[key.Name+".pub"] = key.PEM
		_, _ = hash.Write([]byte(key.Name + "\n" + key.PEM))
	}
	secret.Name = release.Key + "-public-keys-" + hex.EncodeToString(hash.Sum(nil)[:4])
	return secret
}

// ociRepository says where Flux gets a release's chart. It is served as v1 from
// Flux 2.6.
func (w fluxWriter) ociRepository(release render.Release) sourcev1.OCIRepository {
	version := "v1"
	if w.minor < 6 {
		version = "v1beta2"
	}
	chart := release.Chart
	repository := sourcev1.OCIRepository{
		TypeMeta:   metav1.TypeMeta{APIVersion: sourcev1.GroupVersion.Group + "/" + version, Kind: sourcev1.OCIRepositoryKind},
		ObjectMeta: metav1.ObjectMeta{Name: sourceName(release)},
		Spec: sourcev1.OCIRepositorySpec{
			Interval:      metav1.Duration{Duration: checkInterval},
			URL:           sourcev1.OCIRepositoryPrefix + chart.Repository,
			LayerSelector: &sourcev1.OCILayerSelector{MediaType: chartLayer, Operation: sourcev1.OCILayerCopy},
			Reference:     reference(chart),
		},
	}
	switch {
	case chart.PullSecret != "":
		repository.Spec.SecretRef = &meta.LocalObjectReference{Name: chart.PullSecret}
	case googleHost(chart.Repository):
		repository.Spec.Provider = sourcev1.GoogleOCIProvider
	}
	if chart.CASecret != "" {
		repository.Spec.CertSecretRef = &meta.LocalObjectReference{Name: chart.CASecret}
	}
	return repository
}

// reference pins the digest or the version. Flux ignores the tag beside a
// digest, so there is only one of them. A registry's tag has no +
// (https://helm.sh/docs/topics/registries/).
func reference(chart render.Chart) *sourcev1.OCIRepositoryRef {
	if chart.Digest != "" {
		return &sourcev1.OCIRepositoryRef{Digest: chart.Digest}
	}
	return &sourcev1.OCIRepositoryRef{Tag: strings.ReplaceAll(chart.Version, "+", "_")}
}

// googleHost reports whether a registry takes the identity of the cluster's
// own Google service account; others must not be asked that way
// (https://fluxcd.io/flux/components/source/ocirepositories/#provider).
func googleHost(repository string) bool {
	host, _, _ := strings.Cut(repository, "/")
	host, _, _ = strings.Cut(host, ":")
	return host == "gcr.io" || strings.HasSuffix(host, ".gcr.io") || strings.HasSuffix(host, ".pkg.dev")
}

// sourceName carries all that makes the chart another one: the
// version, and the start of the digest where it is pinned. A version with
// capitals or a + gets a hash for what is lost.
func sourceName(release render.Release) string {
	version := release.Chart.Version
	name := strings.ToLower(strings.ReplaceAll(version, "+", "-"))
	if name != version {
		sum := sha256.Sum256([]byte(version))
		name += "-" + hex.EncodeToString(sum[:4])
	}
	if digest, ok := strings.CutPrefix(release.Chart.Digest, "sha256:"); ok {
		name += "-" + digest[:12]
	}
	return release.Key + "-" + name
}
