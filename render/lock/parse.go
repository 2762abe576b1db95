package lock

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Parse reads a lock file. The name is what problems show; it is not opened. The error
// is every problem of the file at once, as strictyaml.Problems: also one that nothing
// but an edit or a merge makes, such as artifacts in another order.
func Parse(name string, data []byte) (Lock, error) {
	root, problems := strictyaml.Load(name, data)
	if problems != nil {
		return Lock{}, problems
	}
	if kind := root.Get("kind"); kind != nil && kind.Text != "Lock" {
		return Lock{}, strictyaml.Problems{{Position: kind.Position, Path: "kind", Message: "want Lock, got " + text.Quoted(kind.Text)}}
	}
	l := Lock{file: name, data: bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))}
	problems = strictyaml.Decode(root, &l, strictyaml.Complete)
	if problems == nil {
		problems = l.check(root)
	}
	return l, problems.Err()
}

// checker collects the problems of a file.
type checker struct {
	root     *strictyaml.Value
	problems strictyaml.Problems
}

func (c *checker) problem(path, format string, args ...any) {
	c.problems = append(c.problems, strictyaml.Problem{Position: c.root.At(path), Path: path, Message: fmt.Sprintf(format, args...)})
}

func (l Lock) check(root *strictyaml.Value) strictyaml.Problems {
	c := checker{root: root}
	if l.APIVersion != "pm-gitops/v1" {
		c.problem("apiVersion", "want pm-gitops/v1, got %s", text.Quoted(l.APIVersion))
	}
	if l.Environment == "" {
		c.problem("environment", "want the name of an environment")
	}
	c.artifacts("charts", l.Charts, false)
	c.artifacts("images", l.Images, true)
	return c.problems
}

func (c *checker) artifacts(list string, all []Artifact, pinned bool) {
	for i, one := range all {
		path := strictyaml.Index(list, i)
		source, err := ref.Parse(one.Source)
		switch {
		case err != nil:
			c.problem(path+".source", "want a reference with its host, such as registry.company.com/prefect/server:1.2.3: %s", err)
		case (source.Tag == "") == (source.Digest == ""):
			c.problem(path+".source", "want either a tag or a digest in the reference")
		case source.Digest != "" && source.Digest != one.Digest:
			c.problem(path+".digest", "want the digest of the source, got %s", text.Quoted(one.Digest))
		}
		if !ref.IsDigest(one.Digest) {
			c.problem(path+".digest", "%s, got %s", ref.ErrDigest, text.Quoted(one.Digest))
		}
		if mirror, err := ref.Parse(one.Mirror); one.Mirror != "" && (err != nil || mirror.Tag != source.Tag || mirror.Digest != source.Digest) {
			c.problem(path+".mirror", "want a reference in the mirror with the tag of the source")
		}
		switch {
		case i == 0:
		case one.Source == all[i-1].Source:
			c.problem(path+".source", "%s is defined twice", one.Source)
		case one.Source < all[i-1].Source:
			c.problem(path+".source", "want artifacts in the order of their sources: was the file edited, or merged?")
		}
		for j, pin := range one.Pins {
			c.pin(strictyaml.Index(path+".pins", j), pin, pinned && source.Tag != "")
		}
	}
}

func (c *checker) pin(path string, pin Pin, pinned bool) {
	value := pin.Digest + pin.Tag
	switch {
	case !pinned:
		c.problem(path, "only an image with a tag can be pinned by chart values")
	case (pin.Digest == "") == (pin.Tag == ""):
		c.problem(path, "want one of digest and tag")
	case slices.Contains(strings.Split(value, "."), ""):
		c.problem(path, "want a dotted chart value such as image.digest, got %s", text.Quoted(value))
	}
	if pin.Release == "" {
		c.problem(path+".release", "want the release whose chart has the value")
	}
}
