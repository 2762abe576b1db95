package ref_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParseImage(t *testing.T) {
	for text, want := range map[string]ref.Reference{
		"postgres":                                 {Host: "docker.io", Repository: "library/postgres"},
		"postgres:17":                              {Host: "docker.io", Repository: "library/postgres", Tag: "17"},
		"istio/proxyv2:1.28.3":                     {Host: "docker.io", Repository: "istio/proxyv2", Tag: "1.28.3"},
		"docker.io/postgres:17":                    {Host: "docker.io", Repository: "library/postgres", Tag: "17"},
		"docker.io/library/postgres":               {Host: "docker.io", Repository: "library/postgres"},
		"index.docker.io/library/postgres:1":       {Host: "docker.io", Repository: "library/postgres", Tag: "1"},
		"quay.io/app":                              {Host: "quay.io", Repository: "app"},
		"localhost/app:1":                          {Host: "localhost", Repository: "app", Tag: "1"},
		"registry:5000/a/b:1":                      {Host: "registry:5000", Repository: "a/b", Tag: "1"},
		"Quay.IO/a:1":                              {Host: "Quay.IO", Repository: "a", Tag: "1"},
		"Docker.io/a:1":                            {Host: "docker.io", Repository: "library/a", Tag: "1"},
		"LocalHost/a:1":                            {Host: "LocalHost", Repository: "a", Tag: "1"},
		"[::1]:5000/a:1":                           {Host: "[::1]:5000", Repository: "a", Tag: "1"},
		"registry:5000/a":                          {Host: "registry:5000", Repository: "a"},
		"a.b/c@" + digest:                          {Host: "a.b", Repository: "c", Digest: digest},
		"a.b/c:1@" + digest:                        {Host: "a.b", Repository: "c", Tag: "1", Digest: digest},
		"a.b/c__d/e-f.g:V1_x.y-z":                  {Host: "a.b", Repository: "c__d/e-f.g", Tag: "V1_x.y-z"},
		"a.b/c:" + strings.Repeat("1", 128):        {Host: "a.b", Repository: "c", Tag: strings.Repeat("1", 128)},
		"a.b/c@sha512:" + strings.Repeat("a", 128): {Host: "a.b", Repository: "c", Digest: "sha512:" + strings.Repeat("a", 128)},
	} {
		got, err := ref.ParseImage(text)
		if err != nil || got != want {
			t.Errorf("ParseImage(%q) = %+v, %v, want %+v", text, got, err, want)
		}
		if again, err := ref.ParseImage(got.String()); err != nil || again != got {
			t.Errorf("ParseImage(%q) = %+v, %v, want what it was written from: %+v", got, again, err, got)
		}
	}
}

func TestParseImageRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "a:", ":1", "a b", "A", "a.b/C:1", " a:1", "a:1 ", "a/", "/a", "a//b", "../a", "a/../b", "./a", "a.b/./c",
		"https://a.b/c", "oci://a.b/c:1", "file:///etc/passwd", "/etc/passwd", "a@", "a@sha256:abc", "a@" + digest + "0", "a@md5:" + strings.Repeat("a", 64), "a@b@" + digest,
		"{{ .ProxyImage }}", "${IMAGE}", "user:pass@host/db", "a:b:c", "-a", "a-", "a..b", "a:.1", "a:-1", "a.b-/c", "a:" + strings.Repeat("1", 129), strings.Repeat("a", 300), strings.Repeat("a/", 5000) + "b", "a:1\n", "a\x1b[31m:1",
	} {
		got, err := ref.ParseImage(text)
		if err == nil {
			t.Errorf("ParseImage(%q) = %+v, want an error", text, got)
			continue
		}
	}
}

// parts is a table of the grammar's parts: what is right and what is not.
var parts = []struct {
	name         string
	is           func(string) bool
	right, wrong []string
}{
	{
		"host", ref.IsHost,
		[]string{"a.b", "A.B", "a-1.b", "127.0.0.1", "a:1", "A:5000", "localhost", "LOCALHOST", "localhost:5000", "[::1]", "[FE80::1]:443", "a.b:65535"},
		[]string{"", "a", "registry", "a..b", ".a.b", "a.b.", "-a.b", "a-.b", "a_b.c", "a.b:", "a.b:x", "a.b:123456", "a.b/c", "[::1", "::1", "[::1]x", "a b.c", "a.b\n", "u@a.b", strings.Repeat("a.", 128) + "b"},
	},
	{
		"repository", ref.IsRepository,
		[]string{"a", "0", "a/b", "a.b", "a_b", "a__b", "a-b", "a---b", "library/postgres", strings.Repeat("a", 255)},
		[]string{"", "A", "a/", "/a", "a//b", ".", "..", "a/../b", "a..b", "a___b", "a._b", "-a", "a-", "a:1", "a?x", "é", strings.Repeat("a", 256)},
	},
	{
		"tag", ref.IsTag,
		[]string{"1", "_a", "A.b-c_d", "latest", strings.Repeat("1", 128)},
		[]string{"", ".1", "-1", "1+2", "1/2", "1:2", "1@2", "1\n", strings.Repeat("1", 129)},
	},
	{
		"digest", ref.IsDigest,
		[]string{digest, "sha512:" + strings.Repeat("a", 128)},
		[]string{"", "sha256:", "sha256:" + strings.Repeat("a", 63), digest + "0", strings.ToUpper(digest), "sha256:" + strings.Repeat("A", 64), "sha512:" + strings.Repeat("a", 64), "md5:" + strings.Repeat("a", 32), "sha384:" + strings.Repeat("a", 96), "latest"},
	},
	{
		"digest of a chart", ref.IsChartDigest,
		[]string{digest},
		[]string{"", digest + "0", "sha512:" + strings.Repeat("a", 128), "sha256:" + strings.Repeat("A", 64)},
	},
	{
		"folder", ref.IsFolder,
		[]string{"a.b", "A.b/c", "a:1/c/d", "localhost/a", "[::1]/a"},
		[]string{"", "registry", "registry/a", "a.b/", "a.b/C", "a.b//c", "a.b/c/", "a.b/c:1", "a.b/c@" + digest, "oci://a.b/c", "https://a.b/c", "u:p@a.b/c"},
	},
}

