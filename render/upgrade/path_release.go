package upgrade

import (
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// FindReleasePath finds the hop of a further release from its version to a goal: a version,
// or empty for the newest that is listed. Its chart has no lines: semantic versions say
// whether a hop may break. The error is that the goal is no version.
func FindReleasePath(key, now, goal string, listed Listed) (Path, error) {
	now = plain(now)
	path := Path{Goal: Goal{Asked: goal, Version: goal, Why: "asked for"}, Hops: []Hop{}, Remarks: []Remark{}}
	say := func(rule Rule, severity finding.Severity, do, message string) {
		path.Remarks = append(path.Remarks, Remark{Rule: rule, Severity: severity, Message: message, Do: do})
	}
	if _, err := compareCharts(now, now); err != nil {
		say(NotCompared, finding.Error, "name a version in the environment", err.Error())
		return path, nil
	}
	if goal != "" {
		if _, err := compareCharts(goal, goal); err != nil {
			return Path{}, err
		}
	} else {
		newest, err := newestRelease(now, listed)
		path.Goal.Version, path.Goal.Why = newest, "the newest that "+listed.have()
		switch {
		case err != nil:
			say(NotCompared, finding.Warning, "name one with --to", err.Error())
			return path, nil
		case len(listed.Versions) == 0:
			path.Goal.Why = "no registry listed versions"
			if listed.Folder != "" {
				path.Goal.Why = listed.silent()
			}
			say(NotKnown, finding.Warning, "name one with --to", "not known which versions there are")
		case !listed.Complete:
			path.Goal.Why = "the newest that is listed; not every registry lists its versions"
		}
	}
	switch order, err := compareCharts(path.Goal.Version, now); {
	case err != nil:
		say(NotCompared, finding.Warning, "compare them yourself", err.Error())
		return path, nil
	case order == 0:
		return path, nil
	case order < 0:
		say(Downgrade, finding.Error, "look at the chart's notes on rollback", path.Goal.Version+" is older than "+now+", which the environment has: a downgrade is no upgrade")
		return path, nil
	}
	path.Hops = []Hop{releaseHop(key, now, path.Goal.Version, listed)}
	return path, nil
}

// newestRelease finds the newest listed version that is at least as new as another one,
// which it is otherwise. Pre-releases are left out, if the other one is none.
func newestRelease(now string, listed Listed) (string, error) {
	own, err := semver.StrictNewVersion(strings.TrimPrefix(now, "v"))
	if err != nil {
		return now, nil
	}
	all := []string{now}
	for _, version := range listed.Versions {
		v, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v"))
		if err == nil && v.Compare(own) > 0 && (v.Prerelease() == "" || own.Prerelease() != "") {
			all = append(all, version)
		}
	}
	slices.Sort(all[1:])
	return newestOf(PrefectCloud, slices.Compact(all))
}

// releaseHop makes the hop, and says whether its version may break what is there.
func releaseHop(key, from, to string, listed Listed) Hop {
	hop := Hop{Kind: ReleaseHop, From: Stop{Known: true}, To: Stop{Known: true}, Moves: []catalog.Move{}, Remarks: []Remark{}}
	hop.Versions = []Transfer{{Part: Part(key), From: from, To: to}}
	if listed.lacks(to) {
		remark := Remark{Rule: NotThere, Severity: finding.Error, Message: listed.none(to)}
		newer := slices.DeleteFunc(slices.Clone(listed.Versions), func(version string) bool {
			order, err := compareCharts(version, from)
			return err != nil || order <= 0
		})
		if near := text.Nearest(to, newer); near != "" {
			remark.Do = "did you mean " + near + "?"
		}
		hop.Remarks = append(hop.Remarks, remark)
	}
	was, is := semver.MustParse(from), semver.MustParse(to)
	if was.Major() != is.Major() || was.Major() == 0 && was.Minor() != is.Minor() {
		hop.Remarks = append(hop.Remarks, Remark{Rule: Major, Severity: finding.Warning, Message: "by its number, " + to + " may break what works with " + from, Do: "read the release notes of the chart"})
	}
	return hop
}
