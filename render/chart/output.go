package chart

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
)

// Object is a Kubernetes object that a chart makes.
type Object struct {
	Source     string // the template
	APIVersion string
	Kind       string
	Namespace  string // as the chart says it: empty for the release's, and for what has none
	Name       string
	CRD        bool  // from the chart's folder crds
	Hook       *Hook // nil for what is no hook
	YAML       []byte
}

// Group is the object's API group, empty for the core's.
func (o Object) Group() string {
	group, _, ok := strings.Cut(o.APIVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// Version is the object's version in its group.
func (o Object) Version() string { return o.APIVersion[strings.LastIndex(o.APIVersion, "/")+1:] }

// Output is what a chart makes.
type Output struct {
	// Objects are in Helm's order, CRDs first and hooks last, or for a
	// renderer that is not verbatim in the order in which they are applied.
	// A hook that runs before and behind the others is there twice then.
	Objects []Object
	// Left is what the action does not apply, in Helm's order.
	Left []Left
	// Unread is the schemas elsewhere that the chart's own refer to.
	Unread []string
	// Lookups is what templates asked the cluster for, in vain.
	Lookups []Lookup

	Files []Object // those of CRDs, whole, as Helm prints them
}

// Bytes is what `helm template --include-crds` prints, for [Helm].
func (o Output) Bytes() []byte {
	var manifests, hooks bytes.Buffer
	write := func(out *bytes.Buffer, object Object) {
		fmt.Fprintf(out, "---\n# Source: %s\n%s\n", object.Source, object.YAML)
	}
	for _, file := range o.Files {
		write(&manifests, file)
	}
	for _, object := range o.Objects {
		switch {
		case object.CRD:
		case object.Hook != nil:
			write(&hooks, object)
		default:
			write(&manifests, object)
		}
	}
	return slices.Concat(bytes.TrimSpace(manifests.Bytes()), []byte("\n"), hooks.Bytes())
}

// collect sorts what templates made. Known is the documents that kustomize had
// before; nil keeps none.
func collect(ch *helm.Chart, files map[string]string, in Input, known map[string]postRendered) (Output, error) {
	made, err := documents(files)
	if err != nil {
		return Output{}, err
	}
	var out Output
	if !in.SkipCRDs {
		if err := out.addCRDs(ch); err != nil {
			return Output{}, err
		}
	}
	var plain, hooks []Object
	for _, d := range made {
		hook, unknown := d.hook()
		object := d.object(hook)
		switch {
		case unknown != "":
			out.Left = append(out.Left, Left{object, Unknown, fmt.Sprintf("Helm does not know the hook event %s, and drops the object", unknown)})
		case hook != nil:
			hooks = append(hooks, object)
		default:
			plain = append(plain, object)
		}
	}
	byKind(plain)
	byKind(hooks)
	switch {
	case in.As.Verbatim:
		out.Objects = slices.Concat(out.Objects, plain, hooks)
		return out, nil
	case in.As.Syncs != nil:
		return out, out.sync(slices.Concat(out.Objects, plain, hooks), in)
	}
	if in.As.OriginGroup != "" && in.OriginName != "" {
		if err := out.labelCRDs(in, known); err != nil {
			return Output{}, err
		}
		if plain, err = newPostRenderer(in, known).run(plain); err != nil {
			return Output{}, RefusedError{in.As.Title, err.Error()}
		}
	}
	out.arrange(plain, hooks, in)
	return out, nil
}

// arrange puts the hooks that an action runs around what the chart makes, by
// weight and name (https://helm.sh/docs/topics/charts_hooks/).
func (o *Output) arrange(plain, hooks []Object, in Input) {
	slices.SortStableFunc(hooks, func(a, b Object) int {
		return cmp.Or(cmp.Compare(a.Hook.Weight, b.Hook.Weight), strings.Compare(a.Name, b.Name))
	})
	action := "install"
	if in.IsUpgrade {
		action = "upgrade"
	}
	var first, last []Object
	for _, hook := range hooks {
		before, behind := hook.Hook.Has("pre-"+action), hook.Hook.Has("post-"+action)
		if before {
			first = append(first, hook)
		}
		if behind {
			last = append(last, hook)
		}
		switch {
		case before || behind:
		case hook.Hook.Tests():
			o.Left = append(o.Left, Left{hook, NotApplied, in.As.Title + " runs a test hook only where a HelmRelease enables tests"})
		default:
			o.Left = append(o.Left, Left{hook, Later, fmt.Sprintf("its hook (%s) runs with another action", hook.Hook.Said())})
		}
	}
	o.Objects = slices.Concat(o.Objects, first, plain, last)
}

// addCRDs adds the CRDs of the chart's folder crds and of those of the charts
// in it, which are no templates.
func (o *Output) addCRDs(ch *helm.Chart) error {
	files := map[string]string{}
	for _, crd := range ch.CRDObjects() {
		o.Files = append(o.Files, Object{Source: crd.Filename, YAML: crd.File.Data})
		files[crd.Filename] = string(crd.File.Data)
	}
	for _, file := range o.Files {
		made, err := documents(map[string]string{file.Source: files[file.Source]})
		if err != nil {
			// Helm prints the file unread; a controller could not apply it.
			return err
		}
		for _, d := range made {
			if object := d.object(nil); object.Kind != "" {
				object.CRD = true
				o.Objects = append(o.Objects, object)
			}
		}
	}
	return nil
}

// object is what a document makes.
func (d document) object(hook *Hook) Object {
	o := Object{Source: d.source, APIVersion: d.head.Version, Kind: d.head.Kind, Hook: hook, YAML: []byte(d.text)}
	if m := d.head.Metadata; m != nil {
		o.Name = m.Name
		if m.Namespace != nil {
			o.Namespace = fmt.Sprint(m.Namespace)
		}
	}
	return o
}
