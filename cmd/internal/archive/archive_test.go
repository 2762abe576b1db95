package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/oci"

	"github.com/pm-gitops/pm-gitops/cmd/internal/archive"
	"github.com/pm-gitops/pm-gitops/cmd/internal/archive/archivetest"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
)

// set collects manifests and blobs for archives.
type set struct {
	contents  archive.Contents
	manifests []archive.Manifest
	blobs     []archive.Blob
	bytes     map[string]string
}

func (s *set) blob(text string) string {
	_, digest := archivetest.Blob(text)
	s.bytes[digest] = text
	s.blobs = append(s.blobs, archive.Blob{Digest: digest, Size: int64(len(text))})
	return digest
}

func (s *set) manifest(reference, mediaType, text string) string {
	_, digest := archivetest.Blob(text)
	s.manifests = append(s.manifests, archive.Manifest{Reference: reference, Image: strings.HasSuffix(reference, ":1"), Digest: digest, MediaType: mediaType, Bytes: []byte(text)})
	return digest
}

// image makes an image, or what refers to another manifest.
func (s *set) image(reference, name, subject string) string {
	config, layer := s.blob(`{"os":"linux","architecture":"`+name+`","rootfs":{"type":"layers","diff_ids":[]}}`), s.blob("layer of "+name)
	if subject != "" {
		subject = `,"subject":` + archivetest.Describe(indexType, subject, s.size(subject), "")
	}
	return s.manifest(reference, manifestType, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]%s}`, manifestType,
		archivetest.Describe("application/vnd.oci.image.config.v1+json", config, len(s.bytes[config]), ""),
		archivetest.Describe("application/octet-stream", layer, len(s.bytes[layer]), ""), subject))
}

// size gives the size of a manifest.
func (s *set) size(digest string) int {
	at := slices.IndexFunc(s.manifests, func(one archive.Manifest) bool { return one.Digest == digest })
	return len(s.manifests[at].Bytes)
}

// example is a signed image of two platforms with a referrer, an image by its digest, and a
// file of an environment.
func example() *set {
	s := &set{bytes: map[string]string{}}
	amd, arm := s.image("", "amd64", ""), s.image("", "arm64", "")
	index := s.manifest("quay.io/acme/app:1", indexType, archivetest.Index(archivetest.Describe(manifestType, amd, s.size(amd), ""), archivetest.Describe(manifestType, arm, s.size(arm), "")))
	s.image("quay.io/acme/app:sha256-"+strings.TrimPrefix(amd, "sha256:")+".sig", "signature", "")
	s.manifests[len(s.manifests)-1].Image = false
	reference := "quay.io/acme/app@"
	referrer := s.image("", "referrer", index)
	s.manifests[len(s.manifests)-1].Reference = reference + referrer
	other := s.image("", "other", "")
	s.manifests[len(s.manifests)-1].Reference = "docker.io/library/other@" + other
	lock := s.blob("lock: 1\n")
	s.contents = archive.Contents{
		Artifacts: []archive.Artifact{
			{Kind: "image", Source: "docker.io/library/other@" + other, Digest: other, Size: 1, Environments: []string{"dev"}},
			{Kind: "image", Source: "quay.io/acme/app:1", Targets: []string{"r.io/app:1"}, Digest: index, Size: 2, Environments: []string{"dev", "prod"}},
		},
		Files: []archive.File{{Name: "prod.lock.yaml", Environment: "prod", Digest: lock, Size: 8}},
	}
	return s
}

// write writes the example, and gives the archive's bytes.
func write(t testing.TB, name string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := example().write(path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func (s *set) write(path string) error {
	w, err := archive.Create(path, strings.HasSuffix(path, ".zst"))
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := w.Begin(s.contents, s.manifests, s.blobs); err != nil {
		return err
	}
	written := map[string]bool{}
	for _, one := range s.blobs {
		if !written[one.Digest] {
			if err := w.Blob(one.Digest, one.Size, strings.NewReader(s.bytes[one.Digest])); err != nil {
				return err
			}
		}
		written[one.Digest] = true
	}
	return w.Commit()
}

// read tells all that an archive gives out.
func read(t testing.TB, content []byte) string {
	t.Helper()
	held, err := open(t, content)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	var all strings.Builder
	contents, ours := held.Contents()
	fmt.Fprintf(&all, "%v %+v\n%+v %d\n", ours, contents, held.References(), held.Size())
	for _, one := range contents.Blobs {
		opened, err := held.Blob(one.Digest)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(opened)
		if err := errors.Join(err, opened.Close()); err != nil {
			t.Fatal(err)
		}
		raw, mediaType, _ := held.Manifest("quay.io/acme/app", one.Digest)
		fmt.Fprintf(&all, "%s %q %q %s %q\n", one.Digest, content, raw, mediaType, held.Referrers("quay.io/acme/app", one.Digest))
	}
	return all.String()
}

// What is written is read again, from a tar, compressed, and from a folder.
func TestRoundTrip(t *testing.T) {
	s := example()
	index, signed := s.contents.Artifacts[1].Digest, strings.TrimPrefix(s.manifests[0].Digest, "sha256:")
	var first string
	for _, name := range []string{"a.tar", "a.tar.zst"} {
		content := write(t, name)
		if again := write(t, name); !bytes.Equal(content, again) {
			t.Errorf("%s: other bytes the second time", name)
		}
		got := read(t, content)
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("%s: read\n%s\nwant\n%s", name, got, first)
		}
		held, err := open(t, content)
		if err != nil {
			t.Fatal(err)
		}
		for reference, want := range map[string]bool{
			"quay.io/acme/app:1": true, "quay.io/acme/app@" + index: true, "quay.io/acme/app:2": false, "quay.io/acme/other:1": false,
			"quay.io/acme/other@" + index: false, "other@" + s.contents.Artifacts[0].Digest: true, "other:latest": false, "": false,
		} {
			if got := held.Has(reference); got != want {
				t.Errorf("Has(%q) = %v", reference, got)
			}
		}
		if _, _, err := held.Manifest("quay.io/acme/app", "sha256-"+signed+".sig"); err != nil {
			t.Error(err)
		}
		if _, _, err := held.Manifest("quay.io/acme/other", "sha256-"+signed+".sig"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the signature of another repository: %v", err)
		}
		if own, other := held.Referrers("quay.io/acme/app", index), held.Referrers("quay.io/acme/other", index); len(own) != 1 || other != nil {
			t.Errorf("referrers: %v, and of another repository %v", own, other)
		}
		if contents, ours := held.Contents(); !ours || contents.Files[0].Name != "prod.lock.yaml" || contents.Artifacts[1].Targets[0] != "r.io/app:1" {
			t.Errorf("contents: %+v", contents)
		}
	}
}

// go-containerregistry and oras read what is written: every manifest and every blob, by
// the references that index.json has.
func TestOthersReadArchives(t *testing.T) {
	dir := t.TempDir()
	for _, one := range archivetest.Unpack(t, write(t, "a.tar")) {
		path := filepath.Join(dir, one.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, one.Content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	read, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(read, validate.Fast); err != nil {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "a.tar")
	if err := example().write(path); err != nil {
		t.Fatal(err)
	}
	store, err := oci.NewFromTar(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range example().manifests {
		if one.Reference == "" {
			continue
		}
		found, err := store.Resolve(t.Context(), one.Reference)
		if err != nil || found.Digest.String() != one.Digest {
			t.Errorf("oras: %s is %s, %v", one.Reference, found.Digest, err)
			continue
		}
		children, err := content.Successors(t.Context(), store, found)
		if err != nil || len(children) == 0 {
			t.Errorf("oras: %s names %v, %v", one.Reference, children, err)
		}
		for _, child := range children {
			if _, err := content.FetchAll(t.Context(), store, child); err != nil {
				t.Errorf("oras: %s: %v", child.Digest, err)
			}
		}
	}
	index := example().contents.Artifacts[1].Digest
	found, err := store.Resolve(t.Context(), "quay.io/acme/app:1")
	if err != nil {
		t.Fatal(err)
	}
	if refers, err := store.Predecessors(t.Context(), found); err != nil || len(refers) != 1 {
		t.Errorf("oras: %v refers to %s, %v", refers, index, err)
	}
}

// Nothing wrong gets into an archive, and what was there stays until a whole one is.
func TestNothingHalfIsWritten(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.tar", "a.tar.zst"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := example()
		w, err := archive.Create(path, strings.HasSuffix(name, ".zst"))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Begin(s.contents, s.manifests, s.blobs); err != nil {
			t.Fatal(err)
		}
		blob := s.blobs[0]
		text := s.bytes[blob.Digest]
		for what, content := range map[string]string{"too few": text[1:], "too many": text + "x", "others": "X" + text[1:]} {
			if err := w.Blob(blob.Digest, blob.Size, strings.NewReader(content)); err == nil {
				t.Errorf("%s: %s bytes are taken", name, what)
			}
		}
		if err := w.Blob(blob.Digest, blob.Size+1, strings.NewReader(text+"x")); err == nil {
			t.Errorf("%s: another size is taken", name)
		}
		if err := w.Commit(); err == nil || !strings.Contains(err.Error(), "blobs are missing") {
			t.Errorf("%s: Commit = %v", name, err)
		}
		if content, _ := os.ReadFile(path); string(content) != "before" {
			t.Errorf("%s was replaced", name)
		}
		for _, one := range s.blobs {
			_ = w.Blob(one.Digest, one.Size, strings.NewReader(s.bytes[one.Digest])) // some are there twice
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		w.Abort()
		content, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(content, write(t, name)) {
			t.Errorf("%s is another one after bytes were taken back: %v", name, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o644 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
		w, err = archive.Create(path, false)
		if err != nil {
			t.Fatal(err)
		}
		w.Abort()
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%v is left, %v", left, err)
	}
	s := example()
	s.manifests = append(s.manifests, s.manifests[2])
	s.manifests[len(s.manifests)-1].Digest = s.manifests[0].Digest
	if err := s.write(filepath.Join(dir, "b.tar")); err == nil || !strings.Contains(err.Error(), "quay.io/acme/app:1 would be both sha256:") {
		t.Errorf("a reference for two manifests: %v", err)
	}
}

// Of a blob that broke off nothing stays in the archive, also where it was compressed to
// more than what comes after it.
func TestBlobsAreTakenBack(t *testing.T) {
	zeros, other := strings.Repeat("\x00", 100_000), make([]byte, 100_000)
	for i := range other {
		other[i] = byte(i * i * i >> 5)
	}
	s := example()
	s.blob(zeros)
	last := s.blobs[len(s.blobs)-1]
	path := filepath.Join(t.TempDir(), "a.tar.zst")
	w, err := archive.Create(path, true)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	err = w.Begin(s.contents, s.manifests, s.blobs)
	for _, one := range s.blobs[:len(s.blobs)-1] {
		err = errors.Join(err, w.Blob(one.Digest, one.Size, strings.NewReader(s.bytes[one.Digest])))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Blob(last.Digest, last.Size, bytes.NewReader(other)); err == nil {
		t.Error("other bytes are taken")
	}
	if err := errors.Join(w.Blob(last.Digest, last.Size, strings.NewReader(zeros)), w.Commit()); err != nil {
		t.Fatal(err)
	}
	openPath(t, path)
}
