package hop

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/chart"
)

// saying holds the statement of a catalog, or of a text of the chart, about a value.
type saying struct {
	from, to path // to is empty for what was removed
	by       string
}

// sayings is all of them.
type sayings []saying

// to gives where a value moved, with what lies below it; nil if nothing says so.
func (all sayings) to(at path) path {
	s, ok := all.about(at)
	if !ok || s.to == nil {
		return nil
	}
	return append(slices.Clip(s.to), at[len(s.from):]...)
}

// about gives what is said of a value or of the nearest mapping around it.
func (all sayings) about(at path) (found saying, ok bool) {
	for _, s := range all {
		if at.within(s.from) && (!ok || len(s.from) > len(found.from)) {
			found, ok = s, true
		}
	}
	return found, ok
}

// Names are dotted, with .Values before them or not, in quotes or not.
const (
	name    = "[\"'`]?(?:\\.?Values\\.)?([A-Za-z_][\\w-]*(?:\\.[\\w-]+)*)[\"'`]?"
	hasGone = `(?: was| were| is| are| has been| have been|)(?: now)? `
)

// forms gives how texts of charts say what became of a value: "X was renamed to Y".
func forms() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(name + hasGone + `(?:renamed|moved|changed|relocated) (?:in)?to ` + name),
		regexp.MustCompile(name + hasGone + `(?:replaced|superseded) (?:by|with) ` + name),
		regexp.MustCompile(name + hasGone + `(?:removed|deprecated|gone|obsolete|not supported|no longer supported|unsupported)[^.\n]{0,40}[:;,.]? (?:please )?(?:use|set) ` + name),
		regexp.MustCompile(name + ` *(?:=>|->|→) *` + name),
	}
}

// removal gives how they say that there is nothing in its place.
func removal() *regexp.Regexp {
	return regexp.MustCompile(name + hasGone + `(?:removed|dropped|no longer supported)`)
}

// readSayings collects what the texts of the new chart say, and the catalog. Only what is
// a value of the old chart, and of the new one, counts.
func readSayings(texts string, moves []catalog.Move, old, new map[string]any) (all sayings) {
	for _, m := range moves {
		if m.From != "" && parse(m.From) != nil {
			s := saying{from: parse(m.From), by: fmt.Sprintf("the catalog says that %s belongs to %s", m.From, m.To)}
			if s.to = parse(m.To); m.To == "" {
				s.to, s.by = nil, fmt.Sprintf("the catalog says that %s is gone", m.From)
			}
			all = append(all, s)
		}
	}
	add := func(by string, from, to string) {
		s := saying{from: parse(from), by: fmt.Sprintf("the new chart says %q", strings.Trim(redacted(by), " \"'`"))}
		if to != "" {
			s.to = parse(to)
		}
		knowsTo := to == "" || stands(new, s.to) == known
		isGone := stands(old, s.from) == known && stands(new, s.from) != known
		if _, said := all.about(s.from); !said && isGone && knowsTo {
			all = append(all, s)
		}
	}
	for _, form := range forms() {
		for _, found := range form.FindAllStringSubmatch(texts, -1) {
			add(found[0], found[1], strings.TrimRight(found[2], "."))
		}
	}
	for _, found := range removal().FindAllStringSubmatch(texts, -1) {
		add(found[0], found[1], "")
	}
	slices.SortStableFunc(all, func(a, b saying) int { return cmp.Compare(a.from.String(), b.from.String()) })
	return all
}

// templates gives the texts of the templates of a chart and of those in it.
func templates(p chart.Part) string {
	var b strings.Builder
	for _, file := range p.Templates {
		b.Write(file.Source)
		b.WriteByte('\n')
	}
	for _, inner := range p.Parts {
		b.WriteString(templates(inner))
	}
	return b.String()
}
