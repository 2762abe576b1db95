package hop

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/reads"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// hooks gives a finding if other things run once, or at another time.
func hooks(before, after *made) []Finding {
	was, is := running(before), running(after)
	if maps.Equal(was, is) {
		return nil
	}
	var lines, names []string
	for _, name := range slices.Sorted(maps.Keys(was)) {
		switch now, there := is[name]; {
		case !there:
			lines, names = append(lines, fmt.Sprintf("%s (%s) does not run any more", name, was[name])), append(names, name)
		case now != was[name]:
			lines, names = append(lines, fmt.Sprintf("%s runs %s, and ran %s", name, now, was[name])), append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if _, there := was[name]; !there {
			lines, names = append(lines, fmt.Sprintf("%s (%s) is new", name, is[name])), append(names, name)
		}
	}
	slices.Sort(names)
	f := Finding{
		Class: Hooks, Severity: finding.Warning, Certainty: Certain, Objects: few(names),
		Message: "other hooks and Jobs run: " + strings.Join(few(lines), "; "), Evidence: "both charts were rendered, and the hooks compared",
	}
	if more := newNeeds(before, after); len(more) > 0 {
		f.Message += "; they read what none of them read before: " + list(few(more))
		f.Todo = "check that it exists before the upgrade"
	}
	return []Finding{f}
}

// running gives what runs once, and when.
func running(m *made) map[string]string {
	all := map[string]string{}
	for _, o := range m.objects {
		name := o.Kind + "/" + o.Name
		switch {
		case o.Hook != nil && !o.Hook.Tests():
			all[name] = o.Hook.Said()
		case o.Hook == nil && (o.Kind == "Job" || o.Kind == "Pod"):
			all[name] = "with the rest"
		}
	}
	return all
}

// newNeeds gives the Secrets and ConfigMaps that what runs once reads in the new chart
// alone.
func newNeeds(before, after *made) (all []string) {
	was, is := needed(before), needed(after)
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if !was[name] {
			all = append(all, name)
		}
	}
	return all
}

func needed(m *made) map[string]bool {
	all := map[string]bool{}
	for id := range runsOnce(m) {
		for _, r := range reads.References(m.tree(id)) {
			if r.Kind == "Secret" || r.Kind == "ConfigMap" {
				all[r.Kind+"/"+r.Name] = true
			}
		}
	}
	return all
}

// newKeys gives findings for keys of Secrets that something reads in the new version
// alone, where nothing of the chart makes the Secret: whoever made it has to add them.
func newKeys(before, after *made) (found []Finding) {
	was, is := keysRead(before), keysRead(after)
	for _, name := range slices.Sorted(maps.Keys(is)) {
		var keys, readers []string
		for _, key := range slices.Sorted(maps.Keys(is[name])) {
			if _, known := was[name][key]; !known {
				keys, readers = append(keys, key), append(readers, is[name][key]...)
			}
		}
		if len(keys) == 0 || strings.Contains(name, probing) {
			continue
		}
		slices.Sort(readers)
		readers = slices.Compact(readers)
		found = append(found, Finding{
			Class: Required, Severity: finding.Error, Certainty: Certain, Objects: []string{redacted("Secret/" + name)},
			Message:  fmt.Sprintf("Secret/%s must have %s", redacted(name), list(few(keys))),
			Evidence: list(few(readers)) + " read it, and no object of the chart makes the Secret",
			Todo:     fmt.Sprintf("add it to Secret/%s before the upgrade", redacted(name)),
		})
	}
	return found
}

// keysRead gives the keys of Secrets that pods cannot start without and that the chart
// does not make, with the objects that read them.
func keysRead(m *made) map[string]map[string][]string {
	all, makes := map[string]map[string][]string{}, map[string]bool{}
	for _, id := range m.ids() {
		makes[id.name] = makes[id.name] || id.kind == "Secret"
	}
	for _, id := range m.ids() {
		for _, r := range reads.References(m.tree(id)) {
			if r.Kind != "Secret" || r.Optional || !r.Blocking || makes[r.Name] {
				continue
			}
			if all[r.Name] == nil {
				all[r.Name] = map[string][]string{}
			}
			for _, key := range r.Keys {
				all[r.Name]["the key "+redacted(key)] = append(all[r.Name]["the key "+redacted(key)], id.String())
			}
		}
	}
	return all
}

