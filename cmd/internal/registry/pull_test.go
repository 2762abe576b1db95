package registry

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
)

func TestChartIsPulledByTagByDigestAndByBoth(t *testing.T) {
	f := newFake(t)
	ref, digest, archive := f.push(t, "prefect-cloud", "1.2.3+build.5")
	for name, ref := range map[string]Ref{
		"tag":    ref,
		"digest": {Repository: ref.Repository, Digest: digest},
		"both":   {Repository: "oci://" + ref.Repository, Version: ref.Version, Digest: digest},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := f.client(t, Options{Cache: t.TempDir()})
			chart, err := c.Chart(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(chart.Archive, archive) || chart.Digest != digest || chart.ArchiveDigest != digestOf(archive) {
				t.Errorf("Chart(%v) = %d bytes, digest %s of archive %s", ref, len(chart.Archive), chart.Digest, chart.ArchiveDigest)
			}
			if chart.Metadata.Name != "prefect-cloud" || chart.Metadata.Version != "1.2.3+build.5" || chart.MovedFrom != "" {
				t.Errorf("Chart(%v).Metadata = %+v, moved from %q", ref, chart.Metadata, chart.MovedFrom)
			}
		})
	}
	if f.asked("/manifests/1.2.3_build.5") != 2 {
		t.Error("a plus sign is not an underscore in the tag")
	}
}

func TestTagsAreAskedAgainAndBlobsAreNot(t *testing.T) {
	f := newFake(t)
	ref, digest, _ := f.push(t, "istiod", "1.0.0")
	cache := t.TempDir()
	for run, wantBlobs := range []int{2, 0} {
		c, _ := f.client(t, Options{Cache: cache})
		for range 3 {
			if _, err := c.Chart(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
		}
		f.mu.Lock()
		requests := strings.Join(f.requests, " ")
		f.requests = nil
		f.mu.Unlock()
		if tags, blobs := strings.Count(requests, "/manifests/"), strings.Count(requests, "/blobs/"); tags != 1 || blobs != wantBlobs {
			t.Errorf("run %d: %d manifests and %d blobs, want 1 and %d: %s", run, tags, blobs, wantBlobs, requests)
		}
	}
	c, _ := f.client(t, Options{Cache: cache})
	if _, err := c.Chart(t.Context(), Ref{Repository: ref.Repository, Digest: digest}); err != nil || f.asked("") != 0 {
		t.Errorf("a digest in the cache was asked for: %v", err)
	}
}

func TestMovedTagIsNoticed(t *testing.T) {
	f := newFake(t)
	ref, first, _ := f.push(t, "istiod", "1.0.0")
	cache := t.TempDir()
	c, _ := f.client(t, Options{Cache: cache})
	if _, err := c.Chart(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	manifest, _, _ := chartParts(t, "istiod", "1.0.0")
	second := registrytest.Put(t, ref.Repository+":1.0.0", ociManifest, strings.Replace(manifest, `{"schema`, `{"annotations":{"again":"yes"},"schema`, 1), nil)

	if again, err := c.Chart(t.Context(), ref); err != nil || again.Digest != first {
		t.Errorf("within one client the version became another chart: %v %s", err, again.Digest)
	}
	for _, want := range []string{first, ""} {
		c, _ := f.client(t, Options{Cache: cache})
		chart, err := c.Chart(t.Context(), ref)
		if err != nil || chart.Digest != second || chart.MovedFrom != want {
			t.Errorf("Chart = %s moved from %q, %v; want %s moved from %q", chart.Digest, chart.MovedFrom, err, second, want)
		}
	}
	c, _ = f.client(t, Options{Cache: cache})
	_, err := c.Chart(t.Context(), Ref{Repository: ref.Repository, Version: "1.0.0", Digest: first})
	checkError(t, err, Moved, "istiod 1.0.0@"+first+": the tag now means "+second)
}

func TestManyAskAtOnce(t *testing.T) {
	f := newFake(t)
	ref, _, archive := f.push(t, "istiod", "1.0.0")
	c, _ := f.client(t, Options{Cache: t.TempDir()})
	first, cancel := context.WithCancel(t.Context())
	reached, open := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f.interfere(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/manifests/") {
			once.Do(func() { close(reached) })
			<-open
		}
		return false
	})
	errs := make(chan error, 1)
	go func() {
		_, err := c.Chart(first, ref)
		errs <- err
	}()
	<-reached
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if chart, err := c.Chart(t.Context(), ref); err != nil || !bytes.Equal(chart.Archive, archive) {
				t.Errorf("Chart = %d bytes, %v", len(chart.Archive), err)
			}
		})
	}
	cancel() // whoever came first gives up: the others must not
	if err := <-errs; !ended(err) {
		t.Errorf("the first one's error is %v, want its context's", err)
	}
	close(open)
	all.Wait()
	if downloads := f.asked("/blobs/" + digestOf(archive)); downloads != 1 {
		t.Errorf("%d downloads of the archive, want 1", downloads)
	}
}

