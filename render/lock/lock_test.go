package lock_test

import (
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/lock"
)

var update = flag.Bool("update", false, "rewrite the golden file")

var (
	digestA = "sha256:" + strings.Repeat("a", 64)
	digestB = "sha256:" + strings.Repeat("b", 64)
)

func sample() lock.Lock {
	return lock.New("prod", []lock.Artifact{
		{Source: "vendor.example/charts/prefect-istiod:1.2.900", Digest: digestB, Mirror: "registry.example:5000/prefect/charts/prefect-istiod:1.2.900", Signature: "none"},
		{Source: "vendor.example/charts/prefect-cloud:1.2.900_rc.1", Digest: digestA, Mirror: "registry.example:5000/prefect/charts/prefect-cloud:1.2.900_rc.1", Signature: "verified: prefect"},
	}, []lock.Artifact{
		{Source: "vendor.example/server:2025.10", Digest: digestA, Pins: []lock.Pin{{Release: "worker", Tag: "image.tag"}, {Release: "prefect-cloud", Digest: "global.backend.app.image.digest"}}},
		{Source: "docker.io/library/postgres@" + digestB, Digest: digestB},
		{Source: "vendor.example/server:2025.10", Digest: digestA, Pins: []lock.Pin{{Release: "worker", Tag: "image.tag"}, {Release: "agent", Tag: "image.tag"}}},
	})
}

