package check

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// maxObjects is how many objects of a release are looked at: comparing them
// with each other costs the square of it.
const maxObjects = 10_000

// occurrence is which of the objects of a rendering that have a name in common
// an object is, from 0.
type occurrence struct {
	group, kind, namespace, name string
	nth                          int
}

// compare orders occurrences, as [cmp.Compare] does.
func (o occurrence) compare(other occurrence) int {
	return cmp.Or(
		strings.Compare(o.group, other.group), strings.Compare(o.kind, other.kind), strings.Compare(o.namespace, other.namespace),
		strings.Compare(o.name, other.name), cmp.Compare(o.nth, other.nth),
	)
}

// occurrences counts the objects of a rendering.
type occurrences map[occurrence]int

func (seen occurrences) next(item chart.Item) occurrence {
	id := occurrence{chart.Object{APIVersion: item.APIVersion}.Group(), item.Kind, item.Namespace, item.Name, 0}
	nth := seen[id]
	seen[id]++
	id.nth = nth
	return id
}

// reader reads the objects of a release.
type reader struct {
	release *release
	known   map[[sha256.Size]byte]*object
	texts   map[string][]*object // by YAML
}

// read reads the objects of an install and an upgrade, those that are equal
// once. What an upgrade makes otherwise than the install is an object of its own.
func (r *release) read() error {
	if n := max(len(r.Install.Objects), len(r.Upgrade.Objects)); n > maxObjects {
		return fmt.Errorf("the chart makes %d objects: at most %d are looked at", n, maxObjects)
	}
	reads := reader{r, map[[sha256.Size]byte]*object{}, map[string][]*object{}}
	if err := reads.all(r.Install.Objects, false); err != nil {
		return err
	}
	return reads.all(r.Upgrade.Objects, true)
}

func (reads reader) all(objects []chart.Object, upgrade bool) error {
	seen := occurrences{}
	for _, made := range objects {
		if same, read := reads.texts[string(made.YAML)]; read && upgrade {
			for _, o := range same {
				o.onUpgrade = true
			}
			continue
		}
		items, err := made.Items()
		if err != nil {
			return err
		}
		for _, item := range items {
			if len(item.Tree) == 0 {
				continue // a document of comments
			}
			o := &object{Object: made, release: reads.release, tree: item.Tree, onInstall: !upgrade, onUpgrade: upgrade, occurrence: seen.next(item)}
			o.APIVersion, o.Kind, o.Namespace, o.Name = item.APIVersion, item.Kind, item.Namespace, item.Name
			if o, err = reads.add(o); err != nil {
				return err
			}
			reads.texts[string(made.YAML)] = append(reads.texts[string(made.YAML)], o)
		}
	}
	return nil
}

// add adds an object, unless there is an equal one, and gives the one that is
// there.
func (reads reader) add(o *object) (*object, error) {
	content, err := json.Marshal(o.tree)
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(content)
	if old := reads.known[id]; old != nil {
		old.onUpgrade = old.onUpgrade || o.onUpgrade
		return old, nil
	}
	reads.known[id] = o
	reads.release.objects = append(reads.release.objects, o)
	return o, nil
}
