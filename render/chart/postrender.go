package chart

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/filters/labels"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/resid"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pm-gitops/pm-gitops/render/internal/kustomize"
)

// RefusedError is the error that a controller takes no part of what a chart
// makes, with the controller's own text.
type RefusedError struct{ By, Text string }

func (e RefusedError) Error() string { return e.By + " refuses the release: " + e.Text }

// postRenderer sends manifests through kustomize's resource map, as
// helm-controller does for every release to label what a chart makes
// (https://github.com/fluxcd/helm-controller/blob/v1.6.3/internal/postrender).
type postRenderer struct {
	factory *resmap.Factory
	labels  map[string]string
	// helm4: Helm takes the manifests apart into objects and puts them together
	// before and after (annotateAndMerge and splitAndDeannotate in
	// https://github.com/helm/helm/blob/v4.2.2/pkg/action/action.go).
	helm4 bool
	stage string // of Helm, in its errors
	known map[string]postRendered
}

// postRendered is what became of a document.
type postRendered struct {
	ids     []resid.ResId
	objects []Object
	list    bool  // they are the items of a list
	failure error // of kustomize when it writes the objects
}

func newPostRenderer(in Input, known map[string]postRendered) postRenderer {
	kustomize.Ready()
	p := postRenderer{
		factory: resmap.NewFactory(provider.NewDefaultDepProvider().GetResourceFactory()),
		labels:  in.originLabels(), helm4: in.As.Helm4, stage: "files", known: known,
	}
	if p.helm4 {
		p.stage = "manifests"
	}
	return p
}

// run gives the objects of plain manifests, in the order in which Helm applies
// them. Those of a list come behind the others.
func (p postRenderer) run(plain []Object) ([]Object, error) {
	if p.helm4 {
		plain = slices.Clone(plain) // Helm 4 sends files by name
		slices.SortStableFunc(plain, func(a, b Object) int { return strings.Compare(a.Source, b.Source) })
	}
	results, err := p.documents(plain)
	if err != nil {
		return nil, err
	}
	if err := p.unique(plain, results); err != nil {
		return nil, err
	}
	var objects, items []Object
	for _, made := range results {
		switch {
		case made.failure != nil:
			return nil, made.failure
		case made.list:
			items = append(items, made.objects...)
		default:
			objects = append(objects, made.objects...)
		}
	}
	objects = append(objects, items...)
	if p.helm4 {
		byKind(objects)
	}
	return objects, nil
}

// documents sends each document through kustomize. What it was sent before
// comes from p.known.
func (p postRenderer) documents(plain []Object) ([]postRendered, error) {
	results, failures := make([]postRendered, len(plain)), make([]error, len(plain))
	inParallel(len(plain), func(i int) {
		defer func() {
			if r := recover(); r != nil {
				failures[i] = p.failed(fmt.Errorf("%v", r))
			}
		}()
		made, done := p.known[p.key(plain[i])]
		if !done {
			made, failures[i] = p.document(plain[i], len(plain) == 1)
		}
		results[i] = made
	})
	for i, made := range results {
		if failures[i] != nil {
			return nil, failures[i]
		}
		if p.known != nil {
			p.known[p.key(plain[i])] = made
		}
	}
	return results, nil
}

// Combined gives the error with which Flux 2.8.0 to 2.8.5 refuse what a
// release that was rendered for Flux 2.8 makes, and nil if they do not: they send
// hooks through kustomize together with all other manifests
// (https://github.com/fluxcd/helm-controller/pull/1461). Test hooks are not
// looked at.
func (o Output) Combined(in Input) error {
	p := newPostRenderer(in, nil)
	p.stage = "files"
	var all []Object
	for _, object := range slices.Concat(o.Objects, o.Later()) {
		again := object.Hook != nil && slices.ContainsFunc(all, func(a Object) bool { return a.Hook != nil && a.ID() == object.ID() && bytes.Equal(a.YAML, object.YAML) })
		if !object.CRD && !again { // a hook may run before and behind the other manifests
			all = append(all, object)
		}
	}
	if _, err := p.run(all); err != nil {
		return RefusedError{in.As.Title, err.Error()}
	}
	return nil
}

