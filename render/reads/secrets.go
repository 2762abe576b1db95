package reads

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
)

// Release is a release with all that its chart can make.
type Release struct {
	render.Release
	Objects []chart.Object
	// Lookups is what its templates ask the cluster for. Unanswered: whoever
	// renders them has no cluster to ask, so they get nothing.
	Lookups    []chart.Lookup
	Unanswered bool
}

// Secret is a Secret that must be there, with what reads it.
type Secret struct {
	render.RequiredSecret
	// Optional: it may be there, and whatever reads it does without.
	Optional bool `json:"optional,omitempty"`
	// ReadBy is the delivery system, and the releases whose objects or templates
	// read the Secret. It is empty where nothing does, and nil where that is not known.
	ReadBy  []string `json:"readBy,omitzero"`
	Readers []Reader `json:"readers,omitempty"`
}

// Reader is a field of an object that names a Secret, or a template that asks
// for it.
type Reader struct {
	Release string    `json:"release"`
	Object  *chart.ID `json:"object,omitempty"`
	Path    string    `json:"path,omitempty"`
	// Template is the template that asks with lookup, in place of object and path.
	Template string `json:"template,omitempty"`
	// Keys are those that are read; without any, all that are there.
	Keys     []string `json:"keys,omitempty"`
	Optional bool     `json:"optional,omitempty"`
	// Unanswered: the template never gets the Secret.
	Unanswered bool `json:"unanswered,omitempty"`
}

// Secrets returns the Secrets that must, or may, be there before releases are
// installed, by namespace and name: those that are required, and those that the
// releases read and none of them makes. A required Secret that only charts read
// is left out if one of them makes it. The delivery system, by its title, reads
// the others. Without releases nothing is known of what charts read.
// The error is that an object is no YAML.
func Secrets(required []render.RequiredSecret, releases []Release, system string) ([]Secret, error) {
	l := lister{all: map[name]*Secret{}, made: map[name]bool{}, seen: map[string]bool{}}
	for _, one := range required {
		s := &Secret{RequiredSecret: one}
		if !one.InChart {
			s.ReadBy = []string{system}
		} else if releases != nil {
			s.ReadBy = []string{}
		}
		l.all[name{one.Namespace, one.Name}] = s
	}
	for _, r := range releases {
		if err := l.release(r); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Key, err)
		}
	}
	maps.DeleteFunc(l.all, func(id name, s *Secret) bool { return l.made[id] && s.InChart })
	var secrets []Secret
	for _, id := range slices.SortedFunc(maps.Keys(l.all), name.compare) {
		secrets = append(secrets, *l.all[id])
	}
	return secrets, nil
}

// name is the namespace and the name of a Secret.
type name struct{ namespace, name string }

func (n name) compare(b name) int {
	return cmp.Or(strings.Compare(n.namespace, b.namespace), strings.Compare(n.name, b.name))
}

// lister collects the Secrets of an environment.
type lister struct {
	all  map[name]*Secret
	made map[name]bool
	seen map[string]bool // readers, and the objects of a release
}

// first reports whether something is seen for the first time.
func (l *lister) first(text string) bool {
	seen := l.seen[text]
	l.seen[text] = true
	return !seen
}

// release adds what a release reads and makes. Most of its objects are there
// for an install and for an upgrade.
func (l *lister) release(r Release) error {
	for _, object := range r.Objects {
		if !l.first(r.Key + "\n" + string(object.YAML)) {
			continue
		}
		items, err := object.Items()
		if err != nil {
			return err
		}
		for _, item := range items {
			namespace := cmp.Or(item.Namespace, r.Namespace)
			for _, made := range Makes(item.Tree) {
				l.made[name{namespace, made}] = true
			}
			for _, ref := range References(item.Tree) {
				if ref.Kind == "Secret" {
					l.add(name{namespace, ref.Name}, ref.Type, Reader{
						Release: r.Key, Object: &item.ID, Path: ref.Path, Keys: ref.Keys, Optional: ref.Optional || object.Hook != nil && object.Hook.Tests(),
					})
				}
			}
		}
	}
	for _, asked := range r.Lookups {
		if asked.APIVersion == "v1" && asked.Kind == "Secret" && asked.Namespace != "" && asked.Name != "" {
			l.add(name{asked.Namespace, asked.Name}, string(corev1.SecretTypeOpaque), Reader{
				Release: r.Key, Template: asked.Template, Optional: true, Unanswered: r.Unanswered,
			})
		}
	}
	return nil
}

// whys is why Secrets of a type are read.
var whys = map[string]string{
	string(corev1.SecretTypeOpaque):           "a chart's objects name it",
	string(corev1.SecretTypeDockerConfigJson): "pods pull images with it",
	string(corev1.SecretTypeTLS):              "the certificate of an Ingress",
}

// add adds a reader to a Secret.
func (l *lister) add(id name, kind string, by Reader) {
	s := l.all[id]
	if s == nil {
		s = &Secret{Optional: true, ReadBy: []string{}}
		s.Namespace, s.Name, s.Type, s.Keys, s.InChart = id.namespace, id.name, kind, []string{}, true
		s.Why = whys[kind]
		l.all[id] = s
	}
	if s.InChart && s.Type == string(corev1.SecretTypeOpaque) {
		s.Type = kind
	}
	for _, key := range by.Keys {
		if s.Inputs == nil && !slices.Contains(s.Keys, key) {
			s.Keys = slices.Sorted(slices.Values(append(slices.Clone(s.Keys), key)))
		}
	}
	s.Optional = s.Optional && by.Optional
	if !by.Unanswered && !slices.Contains(s.ReadBy, by.Release) {
		s.ReadBy = append(s.ReadBy, by.Release)
	}
	var object chart.ID
	if by.Object != nil {
		object = *by.Object
	}
	if l.first(fmt.Sprintf("%q %q %q %q %q %q %t", id, object, by.Release, by.Path, by.Template, by.Keys, by.Optional)) {
		s.Readers = append(s.Readers, by)
	}
}