// What is written is in order, each artifact once, and is read back as it was.
func TestYAML(t *testing.T) {
	const golden = "testdata/lock.yaml"
	got, err := sample().YAML()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("YAML (-want +got):\n%s", diff)
	}
	read, err := lock.Parse(golden, []byte(strings.ReplaceAll(string(got), "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	if string(read.Data()) != string(got) || read.File() != golden {
		t.Errorf("Parse keeps %q of %q, want what was written", read.Data(), read.File())
	}
	if at := read.Images[1].Position; at.File != golden || at.Line != 17 {
		t.Errorf("the second image is at %v", at)
	}
	if diff := cmp.Diff(sample(), read, ignored...); diff != "" {
		t.Errorf("Parse (-written +read):\n%s", diff)
	}
}

var ignored = []cmp.Option{cmpopts.IgnoreUnexported(lock.Lock{}), cmpopts.IgnoreFields(lock.Artifact{}, "Position"), cmpopts.EquateEmpty()}

// All problems come at once, each with its place.
func TestParseProblems(t *testing.T) {
	head := "apiVersion: pm-gitops/v1\nkind: Lock\nenvironment: prod\n"
	image := "- {source: a.b/c:1, digest: " + digestA
	for _, test := range []struct{ file, want string }{
		{"kind: Environment\n", "f:1:7: kind: want Lock, got \"Environment\""},
		{head, "f:1:1: charts: the field is missing\nf:1:1: images: the field is missing"},
		{head + "charts: []\nimages: []\ntime: now\n", "f:6:1: time: unknown field: want apiVersion, kind, environment, charts or images"},
		{"apiVersion: v2\nkind: Lock\nenvironment: \"\"\ncharts: []\nimages: []\n", "f:1:1: apiVersion: want pm-gitops/v1, got \"v2\"\nf:3:1: environment: want the name of an environment"},
		{head + "charts: []\nimages:\n" + image + "}\n" + image + "}\n", "f:7:4: images[1].source: a.b/c:1 is defined twice"},
		{head + "charts: []\nimages:\n- {source: a.b/d:1, digest: " + digestA + "}\n" + image + "}\n", "f:7:4: images[1].source: want artifacts in the order of their sources: was the file edited, or merged?"},
		{head + "charts: []\nimages:\n- {source: a.b/c, digest: sha256:1}\n", "f:6:4: images[0].source: want either a tag or a digest in the reference\nf:6:19: images[0].digest: want sha256: and 64 or sha512: and 128 hexadecimal digits, got \"sha256:1\""},
		{head + "charts: []\nimages:\n- {source: a.b/c@" + digestB + ", digest: " + digestA + "}\n", "f:6:91: images[0].digest: want the digest of the source, got \"" + digestA[:60] + "\"…"},
		{head + "charts: []\nimages:\n- {source: \"c:1\", digest: " + digestA + "}\n", "f:6:4: images[0].source: want a reference with its host, such as registry.company.com/prefect/server:1.2.3: want a registry's host, such as registry.company.com or localhost:5000"},
		{head + "charts: []\nimages:\n" + image + ", mirror: \"a.b/c:2\"}\n", "f:6:102: images[0].mirror: want a reference in the mirror with the tag of the source"},
		{head + "charts:\n" + image + ", pins: [{release: a, tag: b}]}\nimages: []\n", "f:5:109: charts[0].pins[0]: only an image with a tag can be pinned by chart values"},
		{head + "charts: []\nimages:\n" + image + ", pins: [{release: \"\", tag: b, digest: c}, {release: a, tag: b..c}]}\n",
			"f:6:109: images[0].pins[0]: want one of digest and tag\nf:6:110: images[0].pins[0].release: want the release whose chart has the value\nf:6:143: images[0].pins[1]: want a dotted chart value such as image.digest, got \"b..c\""},
	} {
		_, err := lock.Parse("f", []byte(test.file))
		var problems render.Problems
		if !errors.As(err, &problems) || err.Error() != test.want {
			t.Errorf("Parse(%s) = %v, want %s", test.file, err, test.want)
		}
	}
}

// A source that means something else is a change, and signatures are those of digests.
func TestChanges(t *testing.T) {
	next := lock.New("prod", []lock.Artifact{
		{Source: "vendor.example/charts/prefect-cloud:1.2.900_rc.1", Digest: digestA},
		{Source: "vendor.example/charts/prefect-istiod:1.2.900", Digest: digestA},
	}, []lock.Artifact{
		{Source: "vendor.example/server:2025.10", Digest: digestB},
		{Source: "vendor.example/server:2025.11", Digest: digestA},
	})
	want := []lock.Change{{"vendor.example/charts/prefect-istiod:1.2.900", digestB, digestA}, {"vendor.example/server:2025.10", digestA, digestB}}
	if got := sample().Changes(next); !slices.Equal(got, want) {
		t.Errorf("Changes = %v, want %v", got, want)
	}
	if got := (lock.Lock{}).Changes(next); got != nil {
		t.Errorf("Changes since nothing = %v", got)
	}
	signed := next.WithSignatures(sample())
	if signed.Charts[0].Signature != "verified: prefect" || signed.Charts[1].Signature != "" || next.Charts[0].Signature != "" {
		t.Errorf("WithSignatures = %+v", signed.Charts)
	}
	if chart, ok := next.Chart("vendor.example/charts/prefect-istiod:1.2.900"); !ok || chart.Digest != digestA {
		t.Errorf("Chart = %v, %v", chart, ok)
	}
	if _, ok := next.Image("vendor.example/server:2025.9"); ok {
		t.Error("Image finds what is not there")
	}
}

// Whatever is read is written and read again as it was.
func FuzzParse(f *testing.F) {
	data, _ := sample().YAML()
	f.Add(data)
	f.Add([]byte("apiVersion: pm-gitops/v1\nkind: Lock\nenvironment: a\ncharts: []\nimages: []\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := lock.Parse("f", data)
		if err != nil {
			return
		}
		written, err := read.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := lock.Parse("f", written)
		if diff := cmp.Diff(read, again, ignored...); err != nil || diff != "" {
			t.Fatalf("%v (-read +again):\n%s", err, diff)
		}
		if twice, _ := again.YAML(); string(twice) != string(written) {
			t.Errorf("written twice: %q and %q", written, twice)
		}
		if changes := read.Changes(again); changes != nil {
			t.Errorf("a lock differs from itself: %v", changes)
		}
	})
}
