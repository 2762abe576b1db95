//go:build e2e

package e2e

import (
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"
)

// record writes what the cluster has at the end beside the logs, for whoever
// looks why a scenario failed.
func (f *fixture) record() {
	if !f.Failed() {
		return
	}
	objects := map[types.UID]any{}
	var order []types.UID
	for _, e := range f.Journal.Events() {
		uid := e.Object.GetUID()
		if _, known := objects[uid]; !known {
			order = append(order, uid)
		}
		if objects[uid] = e.Object.Object; e.Type == watch.Deleted {
			objects[uid] = nil
		}
	}
	var text []byte
	for _, uid := range order {
		if objects[uid] == nil {
			continue
		}
		one, err := yaml.Marshal(objects[uid])
		if err != nil {
			f.Error(err)
		}
		text = append(append(text, "---\n"...), one...)
	}
	if err := os.WriteFile(filepath.Join(f.Dir, "objects.yaml"), text, 0o644); err != nil {
		f.Error(err)
	}
}
