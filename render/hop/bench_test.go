package hop_test

import (
	"testing"

	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// BenchmarkGuide gives the hop of the guide's values to the next line.
func BenchmarkGuide(b *testing.B) {
	for _, version := range []string{"1.3.900", "1.3.901"} {
		b.Run(version, func(b *testing.B) {
			all := values(b, "")
			in := hop.Input{Old: side(standIn(b, charts.Cloud, "1.2.900"), all), New: side(standIn(b, charts.Cloud, version), all), Secrets: guideSecrets}
			renders := 0
			for b.Loop() {
				renders = analyze(b, in).Renders
			}
			b.ReportMetric(float64(renders), "renders")
		})
	}
}
