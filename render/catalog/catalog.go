// Package catalog knows the vendor's release lines: which chart, server and ui
// versions belong together, which chart value each field of an environment
// sets on a line, and what changed since the line before.
//
// The catalog is data. The embedded one holds publicly documented facts only,
// each with its source; a user's file adds lines and corrects them.
package catalog

import (
	"cmp"
	_ "embed" // the embedded catalog
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

//go:embed catalog.yaml
var embedded []byte

// embeddedName is how positions name the embedded catalog: no file of a user
// has it.
const embeddedName = "<embedded>/catalog.yaml"

// Catalog is the release lines in upgrade order.
type Catalog struct {
	APIVersion string `json:"apiVersion"` // pm-gitops/v1
	Kind       string `json:"kind"`       // Catalog
	Lines      []Line `json:"lines"`
}

// Line is a quarterly release line of the vendor: charts and images that go
// together and are upgraded to one line at a time
// (https://docs-customer-managed.prefect.io/upgrade-guide).
type Line struct {
	Position strictyaml.Position `json:"-"`

	// Name is MAJOR.MINOR of the line's charts; lines are ordered by it.
	Name string `json:"name"`
	// Charts holds, per release, the semver range of chart versions that belong to the line.
	Charts map[string]Range `json:"charts,omitempty"`
	// Server and UI are image tags, or patterns with *, that belong to the
	// line. Empty means not known, and nothing is checked.
	Server []Pattern `json:"server,omitempty"`
	UI     []Pattern `json:"ui,omitempty"`
	// Released is the day or month of the release: 2026-01-20 or 2026-01.
	Released string `json:"released,omitempty"`
	// Like names a line whose layout, secrets, migrations and loops this one
	// shares where it says nothing itself.
	Like string `json:"like,omitempty"`
	// Layout says which chart value each field of an environment sets.
	Layout []Rule `json:"layout,omitempty"`
	// Secrets is the Secrets that the chart reads with secrets.into: chart:
	// name to keys. Empty means that the catalog does not know them.
	Secrets map[string][]string `json:"secrets,omitempty"`
	// Loops is the services of which exactly one may run. Empty means not known.
	Loops []string `json:"loops,omitempty"`
	// Moves is what happens to values on the way from the line before.
	Moves []Move `json:"moves,omitempty"`
	// Migrations says how the line migrates its databases.
	Migrations *Migrations `json:"migrations,omitempty"`
	Notes      string      `json:"notes,omitempty"`  // address of the release notes
	Source     string      `json:"source,omitempty"` // where the facts above come from
}

// Rule is one way from an environment to chart values: a copy of Field to
// Path, or the fixed values of Set. It applies when every condition of When
// holds and, for a copy, the field is set.
type Rule struct {
	Position strictyaml.Position `json:"-"`

	// Release is the key of the release whose values are set; default prefect-cloud.
	Release string `json:"release,omitempty"`
	// Field is a field of an environment's spec, such as instance.frontendUrl.
	Field string `json:"field,omitempty"`
	// Path is the dotted chart value that Field is copied to; empty in a
	// correction to drop the rule.
	Path ValuePath `json:"path,omitempty"`
	// When is conditions on fields: NAME (is set), !NAME (is not set), NAME=VALUE.
	When Conditions `json:"when,omitempty"`
	// Set is dotted chart values and what they become.
	Set    Settings `json:"set,omitempty"`
	Source string   `json:"source,omitempty"` // where the fact comes from
}

// Move is a change of values that an upgrade to the line needs.
type Move struct {
	// From and To are dotted chart values: what was set at From belongs to To.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Require is a field that must be set before the upgrade; Was is the
	// default that it had, Why says what happens otherwise.
	Require string `json:"require,omitempty"`
	Was     string `json:"was,omitempty"`
	Why     string `json:"why,omitempty"`
	Source  string `json:"source,omitempty"`
}

// Migrations says how a line migrates its databases.
type Migrations struct {
	// Jobs is the names of the migration objects.
	Jobs []string `json:"jobs,omitempty"`
	// AfterInstall says that on a first install the migrations run after the
	// services were created, and that the services wait for them.
	AfterInstall *bool `json:"afterInstall,omitempty"`
	// Timeout is how long a migration may take, as a Go duration.
	Timeout Timeout `json:"timeout,omitempty"`

	// AfterInstallAt and TimeoutAt are where these are said, which may be in
	// different catalogs.
	AfterInstallAt strictyaml.Position `json:"-"`
	TimeoutAt      strictyaml.Position `json:"-"`
}

// UnmarshalValue reads migrations, and where each is said.
func (m *Migrations) UnmarshalValue(v *strictyaml.Value, path string) strictyaml.Problems {
	type plain Migrations
	problems := strictyaml.DecodeAt(v, (*plain)(m), path)
	m.AfterInstallAt, m.TimeoutAt = v.At("afterInstall"), v.At("timeout")
	return problems
}

// Embedded is the catalog of publicly documented facts that the program
// carries. Nobody may change what it holds.
var Embedded = sync.OnceValue(func() Catalog {
	c, err := Parse(embeddedName, embedded)
	if err != nil {
		panic("the embedded catalog: " + err.Error())
	}
	return c
})

// Parse reads a catalog. The error is every problem of the file at once, as
// [strictyaml.Problems].
func Parse(name string, data []byte) (Catalog, error) {
	root, problems := strictyaml.Load(name, data)
	if problems != nil {
		return Catalog{}, problems
	}
	if kind := root.Get("kind"); kind != nil && kind.Text != "Catalog" {
		return Catalog{}, strictyaml.Problems{{Position: kind.Position, Path: "kind", Message: "want Catalog, got " + text.Quoted(kind.Text)}}
	}
	var c Catalog
	problems = strictyaml.Decode(root, &c, strictyaml.Complete)
	return c, problems.With(c.check(root)).Err()
}

func (c Catalog) check(root *strictyaml.Value) strictyaml.Problems {
	var problems strictyaml.Problems
	problem := func(path, format string, args ...any) {
		problems = append(problems, strictyaml.Problem{Position: root.At(path), Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if c.APIVersion != "pm-gitops/v1" {
		problem("apiVersion", "want pm-gitops/v1, got %s", text.Quoted(c.APIVersion))
	}
	seen := map[string]bool{}
	for i, line := range c.Lines {
		path := strictyaml.Index("lines", i)
		if _, err := semver.NewVersion(line.Name); err != nil {
			problem(path+".name", "want MAJOR.MINOR of the line's charts, got %s", text.Quoted(line.Name))
		}
		if seen[line.Name] {
			problem(path+".name", "the line %q is defined twice", line.Name)
		}
		seen[line.Name] = true
		for j, rule := range line.Layout {
			if (rule.Field == "") == (rule.Set == nil) {
				problem(strictyaml.Index(path+".layout", j), "want either field and path, or set")
			}
		}
	}
	return problems
}

// With is the catalog with other's lines added, and those it has itself
// corrected: what a line of other says replaces what c says, and its layout
// rules replace c's rules for the same field, or with fixed values under the
// same conditions, and follow the rest.
func (c Catalog) With(other Catalog) Catalog {
	lines := slices.Clone(c.Lines)
	for _, line := range other.Lines {
		if i := slices.IndexFunc(lines, func(l Line) bool { return l.Name == line.Name }); i >= 0 {
			lines[i] = lines[i].corrected(line)
		} else {
			lines = append(lines, line)
		}
	}
	slices.SortStableFunc(lines, func(a, b Line) int {
		return semver.MustParse(a.Name).Compare(semver.MustParse(b.Name))
	})
	c.Lines = lines
	return c
}

// corrected is the line with what other says laid over it. A name stays.
func (l Line) corrected(other Line) Line {
	if other.Charts != nil {
		l.Charts = other.Charts
	}
	if other.Server != nil {
		l.Server = other.Server
	}
	if other.UI != nil {
		l.UI = other.UI
	}
	if other.Released != "" {
		l.Released = other.Released
	}
	if other.Like != "" {
		l.Like, l.Position = other.Like, other.Position
	}
	if other.Moves != nil {
		l.Moves = other.Moves
	}
	if other.Notes != "" {
		l.Notes = other.Notes
	}
	if other.Loops != nil {
		l.Loops = other.Loops
	}
	l.Layout, l.Secrets, l.Migrations = over(l, other)
	return l
}

// over is what decides how a release is rendered, of a line under another's corrections.
func over(l, other Line) ([]Rule, map[string][]string, *Migrations) {
	layout := slices.DeleteFunc(slices.Clone(l.Layout), func(r Rule) bool {
		return slices.ContainsFunc(other.Layout, func(o Rule) bool {
			if o.Field != "" {
				return o.Field == r.Field
			}
			return r.Field == "" && o.Release == r.Release && len(o.When) > 0 && slices.Equal(o.When, r.When)
		})
	})
	layout = append(layout, other.Layout...)
	secrets, migrations := l.Secrets, l.Migrations
	if other.Secrets != nil {
		secrets = other.Secrets
	}
	return layout, secrets, migrations.corrected(other.Migrations)
}

// corrected is the migrations with what other says laid over them, field by field.
func (m *Migrations) corrected(other *Migrations) *Migrations {
	if m == nil || other == nil {
		return cmp.Or(other, m)
	}
	merged := *m
	if other.Jobs != nil {
		merged.Jobs = other.Jobs
	}
	if other.AfterInstall != nil {
		merged.AfterInstall, merged.AfterInstallAt = other.AfterInstall, other.AfterInstallAt
	}
	if other.Timeout != "" {
		merged.Timeout, merged.TimeoutAt = other.Timeout, other.TimeoutAt
	}
	return &merged
}

// Find is the line that a chart version of a release belongs to, with what it
// takes from the lines it is like. Where no line covers the version it is the
// newest line, and ok is false. The error names a line that is like an
// unknown one or, in a cycle, like itself, as a [strictyaml.Problem].
func (c Catalog) Find(release, version string) (line Line, ok bool, err error) {
	if len(c.Lines) == 0 {
		return Line{}, false, fmt.Errorf("the catalog has no lines")
	}
	line = c.Lines[len(c.Lines)-1]
	for _, l := range c.Lines {
		if l.Charts[release].Contains(version) {
			line, ok = l, true
		}
	}
	line, err = c.resolved(line, nil)
	return line, ok, err
}

// Line is the line of a name, with what it takes from the lines it is like.
// The error names a line that is not there, or is like one that is not, or
// like itself.
func (c Catalog) Line(name string) (Line, error) {
	for _, line := range c.Lines {
		if line.Name == name {
			return c.resolved(line, nil)
		}
	}
	return Line{}, fmt.Errorf("the catalog has no line %q", name)
}

func (c Catalog) resolved(line Line, via []string) (Line, error) {
	if line.Like == "" {
		return line, nil
	}
	if slices.Contains(via, line.Name) {
		return line, line.problem("lines that are like each other: %s", strings.Join(append(via, line.Name), " -> "))
	}
	i := slices.IndexFunc(c.Lines, func(l Line) bool { return l.Name == line.Like })
	if i < 0 {
		return line, line.problem("line %q is like the unknown line %s: want %s", line.Name, text.Quoted(line.Like), text.OneOf(c.names()))
	}
	base, err := c.resolved(c.Lines[i], append(via, line.Name))
	if err != nil {
		return line, err
	}
	line.Layout, line.Secrets, line.Migrations = over(base, line)
	if line.Loops == nil {
		line.Loops = base.Loops
	}
	return line, nil
}

func (l Line) problem(format string, args ...any) error {
	return strictyaml.Problem{Position: l.Position, Path: "like", Message: fmt.Sprintf(format, args...)}
}

func (c Catalog) names() []string {
	names := make([]string, len(c.Lines))
	for i, line := range c.Lines {
		names[i] = line.Name
	}
	return names
}
