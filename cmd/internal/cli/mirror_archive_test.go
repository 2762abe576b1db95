package cli

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/archive"
	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
)

// A chart that one environment takes by its tag and another by its digest is one artifact
// of the archive, with the targets and environments of both.
func TestArchiveHasAChartOnce(t *testing.T) {
	const source = "quay.io/acme/charts/app:1.0.0"
	raw := `{"schemaVersion":2}`
	const digest = "sha256:bafebd36189ad3688b7b3915ea55d461e0bfcfbdde11e54b0a123999fb6be50f"
	bundle := func(from, environment string) mirror.Bundle {
		return mirror.Bundle{
			Result: mirror.Result{Kind: mirror.Chart, Source: from, Digest: digest, Environments: []string{environment}},
			Pieces: []mirror.Piece{{Reference: source, Digest: digest, MediaType: "application/vnd.oci.image.manifest.v1+json", Bytes: []byte(raw)}},
		}
	}
	path := filepath.Join(t.TempDir(), "a.tar")
	w, err := archive.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	sink := &archiveSink{Writer: w, targets: map[string][]string{source: {"r.io/a:1.0.0"}, source + "@" + digest: {"r.io/b:1.0.0"}}}
	if err := sink.Begin([]mirror.Bundle{bundle(source, "one"), bundle(source+"@"+digest, "two")}); err != nil {
		t.Fatal(err)
	}
	if err := sink.Commit(); err != nil {
		t.Fatal(err)
	}
	held, err := archive.Open(t.Context(), path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	contents, _ := held.Contents()
	got := contents.Artifacts
	if len(got) != 1 || strings.Join(got[0].Targets, " ") != "r.io/a:1.0.0 r.io/b:1.0.0" || !slices.Equal(got[0].Environments, []string{"one", "two"}) {
		t.Errorf("artifacts: %+v", got)
	}
}