// key tells documents and their labels apart.
func (p postRenderer) key(o Object) string {
	return fmt.Sprintf("%q%v\n# Source: %s\n%s", p.labels, p.helm4, o.Source, o.YAML)
}

// document sends a document through kustomize. Alone is whether it is the
// whole stream, in which kustomize takes a List apart as it reads it.
func (p postRenderer) document(o Object, alone bool) (postRendered, error) {
	text, err := p.merge(o)
	if err != nil {
		return postRendered{}, fmt.Errorf("error merging manifests: %w", err)
	}
	if !alone {
		text += "---\n"
	}
	resources, err := p.factory.RF().SliceFromBytes([]byte(text))
	if err != nil {
		return postRendered{}, p.failed(err)
	}
	made := postRendered{list: len(resources) != 1 || strings.HasSuffix(o.Kind, "List") && resources[0].GetKind() != o.Kind}
	for _, one := range resources {
		id := one.CurId()
		id.Namespace = id.EffectiveNamespace() // how kustomize compares them
		made.ids = append(made.ids, id)
		object, err := p.object(o, one)
		if err != nil && made.failure == nil {
			made.failure = err
		}
		made.objects = append(made.objects, object)
	}
	return made, nil
}

// merge is the document as it is in the stream that Helm sends.
func (p postRenderer) merge(o Object) (string, error) {
	if !p.helm4 {
		return fmt.Sprintf("# Source: %s\n%s\n", o.Source, o.YAML), nil
	}
	nodes, err := kio.ParseAll(string(o.YAML) + "\n")
	if err != nil {
		return "", fmt.Errorf("parsing %s: %w", o.Source, err)
	}
	for _, node := range nodes {
		if err := node.PipeE(kyaml.SetAnnotation(filenameAnnotation, o.Source)); err != nil {
			return "", fmt.Errorf("annotating %s: %w", o.Source, err)
		}
	}
	return kio.StringAll(nodes)
}

// filenameAnnotation is the annotation by which Helm 4 knows the template of an
// object that comes back.
const filenameAnnotation = "postrenderer.helm.sh/postrender-filename"

// object labels a resource and writes it as helm-controller does.
func (p postRenderer) object(from Object, one *resource.Resource) (Object, error) {
	made := Object{Source: from.Source, APIVersion: one.GetApiVersion(), Kind: one.GetKind(), Namespace: one.GetNamespace(), Name: one.GetName()}
	resources := resmap.New()
	if err := resources.Append(one); err != nil {
		return made, p.failed(err)
	}
	if err := resources.ApplyFilter(labels.Filter{Labels: p.labels, FsSlice: types.FsSlice{{Path: "metadata/labels", CreateIfNotPresent: true}}}); err != nil {
		return made, p.failed(err)
	}
	written, err := resources.AsYaml()
	if err != nil {
		return made, p.failed(err)
	}
	if p.helm4 {
		if written, err = unmerge(written); err != nil {
			return made, fmt.Errorf("error while parsing post rendered output for %s: %w", p.stage, err)
		}
	}
	made.YAML = bytes.TrimSuffix(written, []byte("\n"))
	return made, nil
}

// unmerge takes out what merge puts in.
func unmerge(written []byte) ([]byte, error) {
	nodes, err := kio.ParseAll(string(written))
	if err != nil {
		return nil, fmt.Errorf("error parsing YAML: %w", err)
	}
	for _, node := range nodes {
		if err := node.PipeE(kyaml.ClearAnnotation(filenameAnnotation)); err != nil {
			return nil, fmt.Errorf("clearing filename annotation: %w", err)
		}
	}
	text, err := kio.StringAll(nodes)
	return []byte(text), err
}

// unique refuses objects that kustomize takes for one.
func (p postRenderer) unique(plain []Object, results []postRendered) error {
	seen := map[resid.ResId]int{}
	for i, made := range results {
		for _, id := range made.ids {
			first, twice := seen[id]
			seen[id] = i
			if !twice {
				continue
			}
			text := fmt.Sprintf("%s\n---\n%s\n", plain[first].YAML, plain[i].YAML)
			_, err := p.factory.NewResMapFromBytes([]byte(text))
			return p.failed(err)
		}
	}
	return nil
}

func (p postRenderer) failed(err error) error {
	return fmt.Errorf("error while running post render on %s: %w", p.stage, err)
}
