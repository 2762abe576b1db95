package chart

import (
	"cmp"
	"slices"
	"strings"
)

// task is an object in a phase of a sync.
type task struct {
	Object
	phase, wave int
}

// syncPhases is the phases of a sync that succeeds, in their order.
var syncPhases = []string{"PreSync", "Sync", "PostSync"}

// kindOrder is the kinds in the order in which Argo CD applies them in a wave;
// all others come behind them
// (https://github.com/argoproj/argo-cd/blob/v3.5.1/gitops-engine/pkg/sync/sync_tasks.go).
var kindOrder = []string{
	"Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget", "ServiceAccount", "Secret", "SecretList",
	"ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList",
	"ClusterRoleBinding", "ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod",
	"ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress", "APIService",
}

// rankKind gives the place of a kind in that order.
func rankKind(kind string) int {
	if i := slices.Index(kindOrder, kind); i >= 0 {
		return i
	}
	return len(kindOrder)
}

// sync puts objects into the order in which a sync applies them: by phase, wave,
// kind and name, namespaces and definitions before what needs them. A hook that
// runs in several phases is there for each.
func (o *Output) sync(objects []Object, in Input) error {
	var tasks []task
	for _, object := range objects {
		items, err := object.apart()
		if err != nil {
			return err
		}
		for _, item := range items {
			h, err := readHead(string(item.YAML))
			if err != nil {
				return err
			}
			d := document{head: h}
			annotations := d.annotations()
			if item.Hook == nil { // Helm looks at the list, and Argo CD at its items
				item.Hook, _ = d.hook()
			}
			if reason, why := in.As.Syncs.place(&item, annotations); why != "" {
				o.Left = append(o.Left, Left{item, reason, why})
				continue
			}
			runs := []string{"Sync"}
			if item.Hook != nil {
				runs = item.Hook.Phases
			}
			for phase, name := range syncPhases {
				if slices.Contains(runs, name) {
					tasks = append(tasks, task{item, phase, wave(annotations)})
				}
			}
		}
	}
	slices.SortStableFunc(tasks, func(a, b task) int {
		return cmp.Or(cmp.Compare(a.phase, b.phase), cmp.Compare(a.wave, b.wave), cmp.Compare(rankKind(a.Kind), rankKind(b.Kind)), strings.Compare(a.Name, b.Name))
	})
	needsNamespace(tasks, in.Namespace)
	if err := needsDefinition(tasks); err != nil {
		return err
	}
	o.Objects = nil
	for _, t := range tasks {
		o.Objects = append(o.Objects, t.Object)
	}
	return nil
}

// apart gives the items of a list, each an object of its own; of any other
// object the object.
func (o Object) apart() ([]Object, error) {
	if !strings.HasSuffix(o.Kind, "List") {
		return []Object{o}, nil
	}
	items, err := o.Items()
	if err != nil || len(items) == 1 && items[0].In == nil {
		return []Object{o}, err
	}
	var all []Object
	for _, item := range items {
		one := Object{Source: o.Source, APIVersion: item.APIVersion, Kind: item.Kind, Namespace: item.Namespace, Name: item.Name, CRD: o.CRD}
		if err := one.write(item.Tree); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// needsNamespace moves namespaces before the first object in them.
func needsNamespace(tasks []task, own string) {
	first := map[string]int{}
	for i, t := range tasks {
		if t.Kind == "Namespace" && t.Group() == "" {
			advance(tasks, i, t.Name, first)
		} else if in := cmp.Or(t.Namespace, own); in != "" {
			note(first, in, i)
		}
	}
}

// needsDefinition moves definitions before the first object of their kind. Only
// a definition that something of its group comes before is read.
func needsDefinition(tasks []task) error {
	first, groups := map[string]int{}, map[string]bool{}
	for i, t := range tasks {
		if t.Kind != "CustomResourceDefinition" {
			note(first, t.Group()+"/"+t.Kind, i)
			groups[t.Group()] = true
			continue
		}
		if _, group, _ := strings.Cut(t.Name, "."); !groups[group] {
			continue
		}
		tree, err := t.Tree()
		if err != nil {
			return err
		}
		spec, _ := tree["spec"].(map[string]any)
		names, _ := spec["names"].(map[string]any)
		group, _ := spec["group"].(string)
		kind, _ := names["kind"].(string)
		advance(tasks, i, group+"/"+kind, first)
	}
	return nil
}

// note remembers the first place of an object that needs another one.
func note(first map[string]int, needed string, place int) {
	if _, known := first[needed]; !known {
		first[needed] = place
	}
}

// advance moves an object to the first one that needs it, into its phase and wave.
func advance(tasks []task, from int, name string, first map[string]int) {
	to, needed := first[name]
	if !needed {
		return
	}
	moved := tasks[from]
	moved.phase, moved.wave = tasks[to].phase, tasks[to].wave
	copy(tasks[to+1:from+1], tasks[to:from])
	tasks[to] = moved
	for key, place := range first {
		if place >= to {
			first[key] = place + 1
		}
	}
}
