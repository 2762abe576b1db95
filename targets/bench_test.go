package targets_test

import (
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// BenchmarkRender is one environment with every overlay built.
func BenchmarkRender(b *testing.B) {
	plan := forFlux(b, samples(b)["prod"], "2.7")
	for b.Loop() {
		if _, err := render.Render(plan, targets.Flux{}); err != nil {
			b.Fatal(err)
		}
	}
}
