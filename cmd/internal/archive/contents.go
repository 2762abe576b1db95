package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Contents describes an archive: pm-gitops.json in it.
type Contents struct {
	Version   int        `json:"version"`             // of this form: 1
	Artifacts []Artifact `json:"artifacts"`           // in the order of their sources
	Platforms []string   `json:"platforms,omitempty"` // of each index only these; all where there are none
	LeftOut   []string   `json:"leftOut,omitempty"`   // digests of manifests that an index names, of other platforms
	Files     []File     `json:"files,omitempty"`     // of environments, such as locks; their bytes are blobs
	Blobs     []Blob     `json:"blobs"`               // everything below blobs, in the order of digests
	Layout    string     `json:"layout"`              // the digest of oci-layout
	Index     string     `json:"index"`               // and of index.json

	// Checksum is the digest of this file with an empty checksum.
	Checksum string `json:"checksum"`
}

// Artifact is an image or a chart in an archive.
type Artifact struct {
	Kind         string   `json:"kind"`   // image or chart
	Source       string   `json:"source"` // REPOSITORY:TAG or REPOSITORY@DIGEST
	Targets      []string `json:"targets,omitempty"`
	Digest       string   `json:"digest"`
	Size         int64    `json:"size"` // of all that belongs to it, which other artifacts may share
	Environments []string `json:"environments"`
}

// File is a file of an environment.
type File struct {
	Name        string `json:"name"`
	Environment string `json:"environment,omitempty"`
	Digest      string `json:"digest"`
	Size        int64  `json:"size"`
}

// NewFile describes a file of an environment.
func NewFile(name, environment string, content []byte) File {
	return File{Name: name, Environment: environment, Digest: digestOf(content), Size: int64(len(content))}
}

// Blob is a file below blobs: a manifest or what one names.
type Blob struct {
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

const contentsVersion = 1

// encode writes contents, with their checksum.
func (c Contents) encode() ([]byte, error) {
	c.Checksum = ""
	raw, err := encode(c)
	if err != nil {
		return nil, err
	}
	c.Checksum = digestOf(raw)
	return encode(c)
}

func encode(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return out.Bytes(), err
}

// decodeContents reads contents, and wants every byte to be as [Contents.encode] writes
// it: whichever is altered, this finds it.
func decodeContents(raw []byte) (*Contents, error) {
	c := &Contents{}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", contentsFile, err)
	}
	if c.Version > contentsVersion {
		return nil, fmt.Errorf("%s has version %d, which a newer pm-gitops wrote: this one reads %d", contentsFile, c.Version, contentsVersion)
	}
	again, err := c.encode()
	if err != nil {
		return nil, err
	}
	if c.Version != contentsVersion || !bytes.Equal(raw, again) {
		return nil, fmt.Errorf("%s is damaged: its checksum is wrong", contentsFile)
	}
	return c, nil
}

// agrees compares contents with the files of an archive, and its references.
func (c *Contents) agrees(a *Archive) error {
	listed := map[string]bool{contentsFile: true, layoutFile: true, indexFile: true}
	if a.files[layoutFile].digest != c.Layout || a.files[indexFile].digest != c.Index {
		return fmt.Errorf("%s or %s is not the one that %s names", indexFile, layoutFile, contentsFile)
	}
	for _, one := range c.Blobs {
		listed[blobName(one.Digest)] = true
		if got, found := a.files[blobName(one.Digest)]; !found {
			return fmt.Errorf("it lacks %s, which %s lists", one.Digest, contentsFile)
		} else if got.size != one.Size {
			return fmt.Errorf("%s has %d bytes, and %s says %d", one.Digest, got.size, contentsFile, one.Size)
		}
	}
	for name := range a.files {
		if !listed[name] {
			return fmt.Errorf("%s is in it, and %s does not list it", name, contentsFile)
		}
	}
	for _, one := range c.Files {
		if got, found := a.files[blobName(one.Digest)]; !found || got.size != one.Size {
			return fmt.Errorf("it lacks the file %s", one.Name)
		}
	}
	for _, one := range c.Artifacts {
		if !slices.ContainsFunc(a.roots, func(root Reference) bool { return root.Name == one.Source && root.Digest == one.Digest }) {
			return fmt.Errorf("%s does not name %s as %s", indexFile, one.Digest, one.Source)
		}
	}
	if len(a.roots) != len(c.Artifacts) {
		return errors.New(indexFile + " names other artifacts than " + contentsFile)
	}
	return nil
}
