package chart

import (
	"cmp"
	"strings"
)

// ID says which object of a chart something is about.
type ID struct {
	Source     string `json:"source"` // the template
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"` // as the chart says it: empty for the release's
	Name       string `json:"name"`
}

// ID is which object it is.
func (o Object) ID() ID { return ID{o.Source, o.APIVersion, o.Kind, o.Namespace, o.Name} }

// Compare orders objects by source, kind, namespace and name.
func (id ID) Compare(b ID) int {
	return cmp.Or(strings.Compare(id.Source, b.Source), strings.Compare(id.Kind, b.Kind), strings.Compare(id.Namespace, b.Namespace),
		strings.Compare(id.Name, b.Name), strings.Compare(id.APIVersion, b.APIVersion))
}

// Item is an object, or one of those that a list holds.
type Item struct {
	ID
	Tree map[string]any // as JSON knows it
	In   []int          // its places in lists: items[1].items[0] is 1, 0
}

// Items takes a list apart, and the lists in it: each item is an object of its
// own. Of any other object it gives the object alone. The error is that it is
// no YAML.
func (o Object) Items() ([]Item, error) {
	tree, err := o.Tree()
	if err != nil {
		return nil, err
	}
	return Item{ID: o.ID(), Tree: tree}.apart(), nil
}

func (i Item) apart() []Item {
	list, isList := i.Tree["items"].([]any)
	if !strings.HasSuffix(i.Kind, "List") || !isList {
		return []Item{i}
	}
	var all []Item
	for at, value := range list {
		tree, ok := value.(map[string]any)
		if !ok {
			continue
		}
		one := Item{ID: ID{Source: i.Source}, Tree: tree, In: append(i.In[:len(i.In):len(i.In)], at)}
		one.APIVersion, _ = tree["apiVersion"].(string)
		one.Kind, _ = tree["kind"].(string)
		metadata, _ := tree["metadata"].(map[string]any)
		one.Namespace, _ = metadata["namespace"].(string)
		one.Name, _ = metadata["name"].(string)
		all = append(all, one.apart()...)
	}
	return all
}