func TestOtherThingsThanCharts(t *testing.T) {
	f := newFake(t)
	chart, config, archive := chartParts(t, "app", "1.0.0")
	// Everything an index or a manifest may name is there.
	chartDigest := registrytest.Put(t, f.host+"/charts/app:source", ociManifest, chart, nil, config, archive)
	entry := func(artifactType, digest string) string {
		return fmt.Sprintf(`{"mediaType":%q,"artifactType":%q,"digest":%q,"size":%d}`, ociManifest, artifactType, digest, len(chart))
	}
	index := func(entries ...string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, ociIndex, strings.Join(entries, ","))
	}
	signature := registrytest.Put(t, f.host+"/charts/app:signature", ociManifest, strings.Replace(chart, helmConfig, "application/vnd.oci.empty.v1+json", 1), nil)
	layer := fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, helmArchive, digestOf(archive), len(archive))
	tests := []struct {
		name, mediaType, manifest string
		kind                      Kind
		want                      string // empty: it is pulled
	}{
		{"chart behind an index", ociIndex, index(entry("", chartDigest)), 0, ""},
		{"chart beside a signature", ociIndex, index(entry("application/vnd.dev.sigstore.bundle+json", signature), entry(helmConfig, chartDigest)), 0, ""},
		{"provenance beside the archive", ociManifest, strings.Replace(chart, `"layers":[`, `"layers":[{"mediaType":"application/vnd.cncf.helm.chart.provenance.v1.prov","digest":"`+digestOf(nil)+`","size":0},`, 1), 0, ""},
		{"archive of an old Helm", ociManifest, strings.Replace(chart, helmArchive, helmArchiveOld, 1), 0, ""},
		{"index of two", ociIndex, index(entry("", chartDigest), entry("", signature)), NotChart, "it is an image index of 2 manifests, 2 of which could be charts"},
		{"empty index", ociIndex, index(), NotChart, "it is an image index of 0 manifests"},
		{"container image", ociManifest, strings.Replace(chart, helmConfig, "application/vnd.oci.image.config.v1+json", 1), NotChart, "it is a container image: want config " + helmConfig},
		{"flux artifact", ociManifest, strings.Replace(chart, helmConfig, fluxConfig, 1), NotChart, "an artifact that the flux program pushed"},
		{"OCI 1.1 artifact", ociManifest, strings.Replace(strings.Replace(chart, helmConfig, "application/vnd.oci.empty.v1+json", 1), `{"schema`, `{"artifactType":"text/x","schema`, 1), NotChart, `an artifact of type "text/x"`},
		{"two archives", ociManifest, strings.Replace(chart, `"layers":[`, `"layers":[`+layer+`,`, 1), NotChart, "it holds 2 chart archives"},
		{"no archive", ociManifest, strings.Replace(chart, helmArchive, "text/plain", 1), NotChart, "it holds 0 chart archives"},
		{"image and index at once", ociManifest, strings.Replace(chart, `{"schema`, `{"manifests":[],"schema`, 1), NotChart, "an image and an index at once"},
		{"old schema", ociManifest, strings.Replace(chart, `Version":2`, `Version":1`, 1), NotChart, "schema version 1"},
		{"other digest algorithm", ociManifest, strings.Replace(chart, digestOf(archive), "sha512:00", 1), NotChart, `digest "sha512:00": want sha256`},
		{"huge archive", ociManifest, strings.Replace(chart, fmt.Sprintf(`"size":%d}]`, len(archive)), `"size":67108865}]`, 1), TooLarge, "its archive has 67108865 bytes: want at most 67108864"},
		{"wrong size", ociManifest, strings.Replace(chart, fmt.Sprintf(`"size":%d}]`, len(archive)), `"size":1}]`, 1), WrongDigest, "sent another archive than " + digestOf(archive)},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, _ := f.client(t, Options{Cache: t.TempDir()})
			tag := fmt.Sprint("t", i)
			digest := registrytest.Put(t, f.host+"/charts/app:"+tag, test.mediaType, test.manifest, nil)
			got, err := c.Chart(t.Context(), Ref{Repository: f.host + "/charts/app", Digest: digest})
			if test.want != "" {
				checkError(t, err, test.kind, test.want)
			} else if err != nil || !bytes.Equal(got.Archive, archive) || got.Digest != digest {
				t.Errorf("Chart = %d bytes of %s, %v; want %s", len(got.Archive), got.Digest, err, digest)
			}
		})
	}
}

