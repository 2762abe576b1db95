package chart_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// BenchmarkRender is one chart that was read.
func BenchmarkRender(b *testing.B) {
	for _, name := range []string{"istiod-1.28.3", "metrics-server-3.13.0"} {
		b.Run(name, func(b *testing.B) {
			c := load(b, publicChart(b, name))
			in := chart.Input{As: chart.Helm(), Release: "r", Namespace: "some-place", KubeVersion: "1.33"}
			for b.Loop() {
				out, err := c.Render(b.Context(), in)
				if err != nil {
					b.Fatal(err)
				}
				out.Bytes()
			}
		})
	}
}

// BenchmarkLoad reads an archive.
func BenchmarkLoad(b *testing.B) {
	data, err := os.ReadFile(publicChart(b, "istiod-1.28.3"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := chart.Load(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHelmProgram is the helm program with the same chart, to compare with.
func BenchmarkHelmProgram(b *testing.B) {
	program, file := helmProgram(b), publicChart(b, "istiod-1.28.3")
	for b.Loop() {
		if err := exec.Command(program, "template", "r", file, "-n", "n", "--kube-version", "1.33", "--include-crds").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
