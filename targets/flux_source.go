package targets

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/pm-gitops/pm-gitops/render"
)

// chartLayer is the layer of a chart's archive. Without it Flux takes the
// first layer, whatever that is, and with any other operation than copy it
// packs the archive anew
// (https://fluxcd.io/flux/components/source/ocirepositories/#layer-selector).
const chartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

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
