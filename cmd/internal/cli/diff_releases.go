package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// checkCompared refuses names that are no release on either side.
func checkCompared(names []string, members []fleet.Member, had tree.Tree) error {
	var known []string
	for _, one := range members {
		for _, release := range one.Plan.Releases() {
			known = append(known, release.Key)
		}
	}
	isKnown := func(name string) bool { return slices.Contains(known, name) }
	for i := 0; i < len(members) && slices.IndexFunc(names, func(name string) bool { return !isKnown(name) }) >= 0; i++ {
		installed, err := installedReleases(members[i], had)
		if err != nil {
			return err
		}
		for _, old := range installed {
			known = append(known, old.Key)
		}
	}
	for _, name := range names {
		if !isKnown(name) {
			return usageError{fmt.Errorf("no release %q in %s%s", name, environmentsOf(plansOf(members)), text.Suggest(name, dropRepeated(known)))}
		}
	}
	return nil
}

// installedReleases reads the releases of the old side back from its files.
func installedReleases(one fleet.Member, had tree.Tree) ([]render.Installation, error) {
	target := one.Plan.Target()
	reader, ok := target.(readsBack)
	if !ok {
		return nil, fmt.Errorf("the %s target cannot read releases back from its files: diff without --manifests compares the files", target.Name())
	}
	installed, err := reader.Installed(had, one.Plan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", one.Plan.Environment, err)
	}
	return installed, nil
}

// add adds the releases of an environment that are not the same on both sides,
// and names those that are.
func (c *comparison) add(one *fleet.Member, had tree.Tree) (same []string, err error) {
	installed, err := installedReleases(*one, had)
	if err != nil {
		return nil, err
	}
	before := map[string]render.Release{}
	for _, old := range installed {
		release, err := completeRelease(*one, old, c.target)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.Plan.Environment, err)
		}
		before[old.Key] = release
	}
	for wave, releases := range one.Plan.Waves {
		for _, release := range releases {
			old, both := before[release.Key]
			delete(before, release.Key)
			if !chooses(c.names, release.Key) {
				c.unseen = append(c.unseen, planned{release, one.Index, &one.Plan, wave + 1}.within())
				continue
			}
			if both && sameInputs(old, release) {
				same = append(same, release.Key)
				continue
			}
			if both {
				c.side(planned{old, one.Index, &one.Plan, wave + 1}, side{old: true, upgrade: true})
			}
			c.side(planned{release, one.Index, &one.Plan, wave + 1}, side{upgrade: both})
		}
	}
	for _, old := range installed { // in their order
		if gone, ok := before[old.Key]; ok && chooses(c.names, old.Key) {
			c.side(planned{gone, one.Index, &one.Plan, 0}, side{old: true, upgrade: true, kept: explainStaying(old)})
		}
	}
	return same, nil
}

func (c *comparison) side(p planned, s side) {
	c.releases, c.sides = append(c.releases, p), append(c.sides, s)
}

// settle says which releases were rendered on all their sides, and joins the failures of
// the others. Without workers a template that loops ends the work on all of them.
func (c comparison) settle(workers *charts.Workers, failures []error) (done []bool, err error) {
	type release struct {
		index int
		key   string
	}
	failed := map[release]bool{}
	for i, failure := range failures {
		p := c.releases[i]
		if errors.Is(failure, context.Canceled) {
			failures[i] = fmt.Errorf("%s: not compared, for the chart of another release took too long", p.Key)
		}
		if failure != nil {
			failed[release{p.index, p.Key}] = true
		}
	}
	for _, p := range c.releases {
		done = append(done, !failed[release{p.index, p.Key}])
	}
	return done, joinFailures(c.releases, workers, failures)
}

// explainStaying says why the objects of a release stay when its manifests go.
func explainStaying(old render.Installation) string {
	if old.Protected {
		return "the release is protected: what it installed stays"
	}
	return ""
}

// completeRelease adds to a release of the old side what its manifests do not say:
// where secret values go, which is what the environment says of that version
// of the chart, and the version of a chart that is pinned by its digest alone.
func completeRelease(one fleet.Member, old render.Installation, target render.Target) (render.Release, error) {
	release := old.Release
	now := releaseOf(one.Plan, old.Key)
	if release.Chart.Version == "" && release.Chart.Digest == now.Chart.Digest {
		release.Chart.Version = now.Chart.Version
	}
	if release.Chart.Version == "" {
		return release, fmt.Errorf("%s is pinned by its digest, %s, and no manifest says its version", old.Key, release.Chart.Digest)
	}
	if !old.HasSecrets {
		return release, nil
	}
	release.SecretInputs = now.SecretInputs
	env := one.Environment
	switch old.Key {
	case render.PrefectCloud:
		env.Spec.Versions.PrefectCloud = render.ChartVersion(release.Chart.Version)
	case render.PrefectIstiod:
		env.Spec.Versions.PrefectIstiod = render.ChartVersion(release.Chart.Version)
	}
	if plan, err := render.PlanFor(env, one.Catalog, target); err == nil {
		release.SecretInputs = releaseOf(plan, old.Key).SecretInputs
	}
	return release, nil
}

// releaseOf gives the release of a key, or an empty one.
func releaseOf(plan render.Plan, key string) render.Release {
	for _, release := range plan.Releases() {
		if release.Key == key {
			return release
		}
	}
	return render.Release{}
}

// sameInputs reports whether two releases make the same objects.
func sameInputs(a, b render.Release) bool {
	type inputs struct {
		Name, Namespace string
		Chart           render.Chart
		Values          map[string]any
	}
	texts := [2]string{}
	for i, release := range []render.Release{a, b} {
		values, err := release.PlaceholderValues()
		if err != nil {
			return false
		}
		release.Chart.PullSecret, release.Chart.CASecret = "", "" // they say nothing about which chart it is
		data, err := json.Marshal(inputs{release.Name, release.Namespace, release.Chart, values})
		if err != nil {
			return false
		}
		texts[i] = string(data)
	}
	return texts[0] == texts[1]
}

// installedVersions gives the versions of the charts of the old side, by release; see
// [planned.within].
func installedVersions(members []fleet.Member, had tree.Tree) map[string]string {
	versions := map[string]string{}
	for _, one := range members {
		installed, err := installedReleases(one, had)
		if err != nil {
			continue // the comparison said so
		}
		for _, old := range installed {
			versions[planned{Release: old.Release, plan: &one.Plan}.within()] = old.Chart.Version
		}
	}
	return versions
}
