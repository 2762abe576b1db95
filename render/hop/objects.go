package hop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

// objects gives findings for objects that come, go, have another name or are refused.
func (w *work) objects(before, after *made) (found []Finding) {
	pairs := pair(before, after)
	gone, fresh := goneAndNew(before, after)
	told := w.explained
	for _, id := range gone {
		other, renamed := pairs[id]
		if renamed && isWorkload(id) {
			found = append(found, w.renamedService(id, other, pairs))
			for from, to := range pairs {
				if from.name == id.name && to.name == other.name {
					told[from], told[to] = true, true
				}
			}
		}
	}
	for _, id := range gone {
		if other, renamed := pairs[id]; renamed && !told[id] && !isWorkload(id) {
			told[id], told[other] = true, true
			found = append(found, renamedObject(id, other))
		}
	}
	for _, id := range fresh {
		if !told[id] && isWorkload(id) {
			found = append(found, w.newService(id, fresh, before, after))
		}
	}
	for _, id := range gone {
		if !told[id] && id.kind != "CustomResourceDefinition" {
			found = append(found, goneObject(id, before.tree(id)))
		}
	}
	return append(found, refused(before, after)...)
}

func (w *work) renamedService(id, other object, pairs map[object]object) Finding {
	f := Finding{
		Class: RenamedService, Severity: finding.Warning, Certainty: Suspected, Objects: belonging(id, pairs),
		Message:  fmt.Sprintf("%s becomes %s: the old one is deleted", id, other.name),
		Evidence: "it is like the old one in all but its name and what the version changes, and no other new one is as much",
	}
	for _, s := range w.said {
		if s.from.last() == id.name && s.to != nil && s.to.last() == other.name {
			f.Certainty, f.Evidence = Certain, s.by
		}
	}
	return f
}

// belonging gives the objects of a service that have another name with it.
func belonging(id object, pairs map[object]object) []string {
	var all []string
	for from, to := range pairs {
		if from.name == id.name {
			all = append(all, from.String(), to.String())
		}
	}
	slices.Sort(all)
	return few(slices.Compact(all))
}

func renamedObject(id, other object) Finding {
	f := Finding{
		Class: RenamedObject, Severity: finding.Warning, Certainty: Suspected, Objects: []string{id.String(), other.String()},
		Message:  fmt.Sprintf("%s becomes %s: the old one is deleted", id, other.name),
		Evidence: "it is like the old one in all but its name and what the version changes, and no other new one is as much",
	}
	if reads.KeepsData(id.group, id.kind) {
		f.Severity, f.Blocks = finding.Error, true
	}
	return f
}

// newService reports a program that was not there; a database that starts by itself, where
// there was none, blocks.
func (w *work) newService(id object, fresh []object, before, after *made) Finding {
	var own []string
	for _, other := range fresh {
		if other.name == id.name {
			own = append(own, other.String())
		}
	}
	slices.Sort(own)
	f := Finding{
		Class: NewService, Severity: finding.Info, Certainty: Certain, Objects: few(own),
		Message: fmt.Sprintf("%s is new", id), Evidence: "only the new chart makes it",
	}
	starts := keepsData(after.tree(id)) && !slices.ContainsFunc(before.ids(), func(was object) bool { return keepsData(before.tree(was)) })
	if starts {
		f.Class, f.Severity, f.Certainty, f.Blocks = Flipped, finding.Error, Unknown, true
		f.Message += ": the chart starts a database of its own, and the old one did not for this environment"
		f.Todo = "find the value that switches it off"
	}
	return f
}

// goneObject reports an object that goes: what keeps data blocks.
func goneObject(id object, tree map[string]any) Finding {
	f := Finding{
		Class: Deleted, Severity: finding.Info, Certainty: Certain, Objects: []string{id.String()},
		Message: fmt.Sprintf("%s is deleted", id), Evidence: "only the old chart makes it",
	}
	switch {
	case isKept(tree):
		f.Message = fmt.Sprintf("%s is not made any more, and stays in the cluster (helm.sh/resource-policy: keep)", id)
	case reads.KeepsData(id.group, id.kind):
		f.Severity, f.Blocks = finding.Error, true
		f.Todo = "find out what makes it from now on, and whether its data is needed"
	case isWorkload(id):
		f.Class, f.Severity = RemovedService, finding.Warning
	}
	return f
}