func TestParts(t *testing.T) {
	for _, part := range parts {
		for _, text := range part.right {
			if !part.is(text) {
				t.Errorf("%q is no %s", text, part.name)
			}
		}
		for _, text := range part.wrong {
			if part.is(text) {
				t.Errorf("%q is a %s", text, part.name)
			}
		}
	}
}

// TestPatterns holds the expressions of the JSON Schema to the same table.
func TestPatterns(t *testing.T) {
	folder, chart, tag := regexp.MustCompile(ref.FolderPattern), regexp.MustCompile(ref.ChartPattern), regexp.MustCompile(ref.TagPattern)
	for _, part := range parts {
		for i, text := range append(part.right, part.wrong...) {
			right := i < len(part.right)
			switch {
			case part.name == "folder" && folder.MatchString(text) != right:
				t.Errorf("the pattern of folders matches %q: %v", text, !right)
			case part.name == "folder" && chart.MatchString("oci://"+text) != (right && strings.Contains(text, "/")):
				t.Errorf("the pattern of charts is wrong about %q", text)
			case part.name == "tag" && tag.MatchString(text) != right:
				t.Errorf("the pattern of tags matches %q: %v", text, !right)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]ref.Reference{
		"R.test:5000/charts/app":     {Host: "R.test:5000", Repository: "charts/app"},
		"r.test/app:1.0.0_a":         {Host: "r.test", Repository: "app", Tag: "1.0.0_a"},
		"r.test/app:1.0.0@" + digest: {Host: "r.test", Repository: "app", Tag: "1.0.0", Digest: digest},
		"docker.io/app":              {Host: "docker.io", Repository: "app"},
	} {
		if got, err := ref.Parse(text); err != nil || got != want || got.String() != text {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]error{
		"app": ref.ErrHost, "charts/app": ref.ErrHost, "oci://r.test/app": ref.ErrHost, "/app": ref.ErrHost,
		"r.test": ref.ErrRepository, "r.test/App": ref.ErrRepository, "r.test/app:": ref.ErrRepository, "r.test/app@": ref.ErrRepository,
		"r.test/app:1+2": ref.ErrTag, "r.test/app@latest": ref.ErrDigest, "u:p@r.test/app": ref.ErrHost,
		strings.Repeat("a", 1025): ref.ErrLength,
	} {
		if got, err := ref.Parse(text); !errors.Is(err, want) {
			t.Errorf("Parse(%q) = %+v, %v, want %v", text, got, err, want)
		}
	}
}

func TestHasHost(t *testing.T) {
	for name, want := range map[string]bool{
		"a.b/c": true, "a:1/c": true, "localhost/c": true, "[::1]/c": true,
		"a/c": false, "a.b": false, "a.b/": false, "localhost": false, "a/b.c": false, "": false,
	} {
		if got := ref.HasHost(name); got != want {
			t.Errorf("HasHost(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestVersionsAreTags(t *testing.T) {
	if tag := ref.TagOf("1.0.0-rc.1+b+c"); tag != "1.0.0-rc.1_b_c" || ref.VersionOf(tag) != "1.0.0-rc.1+b+c" {
		t.Errorf("TagOf = %q, and back: %q", tag, ref.VersionOf(tag))
	}
}

// FuzzParse: what is taken, written down and read again is the same, and the
// parts are those of the grammar.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"postgres:17", "R.test:5000/a/b:1@" + digest, "[::1]/a", "localhost/a@sha512:" + strings.Repeat("0", 128), "u:p@r.test/a", "a@b:c/d", "docker.io/a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (ref.Reference, error){ref.Parse, ref.ParseImage} {
			got, err := parse(text)
			if err != nil {
				continue
			}
			if again, err := parse(got.String()); err != nil || again != got {
				t.Errorf("%q is %+v, and written down it is %+v, %v", text, got, again, err)
			}
			if strict, err := ref.Parse(got.String()); err != nil || strict != got {
				t.Errorf("%q is %+v, and read strictly it is %+v, %v", text, got, strict, err)
			}
			if !ref.IsHost(got.Host) || !ref.IsFolder(got.Name()) || !ref.HasHost(got.Name()) || got.Tag != "" && !ref.IsTag(got.Tag) || got.Pinned() && !ref.IsDigest(got.Digest) {
				t.Errorf("%q is %+v, which is no reference", text, got)
			}
		}
	})
}
