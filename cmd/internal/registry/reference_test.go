package registry

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

func TestReferences(t *testing.T) {
	c, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	digest, sha512 := digestOf(nil), "sha512:"+strings.Repeat("a", 128)
	tests := []struct {
		ref  Ref
		want string // in the error; empty where the reference is right
	}{
		{Ref{"us-docker.pkg.dev/p/cloud/charts/app", "1.2.3", ""}, ""},
		{Ref{"oci://Registry.Company.Test:5000/app", "v1.2.3-rc.1+b", digest}, ""},
		{Ref{"localhost/app", "", digest}, ""},
		{Ref{"[::1]:5000/app", "1.0.0", ""}, ""},
		{Ref{"r.test/app", "", ""}, "chart r.test/app: want a version or a digest"},
		{Ref{"app", "1.0.0", ""}, "does not start with a registry's host"},
		{Ref{"charts/app", "1.0.0", ""}, "does not start with a registry's host"},
		{Ref{"r.test", "1.0.0", ""}, "want host/path/name"},
		{Ref{"r.test/App", "1.0.0", ""}, "in lower case and without a tag"},
		{Ref{"r.test/app:1.0.0", "1.0.0", ""}, "in lower case and without a tag"},
		{Ref{"r.test/../app", "1.0.0", ""}, "in lower case and without a tag"},
		{Ref{"r.test//app", "1.0.0", ""}, "in lower case and without a tag"},
		{Ref{"r.test/app?x", "1.0.0", ""}, "in lower case and without a tag"},
		{Ref{"https://r.test/app", "1.0.0", ""}, "is a https address"},
		{Ref{"oci://" + canaryUser + ":" + canaryPassword + "@r.test/app", "1.0.0", ""}, "has a user name, password or digest in it"},
		{Ref{"https://" + canaryUser + ":" + canaryPassword + "@r.test/app", "1.0.0", ""}, "has a user name, password or digest in it"},
		{Ref{"r.test/app", "1.0.0/x", ""}, `no registry can have version "1.0.0/x"`},
		{Ref{"r.test/app", "..", ""}, `no registry can have version ".."`},
		{Ref{"r.test/app", strings.Repeat("1", 129), ""}, "at most 128"},
		{Ref{"r.test/app", "1.0.0", "sha256:12"}, `with 64 hexadecimal digits, got "sha256:12"`},
		{Ref{"r.test/app", "1.0.0", sha512}, "want a digest such as sha256:…"},
		{Ref{"r..test/app", "1.0.0", ""}, "does not start with a registry's host"},
		{Ref{"r.test/app", "1.0.0", "latest"}, "want a digest such as sha256:…"},
	}
	for _, test := range tests {
		_, err := c.locate(test.ref)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("locate(%v) = %v", test.ref, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("locate(%v) = %v, want … %s …", test.ref, err, test.want)
		case err != nil:
			checkNoCanary(t, "the error", err.Error())
		}
	}
	for image, want := range map[string]string{
		"postgres:17":                          "index.docker.io/library/postgres:17",
		"r.test:5000/cloud/ui:2025.1023.1":     "r.test:5000/cloud/ui:2025.1023.1",
		"r.test/cloud/ui:2025@" + digest:       "r.test/cloud/ui@" + digest,
		"R.Test:5000/ui:1":                     "r.test:5000/ui:1",
		"r.test/ui@" + sha512:                  "r.test/ui@" + sha512,
		"r.test/ui@sha512:12":                  "",
		"https://r.test/ui":                    "",
		"u:" + canaryPassword + "@r.test/ui:1": "",
		"r.test/../ui:1":                       "",
		"r.test/UI:1":                          "",
		"":                                     "",
	} {
		ref, err := c.image(image)
		switch {
		case want == "" && err == nil:
			t.Errorf("image(%s) = %s, want an error", image, ref)
		case err != nil:
			checkNoCanary(t, "the error", err.Error())
		}
		if want != "" && (err != nil || ref.Name() != want) {
			t.Errorf("image(%s) = %v, %v; want %s", image, ref, err, want)
		}
	}
}

