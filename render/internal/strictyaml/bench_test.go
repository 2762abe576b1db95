package strictyaml_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// BenchmarkLoad reads an environment with every field, and files of 9,000 values.
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

// BenchmarkSource asks for the first source, which finds those of the whole file.
func BenchmarkSource(b *testing.B) {
	for _, file := range benchFiles(b) {
		b.Run(file.name, func(b *testing.B) {
			b.SetBytes(int64(len(file.data)))
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				root, problems := strictyaml.Load(file.name, file.data)
				if problems != nil {
					b.Fatal(problems)
				}
				b.StartTimer()
				if _, known := root.Source(); !known {
					b.Fatal("the source is not known")
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
	line := "[" + strings.Repeat(`{"ä": &x b, c: `+strings.Repeat("é", 150)+"}, ", 3_000) + "]\n"
	return []benchFile{{"environment", environment}, {"large", []byte(large.String())}, {"one line", []byte(line)}}
}
