package images_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/images"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParse(t *testing.T) {
	for text, want := range map[string]images.Reference{
		"postgres":                                 {Host: "docker.io", Repository: "library/postgres"},
		"postgres:17":                              {Host: "docker.io", Repository: "library/postgres", Tag: "17"},
		"istio/proxyv2:1.28.3":                     {Host: "docker.io", Repository: "istio/proxyv2", Tag: "1.28.3"},
		"docker.io/postgres:17":                    {Host: "docker.io", Repository: "library/postgres", Tag: "17"},
		"docker.io/library/postgres":               {Host: "docker.io", Repository: "library/postgres"},
		"index.docker.io/library/postgres:1":       {Host: "docker.io", Repository: "library/postgres", Tag: "1"},
		"quay.io/app":                              {Host: "quay.io", Repository: "app"},
		"localhost/app:1":                          {Host: "localhost", Repository: "app", Tag: "1"},
		"registry:5000/a/b:1":                      {Host: "registry:5000", Repository: "a/b", Tag: "1"},
		"[::1]:5000/a:1":                           {Host: "[::1]:5000", Repository: "a", Tag: "1"},
		"registry:5000/a":                          {Host: "registry:5000", Repository: "a"},
		"a.b/c@" + digest:                          {Host: "a.b", Repository: "c", Digest: digest},
		"a.b/c:1@" + digest:                        {Host: "a.b", Repository: "c", Tag: "1", Digest: digest},
		"a.b/c__d/e-f.g:V1_x.y-z":                  {Host: "a.b", Repository: "c__d/e-f.g", Tag: "V1_x.y-z"},
		"a.b/c:" + strings.Repeat("1", 128):        {Host: "a.b", Repository: "c", Tag: strings.Repeat("1", 128)},
		"a.b/c@sha512:" + strings.Repeat("a", 128): {Host: "a.b", Repository: "c", Digest: "sha512:" + strings.Repeat("a", 128)},
	} {
		got, err := images.Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", text, got, err, want)
		}
		if again, err := images.Parse(got.String()); err != nil || again != got {
			t.Errorf("Parse(%q) = %+v, %v, want what it was written from: %+v", got, again, err, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "a:", ":1", "a b", "A", "a.b/C:1", " a:1", "a:1 ", "a/", "/a", "a//b", "../a", "a/../b", "./a", "a.b/./c",
		"https://a.b/c", "oci://a.b/c:1", "file:///etc/passwd", "/etc/passwd", "a@", "a@sha256:abc", "a@" + digest + "0", "a@md5:" + strings.Repeat("a", 64), "a@b@" + digest,
		"{{ .ProxyImage }}", "${IMAGE}", "user:pass@host/db", "a:b:c", "-a", "a-", "a..b", "a:.1", "a:-1", "a.b-/c", "a:" + strings.Repeat("1", 129), strings.Repeat("a", 300), strings.Repeat("a/", 5000) + "b", "a:1\n", "a\x1b[31m:1",
	} {
		got, err := images.Parse(text)
		if err == nil {
			t.Errorf("Parse(%q) = %+v, want an error", text, got)
			continue
		}
		if len(err.Error()) > 3000 || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("Parse(%.40q): the error is %d bytes long or has control characters in it", text, len(err.Error()))
		}
	}
}
