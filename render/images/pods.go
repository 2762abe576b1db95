package images

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// finder collects what it finds in one object after the other.
type finder struct {
	item   item
	how    How // what an image in a field of the object is
	read   int // bytes of texts that were looked through
	seen   map[place]bool
	result Result
}

// place is where an image is.
type place struct {
	object        Object
	path, written string
}

// look looks through an object.
func (f *finder) look(one item) {
	if strings.EqualFold(one.Kind, "Secret") || one.Kind == "CustomResourceDefinition" {
		return
	}
	if isNote(one.tree) {
		return
	}
	f.item, f.how = one, Field
	for _, key := range sortedKeys(one.tree) {
		if !slices.Contains([]string{"apiVersion", "kind", "status"}, key) {
			f.value(key, one.tree[key], one.path.key(key))
		}
	}
}

// isNote reports whether an object is where istiod's chart writes down the
// values that it was rendered with. Nothing reads it, and what has a variant is
// there in other parts than it is composed of
// (https://github.com/istio/istio/blob/1.28.3/manifests/charts/istio-control/istio-discovery/templates/configmap-values.yaml).
func isNote(tree map[string]any) bool {
	return tree["kind"] == "ConfigMap" && dig(tree, "data", "original-values") != nil && dig(tree, "data", "merged-values") != nil
}

// add adds an image unless it is there already: a hook that runs twice is
// among the objects twice.
func (f *finder) add(written string, how How, sure Sure, at *path) {
	reference, err := ref.ParseImage(written)
	if err != nil {
		return
	}
	f.put(Image{Written: written, Reference: reference, Object: f.item.Object, Path: at.String(), How: how, Sure: sure})
}

func (f *finder) put(image Image) {
	here := place{image.Object, image.Path, image.Written}
	if !f.seen[here] && len(f.result.Images) <= MaxImages {
		f.seen[here] = true
		f.result.Images = append(f.result.Images, image)
	}
}

// containers is the lists of a pod's specification, and what is in them.
var containers = []struct {
	key string
	how How
}{
	{"containers", Container},
	{"initContainers", InitContainer},
	{"ephemeralContainers", EphemeralContainer},
}

// isPod reports whether a value has the form of a pod's specification.
func isPod(tree map[string]any) bool {
	list, _ := tree["containers"].([]any)
	return slices.ContainsFunc(list, func(one any) bool {
		container, _ := one.(map[string]any)
		return text(container["image"]) != ""
	})
}

// pod looks through the specification of a pod.
func (f *finder) pod(tree map[string]any, at *path) {
	sure := Likely
	if f.how == Field && isTemplate(f.item.Object, at, f.item.path) {
		sure = Certain
	}
	for _, of := range containers {
		list, _ := tree[of.key].([]any)
		for i, one := range list {
			if container, ok := one.(map[string]any); ok {
				f.container(container, of.how, sure, at.key(of.key).index(i))
			}
		}
	}
	volumes, _ := tree["volumes"].([]any)
	for i, one := range volumes {
		volume, _ := one.(map[string]any)
		image, _ := volume["image"].(map[string]any)
		f.named(image["reference"], ImageVolume, sure, at.key("volumes").index(i).key("image").key("reference"))
	}
}

func (f *finder) container(tree map[string]any, how How, sure Sure, at *path) {
	f.named(tree["image"], how, sure, at.key("image"))
	f.variables(tree["env"], at.key("env"))
	for _, key := range []string{"command", "args"} {
		f.arguments(tree[key], at.key(key))
	}
}

// named adds what a pod names. Nothing says more clearly that a text is an
// image, so one that cannot be read is added with what is wrong with it.
func (f *finder) named(value any, how How, sure Sure, at *path) {
	written := text(value)
	if written == "" || written == auto || f.how == Text && !isWritten(written) {
		return
	}
	if f.how == Text {
		how = Text
	}
	image := Image{Written: written, Object: f.item.Object, Path: at.String(), How: how, Sure: sure}
	var err error
	if image.Reference, err = ref.ParseImage(written); err != nil {
		image.Problem = problem(written, err)
	}
	f.put(image)
}

// problem says what is wrong with a reference that was refused.
func problem(written string, err error) string {
	switch {
	case errors.Is(err, ref.ErrLength):
		return fmt.Sprintf("image reference of %d letters: %s", len(written), err)
	case errors.Is(err, ref.ErrDigest):
		return fmt.Sprintf("image reference %q: behind the @ %s", written, err)
	default:
		return fmt.Sprintf("image reference %q: want host/path/name:tag", written)
	}
}

// auto is what a pod names for the image that the injector chooses.
const auto = "auto"

// isWritten reports whether a text is a reference, and no template of one.
func isWritten(text string) bool {
	_, err := ref.ParseImage(text)
	return err == nil
}

// isTemplate reports whether the place in an object is the pod's that
// Kubernetes makes of it.
func isTemplate(object Object, at, root *path) bool {
	group, _, found := strings.Cut(object.APIVersion, "/")
	if !found {
		group = ""
	}
	if !slices.Contains([]string{"", "apps", "batch", "extensions"}, group) {
		return false
	}
	place := "spec.template.spec"
	switch object.Kind {
	case "Pod":
		place = "spec"
	case "PodTemplate":
		place = "template.spec"
	case "CronJob":
		place = "spec.jobTemplate.spec.template.spec"
	}
	before := ""
	if root != nil {
		before = root.String() + "."
	}
	return at.String() == before+place
}
