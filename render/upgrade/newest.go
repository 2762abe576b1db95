package upgrade

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// takeNewest takes the newest version of the line, and says what stands against it.
func (c candidate) takeNewest() {
	if _, err := c.compare(plain(c.now), plain(c.now)); err != nil {
		c.say(finding.Warning, "stays as it is: %s", err)
		return
	}
	newest, err := c.newest()
	switch {
	case err != nil:
		c.stay(finding.Warning, "--"+c.part.Flag()+" names one", "stays at %s: %s", plain(c.now), err)
	case c.part == UI && len(c.line.UI) == 0:
		c.tellUnpaired(newest)
	case newest != "":
		c.to[c.part] = newest
	case !c.known.Complete:
		c.stay(finding.Warning, "--"+c.part.Flag()+" names one", "stays at %s: no newer version is known, and %s", plain(c.now), c.known.partly())
	}
}

// tellUnpaired says why the ui stays: its tags do not say which server they go with.
func (c candidate) tellUnpaired(newest string) {
	const reason = "tags of the ui do not say which server they go with, and the catalog lists none for the release line"
	switch {
	case newest != "":
		c.stay(finding.Info, "say --ui", "stays at %s although there is %s: %s", c.now, newest, reason)
	case !c.known.Complete:
		c.stay(finding.Info, "say --ui", "stays at %s: %s", c.now, reason)
	}
}

// newest finds the newest version of the line that registries or the catalog know, if it
// is newer than the environment's; otherwise it is empty. The error names two versions
// that are both the newest.
func (c candidate) newest() (string, error) {
	newest, err := newestOf(c.part, append([]string{plain(c.now)}, c.candidates()...))
	if err != nil || newest == plain(c.now) {
		return "", err
	}
	return newest, nil
}

// newestOf finds the newest of versions that can be compared, empty of none. The error
// names two that are both the newest.
func newestOf(part Part, versions []string) (string, error) {
	compare, newest, tie := compareOf(part), "", ""
	for i, version := range versions {
		order, err := 1, error(nil)
		if i > 0 {
			order, err = compare(version, newest)
		}
		switch {
		case err != nil:
			tie = version
		case order > 0:
			newest, tie = version, ""
		}
	}
	if tie != "" {
		_, err := compare(newest, tie)
		return "", err
	}
	return newest, nil
}

// candidates gives the versions of the line that may be chosen unasked, and that are not
// known to be as old as the environment's, in the order of their texts: of charts no
// pre-releases; of tags those with as many numbers as the environment's has.
func (c candidate) candidates() []string {
	all := slices.Clone(c.known.Versions)
	fits := c.fitsChart
	if !c.part.IsChart() {
		fits = c.fitsTag
		for _, pattern := range c.patterns(c.line) {
			if tag := string(pattern); !strings.ContainsAny(tag, `*?[\`) && !c.known.lacks(tag) {
				all = append(all, tag)
			}
		}
	}
	all = slices.DeleteFunc(all, func(version string) bool {
		order, err := c.compare(version, plain(c.now))
		return err != nil && !errors.Is(err, errAmbiguous) || err == nil && order <= 0 || !fits(version) || slices.Contains(c.known.Passed, version)
	})
	slices.Sort(all)
	return slices.Compact(all)
}

func (c candidate) fitsChart(version string) bool {
	v, err := semver.StrictNewVersion(version)
	return err == nil && v.Prerelease() == "" && c.inChartLine(version)
}

func (c candidate) fitsTag(tag string) bool {
	has, err := parts(tag)
	now, _ := parts(c.now)
	switch {
	case err != nil || len(has) != len(now):
		return false
	case c.part == Server && len(now) > 1 && (compareNumbers(has[0], now[0]) != 0 || compareNumbers(has[1], now[1]) != 0):
		return false
	}
	return len(c.patterns(c.line)) == 0 || c.matches(c.line, tag)
}

// compareOf gives the function that orders two versions of a part, without digests.
func compareOf(part Part) func(a, b string) (int, error) {
	if part.IsChart() {
		return compareCharts
	}
	return Compare
}

// compareCharts orders two versions of a chart. Build metadata has no precedence, so two
// versions that differ in it alone are an error.
func compareCharts(a, b string) (int, error) {
	var versions [2]*semver.Version
	for i, version := range []string{a, b} {
		var err error
		if versions[i], err = semver.StrictNewVersion(strings.TrimPrefix(version, "v")); err != nil {
			return 0, fmt.Errorf("%s is no chart version that can be compared: want one such as 1.2.3", text.Quoted(version))
		}
	}
	order := versions[0].Compare(versions[1])
	if order == 0 && a != b {
		return 0, fmt.Errorf("%s and %s are the same version: %w", text.Quoted(a), text.Quoted(b), errAmbiguous)
	}
	return order, nil
}
