package publish

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Version is a version that a commit changes.
type Version struct {
	What     string // chart, istiod, server, ui, or the key of another release
	From, To string // without digests
}

func (v Version) String() string { return v.What + " " + v.From + " -> " + v.To }

// wanted is a version of an environment, and where its manifests have it.
type wanted struct {
	Version
	release string // its key, of a chart
	path    string // the dotted chart value, of an image
}

// wantedOf lists the versions of an environment: charts, then images.
func wantedOf(m fleet.Member) []wanted {
	var all []wanted
	for _, release := range m.Plan.Releases() {
		what := release.Key
		switch what {
		case render.PrefectCloud:
			what = "chart"
		case render.PrefectIstiod:
			what = "istiod"
		}
		all = append(all, wanted{Version: Version{What: what, To: release.Chart.Version}, release: release.Key})
	}
	paths, versions := m.Plan.ValuePaths(), m.Environment.Spec.Versions
	server, ui := Version{What: "server", To: string(versions.Server)}, Version{What: "ui", To: string(versions.UI)}
	return append(all, wanted{Version: server, path: paths["versions.server"]}, wanted{Version: ui, path: paths["versions.ui"]})
}

// versionsOf finds the versions that a member's changes replace in files: those of the
// manifests, whenever the environment file was edited. A version that is not found in
// one place of each side, or does not look like one, is left out.
func versionsOf(files fs.FS, m fleet.Member, changes folder.Changes) []Version {
	old, new := tree.Tree{}, tree.Tree{}
	for _, name := range changes.Updated {
		before, err := fs.ReadFile(files, name)
		if after, is := m.Rendering.Tree[name]; is && err == nil && !tree.IsInventory(name) {
			old[name], new[name] = before, after
		}
	}
	differences := diff.Compare(diff.Documents(old), diff.Documents(new))
	var found []Version
	for _, one := range wantedOf(m) {
		var before []string
		for _, change := range differences.Changes {
			for _, edit := range change.Edits {
				if from, is := one.replaced(change.Source, edit); is {
					before = append(before, from)
				}
			}
		}
		if before = slices.Compact(slices.Sorted(slices.Values(before))); len(before) == 1 {
			one.From = before[0]
			found = append(found, one.Version)
		}
	}
	return found
}

var (
	// versionPattern matches tags and chart versions.
	versionPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$`)
	// digestSuffix matches the start of a digest behind the version in an object's name.
	digestSuffix = regexp.MustCompile(`-[0-9a-f]{12}$`)
)

// replaced gives the version that an edit of a file replaces with the wanted one.
func (w wanted) replaced(file string, e diff.Edit) (string, bool) {
	old, isOld := e.Old.(string)
	new, isNew := e.New.(string)
	switch {
	case !isOld || !isNew || w.release == "" && w.path == "":
		return "", false
	case w.release != "" && !slices.Contains(strings.Split(file, "/"), w.release):
		return "", false
	case w.release == "" && !strings.HasSuffix("."+e.Path.String(), "."+w.path):
		return "", false
	}
	old, new = w.plain(old), w.plain(new)
	return old, new == w.To && old != new && versionPattern.MatchString(old)
}

// plain gives the version in a value: Flux names sources of charts by release, version
// and digest, and pinned images have a digest behind the tag.
func (w wanted) plain(value string) string {
	value, _, _ = strings.Cut(value, "@")
	if w.release != "" {
		value = digestSuffix.ReplaceAllString(strings.TrimPrefix(value, w.release+"-"), "")
	}
	return value
}
