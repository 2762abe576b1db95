package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Window is a weekly span of time such as "Sat 02:00-06:00 UTC", by the clocks of its time
// zone. The first time is part of it, the last is not. One that ends before it begins ends
// on the next day, and one that ends when it begins lasts a day. Days may go over the end
// of the week: Sat-Mon.
type Window string

var windowForm = regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))? ([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d (UTC|[A-Z]\w+(/[\w+-]+)+)$`)

// Validate wants days, hours and a time zone. Whether there is such a time zone, it does
// not know.
func (w Window) Validate() error {
	if !windowForm.MatchString(string(w)) {
		return fmt.Errorf("want days, hours and a time zone such as %q, got %s", "Sat 02:00-06:00 UTC", quoted(string(w)))
	}
	return nil
}

// Zone is the name of the time zone, such as Europe/Berlin.
func (w Window) Zone() string { return string(w[strings.LastIndex(string(w), " ")+1:]) }

// Contains reports whether a time is in a valid window, whose time zone zone is. An hour
// that the clocks of the zone show twice is in the window twice.
func (w Window) Contains(t time.Time, zone *time.Location) bool {
	days, begin, end := w.split()
	t = t.In(zone)
	minute, today := t.Hour()*60+t.Minute(), int(t.Weekday())
	yesterday := (today + 6) % 7
	if begin < end {
		return days[today] && begin <= minute && minute < end
	}
	return days[today] && begin <= minute || days[yesterday] && minute < end
}

// Opens gives the first time from t on that is in a valid window, whose time zone zone
// is: t itself, or the beginning of a minute. It is zero where there is none within
// fifteen days: two weeks in which the clocks skip the window are none.
func (w Window) Opens(t time.Time, zone *time.Location) time.Time {
	if w.Contains(t, zone) {
		return t
	}
	// Minute by minute, for clocks skip and repeat hours.
	const limit = 15 * 24 * 60
	next := t.Truncate(time.Minute)
	for range limit {
		if next = next.Add(time.Minute); w.Contains(next, zone) {
			return next
		}
	}
	return time.Time{}
}

// split gives the days on which a valid window begins, Sunday first, and the minutes of
// the day at which it begins and ends.
func (w Window) split() (days [7]bool, begin, end int) {
	names := []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	fields := strings.Fields(string(w))
	first, last, isRange := strings.Cut(fields[0], "-")
	if !isRange {
		last = first
	}
	for day := slices.Index(names, first); ; day = (day + 1) % 7 {
		days[day] = true
		if names[day] == last {
			break
		}
	}
	from, to, _ := strings.Cut(fields[1], "-")
	return days, minuteOf(from), minuteOf(to)
}

// minuteOf reads HH:MM.
func minuteOf(clock string) int {
	digit := func(i int) int { return int(clock[i] - '0') }
	return (digit(0)*10+digit(1))*60 + digit(3)*10 + digit(4)
}
