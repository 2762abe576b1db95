package registry

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
)

// image pushes an image that says when it was made, and gives its digest and size.
func (f *fake) image(t *testing.T, name, annotations, config string) (digest string, size int) {
	t.Helper()
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[],"annotations":{%s}}`, ociManifest, digestOf([]byte(config)), len(config), annotations)
	return registrytest.Put(t, f.host+"/"+name, ociManifest, manifest, nil, []byte(config)), len(manifest)
}

func TestCreated(t *testing.T) {
	const annotation = `"org.opencontainers.image.created":%q`
	said := func(text string) string { return fmt.Sprintf(annotation, text) }
	config := func(created, label string) string {
		return fmt.Sprintf(`{"created":%q,"config":{"Labels":{`+annotation+`}}}`, created, label)
	}
	f := newFake(t)
	c, _ := f.client(t, Options{})
	f.image(t, "app:annotated", said("2025-11-04T23:43:00+01:00"), config("2025-01-01T00:00:00Z", ""))
	f.image(t, "app:created", "", config("2025-11-04T23:43:00.5Z", ""))
	f.image(t, "app:labelled", "", config("", "2025-11-04T23:43:00Z"))
	f.image(t, "app:inherited", "", config("2025-11-04T23:43:00Z", "2019-01-01T00:00:00Z"))
	f.image(t, "app:frozen", "", config("2019-01-01T00:00:00Z", "2025-11-04T23:43:00Z"))
	f.image(t, "app:repeatable", said("1970-01-01T00:00:00Z"), config("0001-01-01T00:00:00Z", "yesterday"))
	f.image(t, "app:silent", "", `{}`)
	f.image(t, "app:odd", "", `[]`)
	index := func(tag, annotations string, platforms ...[2]string) {
		var manifests []string
		for i, platform := range platforms {
			digest, size := f.image(t, fmt.Sprintf("app:%s-%d", tag, i), "", config(platform[1], ""))
			manifests = append(manifests, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"platform":{"os":%q}}`, ociManifest, digest, size, platform[0]))
		}
		manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s],"annotations":{%s}}`, ociIndex, strings.Join(manifests, ","), annotations)
		registrytest.Put(t, f.host+"/app:"+tag, ociIndex, manifest, nil)
	}
	linux := func(created string) [2]string { return [2]string{"linux", created} }
	index("platforms", "", linux("2025-11-04T01:00:00Z"), linux("2025-11-04T03:00:00Z"), linux("2025-11-04T02:00:00Z"), [2]string{"unknown", ""})
	index("halfSilent", "", linux("2025-11-04T01:00:00Z"), linux(""))
	index("annotatedIndex", said("2025-11-04T05:00:00Z"), linux(""))
	index("many", "", slices.Repeat([][2]string{linux("2025-11-04T01:00:00Z")}, maxPlatforms+1)...)
	registrytest.Push(t, f.host, "chart", "1.2.3", []byte("archive"))
	for tag, want := range map[string]string{
		"app:annotated": "2025-11-04T22:43:00Z", "app:created": "2025-11-04T23:43:00Z", "app:labelled": "2025-11-04T23:43:00Z",
		"app:inherited": "2025-11-04T23:43:00Z", "app:frozen": "2025-11-04T23:43:00Z",
		"app:repeatable": "", "app:silent": "", "app:odd": "", "chart:1.2.3": "",
		"app:platforms": "2025-11-04T03:00:00Z", "app:halfSilent": "", "app:annotatedIndex": "2025-11-04T05:00:00Z",
	} {
		made, err := c.Created(t.Context(), f.host+"/"+tag)
		got := ""
		if !made.IsZero() {
			got = made.UTC().Format(time.RFC3339)
		}
		if err != nil || got != want {
			t.Errorf("Created(%s) = %q, %v, want %q", tag, got, err, want)
		}
	}
	_, err := c.Created(t.Context(), f.host+"/app:many")
	checkError(t, err, TooLarge, "the image is for more than 16 platforms")
	_, err = c.Created(t.Context(), f.host+"/app:none")
	checkError(t, err, NoVersion, "has no none in app")
	_, err = c.Created(t.Context(), "https://"+f.host+"/app:none")
	checkError(t, err, BadRef, "an image is host/path/name:tag, without a scheme")
	offline, _ := f.client(t, Options{Offline: true})
	_, err = offline.Created(t.Context(), f.host+"/app:created")
	checkError(t, err, NotCached, "offline")
	f.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/manifests/") && r.Method == http.MethodGet {
			_, _ = w.Write([]byte("<html>log in</html>"))
			return true
		}
		return false
	})
	_, err = c.Created(t.Context(), f.host+"/app:created")
	checkError(t, err, Other, "is no OCI manifest")
}

func TestImageTags(t *testing.T) {
	f := newFake(t)
	for _, tag := range []string{"2025.7.202512010000", "latest", "2025.10.202511042343", "sha256-0123.sig"} {
		f.image(t, "cloud/server:"+tag, "", `{}`)
	}
	c, _ := f.client(t, Options{Keychain: login})
	got, err := c.ImageTags(t.Context(), f.host+"/cloud/server")
	if want := []string{"2025.10.202511042343", "2025.7.202512010000", "latest", "sha256-0123.sig"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("ImageTags = %v, %v, want %v", got, err, want)
	}
	for _, status := range []int{401, 403, 405} {
		f.interfere(with("/tags/list", status, "DENIED", ""))
		_, err := c.ImageTags(t.Context(), f.host+"/cloud/server")
		checkError(t, err, TagsForbidden, fmt.Sprintf("tags of %s/cloud/server: %s does not let this login list the versions of cloud/server", f.host, f.host))
	}
	f.interfere(nil)
	_, err = c.ImageTags(t.Context(), f.host+"/cloud/none")
	checkError(t, err, NoRepository, "has no repository cloud/none")
	offline, _ := f.client(t, Options{Offline: true})
	_, err = offline.ImageTags(t.Context(), f.host+"/cloud/server")
	checkError(t, err, NotCached, "offline")
}