// newImages gives a finding if the new version needs images that the old one did not, and
// the images.
func newImages(before, after *made) ([]Finding, []string) {
	was, err := images.Find(before.objects)
	if err != nil {
		return nil, nil
	}
	is, err := images.Find(after.objects)
	if err != nil {
		return nil, nil
	}
	known := map[string]bool{}
	for _, image := range was.Images {
		known[image.Written] = true
	}
	var fresh, objects []string
	for _, image := range is.Images {
		if image.Problem == "" && !known[image.Written] && !strings.Contains(image.Written, probing) {
			fresh, objects = append(fresh, image.Written), append(objects, image.Object.Kind+"/"+image.Object.Name)
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	slices.Sort(fresh)
	slices.Sort(objects)
	fresh = slices.Compact(fresh)
	return []Finding{{
		Class: Images, Severity: finding.Warning, Certainty: Certain, Objects: few(slices.Compact(objects)),
		Message:  "images that the old version does not need: " + list(few(fresh)),
		Evidence: "the images of all objects of both charts", Todo: "have them in the mirror before the upgrade",
	}}, fresh
}

// stateful gives findings for programs that keep data and have another major version.
func stateful(before, after *made) (found []Finding) {
	for _, id := range after.ids() {
		if !before.has(id) || !isWorkload(id) || id.kind != "StatefulSet" && !keepsData(after.tree(id)) {
			continue
		}
		was, is := imagesOf(before.tree(id)), imagesOf(after.tree(id))
		for _, name := range slices.Sorted(maps.Keys(is)) {
			a, b := major(was[name]), major(is[name])
			if a == "" || b == "" || a == b {
				continue
			}
			found = append(found, Finding{
				Class: Stateful, Severity: finding.Error, Certainty: Certain, Blocks: true, Objects: []string{id.String()},
				Message:  fmt.Sprintf("%s has %s %s, and had %s: what it keeps has to be upgraded with it", id, lastPart(name), is[name], was[name]),
				Evidence: "the images of both charts", Todo: "take a backup, and migrate or restore the data as its program documents it; or keep the old version by its value",
			})
		}
	}
	return found
}

// imagesOf gives the tags of the images of an object, by repository.
func imagesOf(tree map[string]any) map[string]string {
	all := map[string]string{}
	for _, p := range reads.Pods(tree) {
		for _, c := range p.Containers() {
			written, _ := c.Spec["image"].(string)
			if image, err := ref.ParseImage(written); err == nil {
				all[image.Repository] = image.Tag
			}
		}
	}
	return all
}

// lastPart gives the name of an image without where it is.
func lastPart(repository string) string {
	return repository[strings.LastIndex(repository, "/")+1:]
}

// major gives the first number of a tag.
func major(tag string) string {
	tag = strings.TrimPrefix(tag, "v")
	number, _, _ := strings.Cut(tag, ".")
	if number == "" || strings.Trim(number, "0123456789") != "" {
		return ""
	}
	return number
}

// definitions gives findings for definitions of custom resources that are new, go, or
// lose a version.
func definitions(before, after *made) (found []Finding) {
	const kind = "CustomResourceDefinition"
	for _, id := range before.ids() {
		if id.kind != kind {
			continue
		}
		lost := slices.DeleteFunc(versions(before.tree(id)), func(v string) bool { return slices.Contains(versions(after.tree(id)), v) })
		f := Finding{Class: CRD, Severity: finding.Error, Certainty: Certain, Blocks: true, Objects: []string{id.String()}, Evidence: "the versions that both charts define"}
		switch {
		case !after.has(id) && isKept(before.tree(id)):
			f.Severity, f.Blocks = finding.Warning, false
			f.Message = fmt.Sprintf("%s is not made any more, and stays in the cluster (helm.sh/resource-policy: keep): nothing upgrades it", id)
		case !after.has(id):
			f.Message = fmt.Sprintf("%s goes, and with it every object of its kind, unless it is kept", id)
			f.Todo = "check whether any objects of its kind are left"
		case len(lost) > 0:
			f.Message = fmt.Sprintf("%s loses version %s: the API server refuses that while objects may be stored in it", id, strings.Join(lost, ", "))
			f.Todo = "store all objects in another version, and take the old one out of status.storedVersions first"
		default:
			continue
		}
		found = append(found, f)
	}
	for _, id := range after.ids() {
		if id.kind == kind && !before.has(id) {
			found = append(found, Finding{Class: CRD, Severity: finding.Info, Certainty: Certain, Objects: []string{id.String()},
				Message: fmt.Sprintf("%s is new", id), Evidence: "only the new chart makes it"})
		}
	}
	return found
}

// versions gives those that a definition has.
func versions(tree map[string]any) (all []string) {
	spec, _ := tree["spec"].(map[string]any)
	items, _ := spec["versions"].([]any)
	for _, item := range items {
		one, _ := item.(map[string]any)
		if name, ok := one["name"].(string); ok {
			all = append(all, name)
		}
	}
	return all
}

// kubernetes gives a finding if the new chart does not run on the cluster.
func (w *work) kubernetes() []Finding {
	wanted := w.new.chart.KubeVersion()
	if w.in.KubeVersion == "" || wanted == "" || chart.Fits(wanted, w.in.KubeVersion) {
		return nil
	}
	return []Finding{{
		Class: Kubernetes, Severity: finding.Error, Certainty: Certain, Blocks: true,
		Message:  fmt.Sprintf("the new chart wants Kubernetes %s, and the cluster has %s", wanted, w.in.KubeVersion),
		Evidence: "kubeVersion in its Chart.yaml", Todo: "upgrade the cluster first",
	}}
}

// sortFindings puts what blocks first, then what is worse.
func sortFindings(all []Finding) {
	blocks := func(f Finding) int {
		if f.Blocks {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(blocks(a)-blocks(b), a.Severity.Compare(b.Severity), cmp.Compare(a.Class, b.Class),
			cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), slices.Compare(a.Objects, b.Objects), cmp.Compare(a.Message, b.Message))
	})
}
