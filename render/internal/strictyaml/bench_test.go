package strictyaml_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// BenchmarkLoad reads an environment with every field, and a file of 9,000 values.
func BenchmarkLoad(b *testing.B) {
	for _, file := range benchFiles(b) {
		b.Run(file.name, func(b *testing.B) {
			b.SetBytes(int64(len(file.data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, problems := strictyaml.Load(file.name, file.data); problems != nil {
					b.Fatal(problems)
				}
			}
		})
	}
}

type benchFile struct {
	name string
	data []byte
}

func benchFiles(b *testing.B) []benchFile {
	environment, err := os.ReadFile("../../../testdata/env/prod.yaml")
	if err != nil {
		b.Fatal(err)
	}
	var large strings.Builder
	for i := range 1_500 {
		fmt.Fprintf(&large, "key%d: # comment\n  name: a text of some words\n  list: [1, \"two\"]\n", i)
	}
	return []benchFile{{"environment", environment}, {"large", []byte(large.String())}}
}