func TestNearestVersion(t *testing.T) {
	known := versions([]string{"0.8.3", "1.2.0", "1.2.9", "1.2.10", "1.3.0", "2.0.0"})
	for version, want := range map[string]string{
		"1.2.11": ": the nearest is 1.2.10, the newest 2.0.0", "1.2.5": ": the nearest is 1.2.9, the newest 2.0.0",
		"3.0.0": ": the nearest, and newest, is 2.0.0", "0.7.9": ": the nearest is 0.8.3, the newest 2.0.0", "latest": ": the newest is 2.0.0",
	} {
		if got := neighbours(version, known); got != want {
			t.Errorf("neighbours(%s) = %q, want %q", version, got, want)
		}
	}
	if got := neighbours("1.0.0", nil); got != ": it has none" {
		t.Errorf("neighbours of nothing = %q", got)
	}
}

// FuzzRef holds every reference that is taken to what may become an address
// and a file's name.
func FuzzRef(f *testing.F) {
	for _, seed := range []string{"r.test/app", "oci://r.test:5000/a/b", "u:p@r.test/app", "[::1]/a", "r.test/../a", "docker.io/a"} {
		f.Add(seed, "1.0.0+a", "")
	}
	f.Add("r.test/app", "", digestOf(nil))
	c, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, repository, version, digest string) {
		at, err := c.locate(Ref{repository, version, digest})
		if err != nil {
			if user, _, found := strings.Cut(repository, "@"); found && len(user) > 12 && strings.Contains(err.Error(), user) {
				t.Errorf("the error repeats what may be a login: %v", err)
			}
			return
		}
		address := "https://" + at.repository.RegistryStr() + "/v2/" + at.repository.RepositoryStr() + "/manifests/" + at.tag
		parsed, err := url.Parse(address)
		if err != nil || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.Host != at.repository.RegistryStr() || parsed.JoinPath().String() != address {
			t.Errorf("locate(%q, %q) asks for %s: %v", repository, version, address, err)
		}
		if strings.Contains(at.tag, "+") || at.chartName() == "" || strings.Contains(at.chartName(), "/") {
			t.Errorf("locate(%q, %q) has tag %q, name %q", repository, version, at.tag, at.chartName())
		}
	})
}

// FuzzManifest reads whatever a registry may answer.
func FuzzManifest(f *testing.F) {
	manifest, config, _ := chartParts(f, "app", "1.0.0")
	f.Add([]byte(manifest))
	f.Add(config)
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"mediaType":"` + ociManifest + `","digest":"` + digestOf(nil) + `","size":3}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = metadataOf(raw)
		found, err := contentsOf(raw)
		if err != nil {
			if text := err.Error(); strings.Contains(text, "\n") || len(text) > 2000 {
				t.Errorf("error of %d bytes: %s", len(text), text)
			}
			return
		}
		parts := map[descriptor]int64{found.config: maxChartMetadata, found.archive: maxArchive}
		if found.next != nil {
			parts = map[descriptor]int64{*found.next: maxManifest}
		}
		for part, most := range parts {
			if !ref.IsChartDigest(part.Digest) || part.Size < 0 || part.Size > most {
				t.Errorf("contentsOf(%s) takes %+v", raw, part)
			}
		}
		if !json.Valid(raw) {
			t.Errorf("contentsOf takes what is no JSON: %s", raw)
		}
	})
}

// FuzzTags orders whatever a registry lists.
func FuzzTags(f *testing.F) {
	f.Add("1.0.0 1.0.0_a latest 10.0.0 9.0.0-rc.1")
	f.Fuzz(func(t *testing.T, text string) {
		found := versions(strings.Fields(text))
		for i := 1; i < len(found); i++ {
			if semver.MustParse(found[i-1]).Compare(semver.MustParse(found[i])) > 0 {
				t.Errorf("versions(%q) = %v", text, found)
			}
		}
		_ = neighbours(text, found)
	})
}
