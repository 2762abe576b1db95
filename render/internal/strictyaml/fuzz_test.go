package strictyaml_test

import "testing"

// FuzzSpans holds spans to the YAML library: of any file that loads, the span
// of each value and key is that value's or key's, and can be replaced.
func FuzzSpans(f *testing.F) {
	for _, text := range oddities {
		f.Add([]byte(text))
	}
	for _, data := range corpus(f) {
		if len(data) < 1_000 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4_000 {
			t.Skip("large files cost much and find little")
		}
		checkSources(t, data)
		checkEdits(t, data)
	})
}
