package render

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// identity is what tells an object from the others of a place.
type identity struct{ Kind, Namespace, Name string }

// String is an object as messages name it: Kind "namespace/name".
func (o identity) String() string {
	if o.Namespace == "" {
		return fmt.Sprintf("%s %q", o.Kind, o.Name)
	}
	return fmt.Sprintf("%s %q", o.Kind, o.Namespace+"/"+o.Name)
}

// claim is an object that an environment has for itself, and the place it is in.
type claim struct {
	place  string
	object identity
}

// istio stands for what prefect-istiod installs for a whole cluster: its
// webhooks and custom resource definitions.
var istio = identity{Kind: PrefectIstiod}

// identify gives what tells typed objects apart.
func identify(objects []any) ([]identity, error) {
	var all []identity
	for _, typed := range objects {
		var head struct {
			Kind     string
			Metadata struct{ Namespace, Name string }
		}
		if err := convert(typed, &head); err != nil {
			return nil, err
		}
		all = append(all, identity{head.Kind, head.Metadata.Namespace, head.Metadata.Name})
	}
	return all, nil
}

// claims adds to the claims of a plan's objects that of its Istio, in the
// cluster that has its namespaces.
func (p Plan) claims(objects []claim) []claim {
	if p.env.mesh() != MeshPrefectIstiod {
		return objects
	}
	for _, claimed := range objects {
		if claimed.object.Kind == "Namespace" {
			return append(objects, claim{claimed.place, istio})
		}
	}
	return objects
}

// Collisions finds the environments of a fleet that cannot all be applied:
// two of one name, two that write a file differently, two that have the same
// object in one cluster or Argo CD, and two that install Istio in one cluster.
// The problems are in the order of the renderings, each at the later one.
func Collisions(renderings []Rendering) Problems {
	f := fleet{names: map[string]Rendering{}, owners: map[claim]Rendering{}, files: map[string]Rendering{}}
	for _, rendering := range renderings {
		f.add(rendering)
	}
	return f.problems
}

// fleet is the environments that were looked at, by what they have.
type fleet struct {
	names, files map[string]Rendering
	owners       map[claim]Rendering
	problems     Problems
}

func (f *fleet) add(r Rendering) {
	if other, taken := f.names[r.Environment]; taken {
		f.problem(r, "%s has the name %q too: want another", other.name.Position, r.Environment)
		return
	}
	f.names[r.Environment] = r
	f.claim(r)
	for _, name := range r.Tree.Paths() {
		switch other, taken := f.files[name]; {
		case !taken:
			f.files[name] = r
		case !bytes.Equal(other.Tree[name], r.Tree[name]):
			f.problem(r, "the environment writes file %s, and %s writes it differently", name, other.called())
		}
	}
}

// claim notes what an environment has in each place, and tells what of that
// others have.
func (f *fleet) claim(r Rendering) {
	var shared []sharing
	for _, claimed := range r.claims {
		other, taken := f.owners[claimed]
		if !taken {
			f.owners[claimed] = r
			continue
		}
		i := slices.IndexFunc(shared, func(s sharing) bool { return s.other.Environment == other.Environment && s.place == claimed.place })
		if i < 0 {
			i = len(shared)
			shared = append(shared, sharing{other: other, place: claimed.place})
		}
		shared[i].add(claimed.object)
	}
	for _, s := range shared {
		f.tell(r, s)
	}
}

// sharing is what two environments both have in a place.
type sharing struct {
	other      Rendering
	place      string
	istio      bool
	namespaces []string
	objects    []identity
}

func (s *sharing) add(object identity) {
	switch {
	case object == istio:
		s.istio = true
	case object.Kind == "Namespace":
		s.namespaces = append(s.namespaces, object.Name)
	default:
		s.objects = append(s.objects, object)
	}
}

// tell says what two environments share. Objects in a namespace that both have
// follow from that, and are not told.
func (f *fleet) tell(r Rendering, s sharing) {
	if s.istio {
		f.problem(r, "%s installs %s in %s too, and that serves the whole cluster: want mesh: existing in one of them", s.other.called(), PrefectIstiod, s.place)
	}
	if len(s.namespaces) > 0 {
		f.problem(r, "%s has namespace %s of %s too: want other namespaces under spec.names in one of them", s.other.called(), strings.Join(s.namespaces, " and "), s.place)
	}
	for _, object := range s.objects {
		if !slices.Contains(s.namespaces, object.Namespace) {
			f.problem(r, "%s has %s in %s too: their names and those of their releases run together, want other names", s.other.called(), object, s.place)
		}
	}
}

func (f *fleet) problem(r Rendering, format string, args ...any) {
	problem := r.name
	problem.Message = fmt.Sprintf(format, args...)
	f.problems = append(f.problems, problem)
}

// called is an environment as messages name it.
func (r Rendering) called() string {
	return fmt.Sprintf("environment %q (%s)", r.Environment, r.name.Position)
}
