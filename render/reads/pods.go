// Package reads finds which objects other objects need by name: the Secrets,
// ConfigMaps, ServiceAccounts and volume claims of pods, and the Secrets that a
// release needs and nothing makes. It gives names and keys, never what a Secret
// holds. Like package render it is pure.
package reads

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// Pod is a pod, or a template of pods, in an object of any kind.
type Pod struct {
	Path                      string // of the specification
	Labels, Annotations, Spec map[string]any
}

// maxDepth is how deep objects are looked into.
const maxDepth = 16

// Pods returns the pods that an object is or makes: everything in it that has
// the form of a pod. The definition of a custom resource has none.
func Pods(tree map[string]any) []Pod {
	if tree["kind"] == "CustomResourceDefinition" {
		return nil
	}
	var found []Pod
	var look func(value any, path string, depth int)
	look = func(value any, path string, depth int) {
		m := mapping(value)
		if m == nil || depth > maxDepth {
			return
		}
		spec := mapping(m["spec"])
		if len(list(spec["containers"])) > 0 {
			found = append(found, Pod{join(path, "spec"), mapping(at(m, "metadata", "labels")), mapping(at(m, "metadata", "annotations")), spec})
			return
		}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			look(m[key], join(path, key), depth+1)
		}
	}
	look(tree, "", 0)
	return found
}

// Container is a container of a pod.
type Container struct {
	Path string
	Spec map[string]any
}

// Containers returns the pod's containers, those that run first among them.
func (p Pod) Containers() []Container {
	var all []Container
	for _, kind := range []string{"initContainers", "containers", "ephemeralContainers"} {
		for i, entry := range list(p.Spec[kind]) {
			if spec := mapping(entry); spec != nil {
				all = append(all, Container{fmt.Sprintf("%s.%s[%d]", p.Path, kind, i), spec})
			}
		}
	}
	return all
}

// KeepsData reports whether deleting an object of a kind may lose what only it has.
func KeepsData(group, kind string) bool {
	switch group {
	case "":
		return kind == "Secret" || kind == "PersistentVolumeClaim"
	case "apps":
		return kind == "StatefulSet"
	}
	return false
}

// Program is a kind of program that keeps data, and that charts bring along.
type Program []string

// Databases and Caches return the names that images of such programs have.
func Databases() Program {
	return Program{"postgres", "postgresql", "postgis", "mysql", "mariadb", "mongo", "mongodb", "cockroach"}
}

// Caches: see [Databases].
func Caches() Program {
	return Program{"redis", "redis-stack-server", "valkey", "keydb", "dragonfly"}
}

// RunBy reports whether an object is a StatefulSet or a Deployment with a
// container that runs the program, by the last part of the image's name.
func (program Program) RunBy(tree map[string]any) bool {
	if kind := tree["kind"]; kind != "StatefulSet" && kind != "Deployment" {
		return false
	}
	for _, p := range Pods(tree) {
		for _, c := range p.Containers() {
			image, err := ref.ParseImage(text(c.Spec["image"]))
			if err == nil && slices.Contains(program, path.Base(image.Repository)) {
				return true
			}
		}
	}
	return false
}

// at returns what lies at a path of keys; nil if there is nothing.
func at(value any, keys ...string) any {
	for _, key := range keys {
		value = mapping(value)[key]
	}
	return value
}

func mapping(value any) map[string]any {
	m, _ := value.(map[string]any)
	return m
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}

// text returns a text; of any other value the empty one.
func text(value any) string {
	s, _ := value.(string)
	return s
}

// join returns the path of a key below another path.
func join(path, key string) string {
	switch {
	case strings.ContainsAny(key, ".[]\"/ "):
		return fmt.Sprintf("%s[%q]", path, key)
	case path == "":
		return key
	}
	return path + "." + key
}