func TestAnotherChartThanAskedFor(t *testing.T) {
	f := newFake(t)
	c, _ := f.client(t, Options{})
	manifest, config, archive := chartParts(t, "other", "2.0.0")
	registrytest.Put(t, f.host+"/charts/app:1.0.0", ociManifest, manifest, nil, config, archive)
	registrytest.Put(t, f.host+"/charts/other:1.0.0", ociManifest, manifest, nil, config, archive)
	_, err := c.Chart(t.Context(), Ref{Repository: f.host + "/charts/app", Version: "1.0.0"})
	checkError(t, err, Mismatch, `the chart calls itself "other", not "app"`)
	_, err = c.Chart(t.Context(), Ref{Repository: f.host + "/charts/other", Version: "1.0.0"})
	checkError(t, err, Mismatch, `the chart under tag 1.0.0 calls itself version "2.0.0", not "1.0.0"`)
}

func TestTagsAreVersionsInOrder(t *testing.T) {
	caFile, certificate := authority(t, "127.0.0.1")
	f := newFake(t, certificate)
	pages := [][]string{{"1.10.0", "latest", "1.9.0"}, {"1.9.0_b", "sha256-0123.sig", "1.9.0_a"}, {"1.10.0-rc.1", "v1", "2026.01.5"}}
	f.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/tags/list") {
			return false
		}
		page := map[string]int{"": 0, "one": 1, "two": 2}[r.URL.Query().Get("last")]
		if page < 2 {
			w.Header().Set("Link", fmt.Sprintf(`<%s?last=%s>; rel="next"`, r.URL.Path, []string{"one", "two"}[page]))
		}
		fmt.Fprintf(w, `{"name":"x","tags":["%s"]}`, strings.Join(pages[page], `","`))
		return true
	})
	c, _ := f.client(t, Options{CAFile: caFile})
	got, err := c.Tags(t.Context(), f.host+"/charts/app")
	want := []string{"1.9.0", "1.9.0+a", "1.9.0+b", "1.10.0-rc.1", "1.10.0"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Tags = %v, %v; want %v", got, err, want)
	}
}

func TestDigestOfAnImage(t *testing.T) {
	f := newFake(t)
	c, _ := f.client(t, Options{})
	image := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"x","digest":%q,"size":0},"layers":[]}`, ociManifest, digestOf(nil))
	platform := registrytest.Put(t, f.host+"/cloud/server:amd64", ociManifest, image, nil)
	index := registrytest.Put(t, f.host+"/cloud/server:2025.10", ociIndex, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`, ociIndex, ociManifest, platform, len(image)), nil)
	f.asked("")
	for ref, want := range map[string]string{"cloud/server:2025.10": index, "cloud/server:amd64": platform, "cloud/server@" + platform: platform, "cloud/server:amd64@" + platform: platform} {
		if got, err := c.Digest(t.Context(), f.host+"/"+ref); err != nil || got != want {
			t.Errorf("Digest(%s) = %s, %v; want %s", ref, got, err, want)
		}
	}
	if f.asked("GET /v2/cloud") != 0 {
		t.Error("images were sent, not only named")
	}
	for name, before := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"no HEAD": func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return true
		},
		"no digest header": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", ociIndex)
			return true
		},
	} {
		f.interfere(func(w http.ResponseWriter, r *http.Request) bool { return r.Method == http.MethodHead && before(w, r) })
		if got, err := c.Digest(t.Context(), f.host+"/cloud/server:2025.10"); err != nil || got != index {
			t.Errorf("%s: Digest = %s, %v; want %s", name, got, err, index)
		}
	}
	f.interfere(nil)
	_, err := c.Digest(t.Context(), f.host+"/cloud/server:2025.11")
	checkError(t, err, NoVersion, "has no 2025.11 in cloud/server")
}