// isKept reports whether an object says that it stays when it is no longer rendered
// (https://helm.sh/docs/howto/charts_tips_and_tricks/#tell-helm-not-to-uninstall-a-resource).
func isKept(tree map[string]any) bool {
	metadata, _ := tree["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	policy, _ := annotations["helm.sh/resource-policy"].(string)
	return strings.EqualFold(strings.TrimSpace(policy), "keep")
}

// documents gives objects as package diff compares them.
func documents(objects []chart.Object) (all []diff.Document) {
	for _, o := range objects {
		if o.Hook == nil || !o.Hook.Tests() {
			all = append(all, diff.Document{Within: "release", Source: o.Source, Namespace: "release", Hook: o.Hook != nil, YAML: o.YAML})
		}
	}
	return all
}

// refused gives findings for changes that the API server does not take.
func refused(before, after *made) (found []Finding) {
	for _, c := range diff.Compare(documents(before.objects), documents(after.objects)).Effects(render.ByHelm).Changes {
		if c.Effect == nil || c.Effect.Action != diff.Refuse {
			continue
		}
		name := c.Object.Kind + "/" + c.Object.Name
		found = append(found, Finding{
			Class: Immutable, Severity: finding.Error, Certainty: Certain, Blocks: true, Objects: []string{name},
			Message:  fmt.Sprintf("the API server refuses the change of %s: %s cannot change", name, strings.Join(few(c.Effect.Fields), ", ")),
			Evidence: "Kubernetes' own validation: " + c.Effect.Source,
			Todo:     fmt.Sprintf("delete %s before the upgrade, so that it is made again", name),
		})
	}
	return found
}

// stored gives a finding for each definition that both charts make and whose versions are
// stored or served otherwise. A version that is there and no longer served is refused to
// whoever still writes it.
func stored(before, after *made) (found []Finding) {
	for _, id := range before.ids() {
		if id.kind != "CustomResourceDefinition" || !after.has(id) {
			continue
		}
		was, is := versionsWith(before.tree(id), "storage"), versionsWith(after.tree(id), "storage")
		if len(was) == 1 && len(is) == 1 && was[0] != is[0] && slices.Contains(versions(after.tree(id)), was[0]) {
			found = append(found, Finding{Class: CRD, Severity: finding.Info, Certainty: Certain, Objects: []string{id.String()},
				Message: fmt.Sprintf("%s stores objects as %s, and stored them as %s: those that are there stay as they are until they are written", id, is[0], was[0]), Evidence: "storage in the versions of both"})
		}
		served := versionsWith(after.tree(id), "served")
		lost := slices.DeleteFunc(versionsWith(before.tree(id), "served"), func(v string) bool {
			return slices.Contains(served, v) || !slices.Contains(versions(after.tree(id)), v)
		})
		if len(lost) > 0 {
			found = append(found, Finding{Class: CRD, Severity: finding.Warning, Certainty: Certain, Objects: []string{id.String()},
				Message: fmt.Sprintf("%s does not serve %s any more", id, strings.Join(lost, ", ")), Evidence: "served in the versions of both",
				Todo: "check that no manifest and no program uses it"})
		}
	}
	return found
}

// versionsWith gives the versions of a definition that have a flag.
func versionsWith(tree map[string]any, flag string) (all []string) {
	spec, _ := tree["spec"].(map[string]any)
	items, _ := spec["versions"].([]any)
	for _, item := range items {
		one, _ := item.(map[string]any)
		if name, ok := one["name"].(string); ok && one[flag] == true {
			all = append(all, name)
		}
	}
	return all
}
