package catalog

import (
	"time"

	"github.com/Masterminds/semver/v3"
)

// supportMonths is how long the vendor supports a release
// (https://docs-customer-managed.prefect.io/support).
const supportMonths = 6

// Support says until when the vendor supports a line.
type Support struct {
	// Ends is the last day; where the catalog knows the month of the release alone, the
	// last day that it can be. Zero: the catalog does not know the release.
	Ends time.Time
	// Exact says that the catalog knows the day of the release.
	Exact bool
}

// Support gives the support of the line: six months from its release.
func (l Line) Support() Support {
	if day, err := time.Parse(time.DateOnly, l.Released); err == nil {
		return Support{Ends: addMonths(day, supportMonths), Exact: true}
	}
	month, err := time.Parse("2006-01", l.Released)
	if err != nil {
		return Support{}
	}
	return Support{Ends: month.AddDate(0, supportMonths+1, -1)}
}

// Over reports whether the support is over at a time, for certain.
func (s Support) Over(at time.Time) bool {
	return !s.Ends.IsZero() && !at.Before(s.Ends.AddDate(0, 0, 1))
}

// addMonths gives the same day of a later month, or its last day where it is shorter.
func addMonths(day time.Time, months int) time.Time {
	later := day.AddDate(0, months, 0)
	if later.Day() != day.Day() {
		return later.AddDate(0, 0, -later.Day())
	}
	return later
}

// HasChart reports whether a version of a release's chart belongs to the line: by its range
// or, where the line has none for the release, by the name of the line.
func (l Line) HasChart(release, version string) bool {
	if covers, known := l.Charts[release]; known {
		return covers.Contains(version)
	}
	own, err := semver.NewVersion(l.Name)
	other, err2 := semver.NewVersion(version)
	return err == nil && err2 == nil && own.Major() == other.Major() && own.Minor() == other.Minor()
}

// Matches reports whether one of the patterns matches a tag.
func Matches(patterns []Pattern, tag string) bool {
	for _, pattern := range patterns {
		if pattern.Matches(tag) {
			return true
		}
	}
	return false
}
