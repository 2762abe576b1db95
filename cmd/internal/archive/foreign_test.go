package archive_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
	orasremote "oras.land/oras-go/v2/registry/remote"

	"github.com/pm-gitops/pm-gitops/cmd/internal/archive"
	"github.com/pm-gitops/pm-gitops/cmd/internal/archive/archivetest"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// openPath opens an archive that is there.
func openPath(t testing.TB, path string) *archive.Archive {
	t.Helper()
	held, err := archive.Open(t.Context(), path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	return held
}

// tarOf packs a folder as `tar c .` does.
func tarOf(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.tar")
	var all []archivetest.Entry
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		all = append(all, archivetest.File("./"+filepath.ToSlash(must(filepath.Rel(dir, name))), string(must(os.ReadFile(name)))))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, archivetest.Pack(t, all), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What crane pull --format=oci writes is read, from a folder and from a tar: with
// --annotate-ref by name, and else by digest. skopeo writes names alike.
func TestLayoutsOfCrane(t *testing.T) {
	index := must(random.Index(100, 1, 2))
	digest := must(index.Digest()).String()
	for annotation, want := range map[string]archive.Reference{
		"quay.io/acme/app:1":            {Name: "quay.io/acme/app:1", Digest: digest},
		"quay.io/acme/app@" + digest:    {Name: "quay.io/acme/app@" + digest, Digest: digest},
		"alpine:3.20":                   {Name: "docker.io/library/alpine:3.20", Digest: digest},
		"index.docker.io/library/redis": {Name: "docker.io/library/redis:latest", Digest: digest},
		"latest":                        {Tag: "latest", Digest: digest},
		"":                              {Digest: digest},
	} {
		dir := t.TempDir()
		path := must(layout.Write(dir, empty.Index))
		var options []layout.Option
		if annotation != "" {
			options = append(options, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": annotation}))
		}
		if err := path.AppendIndex(index, options...); err != nil {
			t.Fatal(err)
		}
		for _, place := range []string{dir, tarOf(t, dir)} {
			held := openPath(t, place)
			if got := held.References(); len(got) != 1 || got[0] != want {
				t.Errorf("%q in %s: %+v, want %+v", annotation, place, got, want)
			}
			if _, ours := held.Contents(); ours {
				t.Errorf("%q: it has contents", annotation)
			}
			repository, _, _ := strings.Cut(want.Name, "@")
			if !held.Has("quay.io/acme/app@"+digest) && (want.Name == "" || strings.HasPrefix(want.Name, "quay.io/")) {
				t.Errorf("%q: %s is not found by its digest", annotation, repository)
			}
			if _, _, err := held.Manifest("any.io/repository", digest); err != nil {
				t.Error(err)
			}
		}
	}
}

// What oras copy --recursive --to-oci-layout writes is read, with referrers, signatures
// under the tags of cosign, and an index under the fallback tag.
func TestLayoutsOfOras(t *testing.T) {
	for _, api := range []bool{true, false} {
		server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(api)))
		defer server.Close()
		host := server.Listener.Addr().String()
		image := must(random.Image(100, 2))
		digest := must(image.Digest())
		subject := v1.Descriptor{MediaType: must(image.MediaType()), Digest: digest, Size: must(image.Size())}
		sbom := mutate.Subject(mutate.MediaType(must(random.Image(100, 1)), types.OCIManifestSchema1), subject).(v1.Image)
		referrer := must(sbom.Digest()).String()
		signature := "sha256-" + digest.Hex + ".sig"
		for at, one := range map[string]v1.Image{":1": image, ":" + signature: must(random.Image(100, 1)), "@" + referrer: sbom} {
			if err := remote.Write(must(name.ParseReference(host+"/app"+at)), one); err != nil {
				t.Fatal(err)
			}
		}
		from := must(orasremote.NewRepository(host + "/app"))
		from.PlainHTTP = true
		dir := t.TempDir()
		store := must(oci.New(dir))
		for _, tag := range []string{"1", signature} {
			if _, err := oras.ExtendedCopy(t.Context(), from, tag, store, tag, oras.DefaultExtendedCopyOptions); err != nil {
				t.Fatal(err)
			}
		}
		for _, place := range []string{dir, tarOf(t, dir)} {
			held := openPath(t, place)
			if got := held.References(); !slices.Contains(got, archive.Reference{Tag: "1", Digest: digest.String()}) || len(got) != 1 {
				t.Errorf("%+v", got)
			}
			if got := held.Referrers("any.io/app", digest.String()); !slices.Equal(got, []string{referrer}) {
				t.Errorf("with the API %v: referrers %v, want %s", api, got, referrer)
			}
			if _, _, err := held.Manifest("any.io/app", signature); err != nil {
				t.Error(err)
			}
			if _, _, err := held.Manifest("any.io/app", "1"); err == nil {
				t.Error("a tag without a repository is that of any")
			}
		}
	}
}

// A folder is no way out of it.
func TestFoldersWithLinksAreRefused(t *testing.T) {
	dir := t.TempDir()
	if err := must(layout.Write(dir, empty.Index)).AppendImage(must(random.Image(10, 1))); err != nil {
		t.Fatal(err)
	}
	openPath(t, dir)
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "blobs", "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Open(t.Context(), dir, dir); err == nil || !strings.Contains(err.Error(), "blobs/link is neither a file nor a folder") {
		t.Errorf("Open = %v", err)
	}
}
