// Package images finds the images that Kubernetes objects need: those of pods,
// and those that no pod names, because a program in the cluster composes them
// from a ConfigMap, an environment variable, an argument or a resource of its
// own. Like package render it is pure.
package images

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// How is how an image was found.
type How string

// The ways in which images are found. All but those of pods are hidden: a
// search for the containers of pods does not see them.
const (
	Container          How = "container"
	InitContainer      How = "initContainer"
	EphemeralContainer How = "ephemeralContainer"
	ImageVolume        How = "imageVolume" // https://kubernetes.io/docs/concepts/storage/volumes/#image
	Injector           How = "injector"    // composed by Istio's sidecar injector
	Field              How = "field"       // of a custom resource or a ConfigMap
	Variable           How = "variable"    // an environment variable
	Argument           How = "argument"    // of a command
	Text               How = "text"        // in a document or a line that a text holds
)

// Sure is how sure it is that what was found is an image that is needed.
type Sure string

// The degrees of certainty, the surest first.
const (
	Certain  Sure = "certain"  // a pod's, or what the injector composes
	Likely   Sure = "likely"   // something says that it is an image: a key, a flag, the form of a pod
	Possible Sure = "possible" // it only has the form of a reference: host, path and tag
)

// Object is which object of a chart something was found in.
type Object = chart.ID

// Image is an image reference in an object.
type Image struct {
	// Written is the reference as the object has it, or as what reads the
	// object composes it.
	Written   string        `json:"written"`
	Reference ref.Reference `json:"reference"`
	// Problem is why the text is no reference, and then Reference is empty.
	// Only what pods name has problems: elsewhere such a text is no image.
	Problem string `json:"problem,omitempty"`
	Object  Object `json:"object"`
	// Path is the field: spec.template.spec.containers[0].image. Behind a
	// colon and a space comes the place in a text: data.config: line 7.
	Path string `json:"path"`
	How  How    `json:"how"`
	Sure Sure   `json:"sure"`
}

// Hidden reports whether no pod of the objects names the image.
func (i Image) Hidden() bool {
	return !slices.Contains([]How{Container, InitContainer, EphemeralContainer, ImageVolume}, i.How)
}

// Result is what objects need.
type Result struct {
	// Images is every place with an image, by reference, object and path. One
	// image may be there often.
	Images []Image
	// Unread is the objects with texts that were too much to look through.
	Unread []Object
}

// MaxImages is how many places are listed: a chart that has more is broken.
const MaxImages = 10_000

// Find gives the images that objects need. The text auto, which Istio puts
// into gateways, is none (https://istio.io/latest/docs/setup/additional-setup/gateway/).
// Secrets are not looked into, so that nothing of them can come out, and
// neither are the definitions of custom resources: they have examples. The
// error is that an object is no YAML or that there are more than MaxImages.
func Find(objects []chart.Object) (Result, error) {
	f := &finder{seen: map[place]bool{}}
	var all []item
	for _, object := range objects {
		items, err := object.Items()
		if err != nil {
			return Result{}, err
		}
		for _, one := range items {
			all = append(all, item{one.ID, one.Tree, inLists(one.In)})
		}
	}
	f.injectors(all) // before others find the parts of what it composes
	for _, one := range all {
		f.look(one)
		if len(f.result.Images) > MaxImages {
			return Result{}, fmt.Errorf("the objects name images at more than %d places", MaxImages)
		}
	}
	slices.SortFunc(f.result.Images, compare)
	return f.result, nil
}

func compare(a, b Image) int {
	return cmp.Or(
		strings.Compare(a.Reference.String(), b.Reference.String()),
		strings.Compare(a.Written, b.Written),
		a.Object.Compare(b.Object),
		strings.Compare(a.Path, b.Path),
	)
}

// item is an object, or one of those that a list holds.
type item struct {
	Object
	tree map[string]any
	path *path
}

// inLists is the path of an item of lists.
func inLists(places []int) *path {
	var at *path
	for _, place := range places {
		at = at.key("items").index(place)
	}
	return at
}

// deepest is how many levels of an object are looked at.
const deepest = 100

func text(value any) string {
	s, _ := value.(string)
	return s
}
